// Steps with what is done and missing, and every change that is open.
import { fill, h, icon } from "/common/dom.js";
import { call } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { word } from "/common/desk/page/shell.js";
import { learnCity } from "../../officer.js";
import { SECTIONS } from "../../sections.js";
import { changeCard, changeRow, isOpen } from "./changes.js";

/** Where a step is taken: a page below this one, or another section. */
const PLACES = { account: "onboarding/account", officers: "onboarding/officers", events: "onboarding/events", emblem: "onboarding/emblem", contact: "onboarding/contact", tariff: "tariff", roll: "roll" };
const PAST_SHOWN_MAX = 20;

export async function hubView(main, { signal, officer, again }) {
  const [told, { changes }] = await Promise.all([call("GET", officer.here("/onboarding")), call("GET", officer.here("/changes"))]);
  if (signal.aborted) return;
  learnCity(told);
  const open = changes.filter(isOpen);
  const past = changes.filter((change) => !isOpen(change));
  fill(main,
    h("h1", { tabindex: "-1" }, t("onboardingTitle")), h("p", { class: "soft" }, t("onboardingLead")),
    h("section", { class: "card spaced", id: "open-changes" }, h("h2", {}, t("openChangesTitle")),
      open.length === 0 ? h("p", { class: "soft" }, t("noOpenChanges")) : open.map((change) => changeCard(change, { officer, again })),
      past.length > 0 && h("details", { class: "more" }, h("summary", {}, t("pastChanges")), h("ul", { class: "rows" }, past.slice(0, PAST_SHOWN_MAX).map(changeRow)))),
    h("section", { class: "spaced" }, h("h2", {}, t("setUpTitle")), h("ul", { class: "tiles" }, told.steps.map(stepTile))));
  main.querySelector("h1").focus({ preventScroll: true });
}

function stepTile(step) {
  const state = step.done ? "stepDone" : step.required ? "stepMissing" : "stepOptional";
  const place = PLACES[step.what];
  const title = h("b", {}, word("step", step.what));
  const leads = SECTIONS.some((section) => section.name === place.split("/")[0]);
  return h("li", { class: "card tile step" },
    leads ? h("a", { href: `#/${place}`, id: `step-${step.what}` }, title) : title,
    h("p", { class: "soft" }, word("says", step.what)),
    h("p", { class: step.done ? "clear" : step.required ? "missing" : "soft" }, icon(step.done ? "check" : step.required ? "warn" : "question"), " ", t(state)));
}
