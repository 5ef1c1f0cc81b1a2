// What the city has set up, and the changes that need two people; each thing has a page of its own below it.
import { fill } from "/common/dom.js";
import { addWords } from "/common/desk/words/messages.js";
import { loading, retryBox } from "/common/desk/page/shell.js";
import { ONBOARDING } from "../words/onboarding.js";
import { accountView } from "./onboarding/account.js";
import { addressView } from "./onboarding/address.js";
import { hubView } from "./onboarding/hub.js";
import { officersView } from "./onboarding/officers.js";
import { contactView, emblemView } from "./onboarding/profile.js";

addWords(ONBOARDING);
const VIEWS = { account: accountView, events: addressView, officers: officersView, emblem: emblemView, contact: contactView };

export async function show(main, shown) {
  const again = () => show(main, shown);
  fill(main, loading());
  try {
    await (VIEWS[shown.id] ?? hubView)(main, { ...shown, again });
  } catch (problem) {
    if (!shown.signal.aborted) fill(main, retryBox(problem, again));
  }
}
