// The inbox of objections: the nearest deadline first; one of them leads to its evidence and the decision.
import { fill, h } from "/common/dom.js";
import { digits, longDate } from "/common/text.js";
import { plateText } from "/common/plate.js";
import { call } from "/common/desk/service/api.js";
import { addWords, t } from "/common/desk/words/messages.js";
import { announce, loading, retryBox, word } from "/common/desk/page/shell.js";
import { field, filled, fromNow, table, verdict } from "../pieces.js";
import { OBJECTIONS } from "../words/objections.js";
import { objectionView } from "./objections/objection.js";

addWords(OBJECTIONS);
const NEAR_MS = 7 * 86_400_000;
/** The list that was chosen last, while the page is open. */
let which = "open";

export async function show(main, shown) {
  if (!shown.id) return inbox(main, shown);
  const again = () => show(main, shown);
  fill(main, loading());
  try {
    await objectionView(main, { ...shown, again });
  } catch (problem) {
    if (!shown.signal.aborted) fill(main, retryBox(problem, again));
  }
  return undefined;
}

async function inbox(main, { signal, officer }) {
  const place = h("div", { class: "spaced", id: "inbox" });
  const choice = h("select", { id: "which", onchange: () => read() }, ["open", "all"].map((value) => h("option", { value, selected: value === which }, word("which", value))));
  const read = () => {
    which = choice.value;
    const wanted = which === "open" ? "&status=open" : "";
    return filled(place, signal, () => call("GET", `/v1/objections?municipality=${officer.city}${wanted}`), list);
  };
  fill(main, h("section", { class: "card" }, h("div", { class: "head" }, h("div", {}, h("h1", { tabindex: "-1" }, t("objectionsTitle2")), h("p", { class: "soft" }, t("objectionsLead"))), field(t("showWhich"), choice)), place));
  main.querySelector("h1").focus({ preventScroll: true });
  await read();
}

function list({ objections }) {
  if (objections.length === 0) return h("p", { class: "empty" }, t("noObjectionsHere"));
  const waiting = (one) => (one.status === "open" ? one.due_at : `~${one.created_at}`);
  const sorted = objections.toSorted((one, other) => waiting(one).localeCompare(waiting(other)));
  announce(`${t("objectionsTitle2")}: ${digits(sorted.length)}`);
  return table(t("objectionsTitle2"), ["plateHead", "whatHead", "filedHead", "dueHead", "stateHead"].map((key) => t(key)), sorted.map(row));
}

function row(one) {
  const plate = plateText(one.plate);
  const left = new Date(one.due_at).getTime() - Date.now();
  return h("tr", { dataset: { objection: one.objection_id } },
    h("th", { scope: "row" }, h("a", { href: `#/objections/${one.objection_id}`, "aria-label": t("openObjection", { plate }) }, h("bdi", {}, plate))),
    h("td", {}, word("objection", one.reason)), h("td", {}, longDate(one.created_at)),
    h("td", {}, one.status === "open" ? h("span", { class: left < NEAR_MS ? "owed" : null }, longDate(one.due_at), h("small", { class: "block" }, fromNow(one.due_at))) : "—"),
    h("td", {}, verdict("casestate", one.status), one.status === "open" && one.level > 0 && h("small", { class: "block late-mark" }, word("level", one.level))));
}
