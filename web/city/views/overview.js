// The day at a glance: what came in, what the bank says, whether events arrive, and what waits for somebody.
import { fill, h, icon } from "/common/dom.js";
import { dateTime, digits, jalaliText, sumRial } from "/common/text.js";
import { plateText } from "/common/plate.js";
import { call } from "/common/desk/service/api.js";
import { addWords, t } from "/common/desk/words/messages.js";
import { word } from "/common/desk/page/shell.js";
import { endpointOf } from "../endpoint.js";
import { learnCity } from "../officer.js";
import { facts, filled, fromNow, rial, verdict } from "../pieces.js";
import { OVERVIEW } from "../words/overview.js";

addWords(OVERVIEW);
const NEAR_MS = 7 * 86_400_000;
const SHOWN_MAX = 5;
/** What the city is owed, and what is paid on to it out of that: by a close's transfer, or by a gateway to the city itself. */
const OWED_TO_CITY = /^municipality_(payable|rounding):/;
const PAID_ON = /^municipality_(transfer|received):/;

export async function show(main, { signal, officer }) {
  const { here } = officer;
  const cards = [
    ["today", "todayTitle", null, () => call("GET", here("/trial-balance")), today],
    ["last-close", "closeTitle", "closes", () => call("GET", here("/settlements?limit=1")), lastClose],
    ["events", "healthTitle", "health", () => endpointOf(here), health],
    ["changes", "changesTitle", "onboarding", () => call("GET", here("/changes")), changes],
    ["deadlines", "objectionsTitle", "objections", () => call("GET", `/v1/objections?municipality=${officer.city}&status=open`), deadlines],
    ["setup", "setupTitle", "onboarding", () => call("GET", here("/onboarding")), setup],
  ];
  fill(main, h("h1", { tabindex: "-1" }, t("overviewTitle")), h("div", { class: "tiles" }, cards.map(([id, title, section, read, draw]) => {
    const place = h("div", { class: "tile-body" });
    filled(place, signal, read, draw);
    return h("section", { class: "card tile", id: `tile-${id}`, "aria-labelledby": `title-${id}` }, h("h2", { id: `title-${id}` }, section ? h("a", { href: `#/${section}` }, t(title)) : t(title)), place);
  })));
  main.querySelector("h1").focus({ preventScroll: true });
}

function today(books) {
  const sum = (accounts, side) => sumRial(books.accounts.filter(({ account }) => accounts.test(account)).map((one) => one[side]));
  const paidOn = sum(PAID_ON, "credit_rial");
  const back = sumRial([sum(OWED_TO_CITY, "debit_rial"), `-${paidOn}`]);
  return [
    h("p", { class: "figure", id: "collected" }, rial(sum(OWED_TO_CITY, "credit_rial"))),
    back !== "0" && h("p", {}, t("todayBack"), ": ", rial(back)),
    paidOn !== "0" && h("p", {}, t("todayPaidOn"), ": ", rial(paidOn)),
    h("p", { class: "soft" }, jalaliText(books.to_jalali), " · ", t("todayEntries", { count: digits(books.entries) })),
  ];
}

function lastClose({ settlements: [close] }) {
  if (!close) return h("p", { class: "soft" }, t("closeNone"));
  return [
    h("p", {}, h("a", { href: `#/closes/${close.settlement_id}` }, h("b", { class: "number" }, jalaliText(close.day_jalali))), " ", verdict("close", close.status, "bank-state")),
    facts([t("closing"), rial(close.closing_rial)], [t("transferred"), rial(close.transfer_rial)]),
  ];
}

function health(endpoint) {
  if (!endpoint) return h("p", { class: "soft" }, t("healthNone"));
  const { delivered_sequence: delivered, head, failing_since_at: since, failures } = endpoint;
  return [
    h("p", {}, verdict("endpoint", endpoint.status)),
    h("p", {}, t(delivered >= head ? "healthAll" : "healthSome", { head: digits(head), delivered: digits(delivered) })),
    since && h("p", { class: "owed" }, t("healthFailing", { since: dateTime(since), count: digits(failures) })),
  ];
}

function changes({ changes: all }) {
  const waiting = all.filter((change) => change.status === "proposed");
  const cooling = all.filter((change) => change.status === "approved").length;
  return [
    waiting.length === 0
      ? h("p", { class: "soft" }, t("changesNone"))
      : h("ul", { class: "rows" }, waiting.slice(0, SHOWN_MAX).map((change) => h("li", { class: "row" },
        h("b", {}, word("subject", change.subject)),
        h("span", { class: "soft" }, t("changeBy", { who: "\u2068" + change.steps[0].by + "\u2069" }), " · ", fromNow(change.steps[0].at))))),
    cooling > 0 && h("p", { class: "soft" }, t("coolingCount", { count: digits(cooling) })),
  ];
}

function deadlines({ objections }) {
  const open = objections.toSorted((one, other) => one.due_at.localeCompare(other.due_at));
  const near = open.filter((one) => new Date(one.due_at).getTime() - Date.now() < NEAR_MS).length;
  if (open.length === 0) return h("p", { class: "soft" }, t("objectionsNone"));
  return [
    h("p", { class: near ? "owed" : "soft" }, t("objectionsOpen", { count: digits(open.length), near: digits(near) })),
    h("ul", { class: "rows" }, open.slice(0, SHOWN_MAX).map((one) => h("li", { class: "row" },
      h("a", { href: `#/objections/${one.objection_id}` }, h("bdi", {}, plateText(one.plate))), h("span", {}, word("objection", one.reason)), h("span", { class: "soft" }, fromNow(one.due_at))))),
  ];
}

function setup(told) {
  learnCity(told);
  const left = told.steps.filter((step) => !step.done);
  return [
    h("p", { class: told.ready ? "clear" : "" }, left.length === 0 ? t("setupReady") : t("setupLeft", { count: digits(left.length) })),
    h("ul", { class: "steps-list" }, told.steps.map((step) => h("li", { class: step.done ? "done" : "" },
      icon(step.done ? "check" : step.required ? "warn" : "question"),
      h("span", {}, h("b", {}, word("step", step.what)), !step.done && !step.required && h("small", { class: "soft" }, ` (${t("optional")})`))))),
  ];
}
