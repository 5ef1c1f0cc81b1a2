// The city's endpoint as more than one section asks for it.
import { digits } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { word } from "/common/desk/page/shell.js";

/** The endpoint, or null for a city that has none. */
export async function endpointOf(here) {
  try {
    return await call("GET", here("/webhook"));
  } catch (problem) {
    if (problem.code === "webhook_not_found") return null;
    throw problem;
  }
}

/** What came of a sending, in words: the status that was answered, or why there was none. */
export function outcome(attempt) {
  if (attempt.status) return t("answered", { status: digits(attempt.status) });
  return word("failure", attempt.failure);
}
