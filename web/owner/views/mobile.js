// A mobile number, given or not: with consent, shown masked, taken back at any time.
import { call } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { givenNumber, mobileForm, sayRefusals } from "/common/desk/duty/mobile.js";
import { fill, h } from "/common/dom.js";
import { language } from "/common/text.js";

const NUMBERS = "/v1/owner/mobile-numbers";

/** Fills `place` with what is known of the owner's number; quietly nothing where that cannot be asked. */
export async function drawMobile(place, signal) {
  try {
    const { mobile } = await call("GET", NUMBERS);
    if (signal.aborted) return;
    place.hidden = false;
    draw(place, mobile, signal);
  } catch {
    // reminders are a comfort; what is owed stands above
  }
}

function draw(place, mobile, signal) {
  fill(place, h("h2", {}, t("remindTitle")), mobile ? given(place, mobile, signal) : mobileForm({ owner: true, send: (number) => give(place, number, signal) }));
}

function given(place, mobile, signal) {
  const message = h("div", { class: "form-message" });
  const remove = h("button", { type: "button", class: "button quiet", id: "remove-mobile" }, t("removeMobile"));
  remove.addEventListener("click", () => sayRefusals(remove, message, async () => {
    await call("POST", `${NUMBERS}/removals`, { body: {} });
    if (signal.aborted) return;
    draw(place, null, signal);
    place.querySelector("#mobile").focus();
  }));
  return [givenNumber(mobile), message, remove];
}

async function give(place, number, signal) {
  const answer = await call("POST", NUMBERS, { body: { mobile: number, consent: true, language: language() } });
  if (signal.aborted) return;
  draw(place, answer.mobile, signal);
  place.querySelector("#remove-mobile").focus();
}
