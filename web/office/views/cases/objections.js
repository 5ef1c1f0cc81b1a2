// Objections: one is filed against the quote on the screen, read with every step, and taken back.
import { fill, h, icon } from "/common/dom.js";
import { drawPlate, plateText } from "/common/plate.js";
import { dateTime, longDate, money, yearRanges } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { once } from "/common/desk/service/attempts.js";
import { announce, busy, cityName, cityOptions, go, loading, newSearch, problemBox, state, word } from "../../shell.js";
import { t } from "../../messages.js";

const REASONS = ["wrong_price", "wrong_class", "wrong_model_year", "wrong_start", "wrong_fuel_or_origin", "not_resident", "paid_before", "exempt", "other"];

/** The form against the quote `id`. */
export function objectView(main, { id }) {
  if (!id) return go("search");
  const message = h("div", { class: "form-message" });
  const reason = h("select", { id: "objection-reason" }, REASONS.map((value) => h("option", { value }, word("objection", value))));
  const text = h("textarea", { id: "objection-text", rows: 5, dir: "auto", maxlength: 2000 });
  const evidence = h("input", { id: "objection-evidence", dir: "auto", maxlength: 200, autocomplete: "off" });
  const button = h("button", { class: "button primary big", id: "file-objection" }, t("objectionFile"));
  const submit = async (event) => {
    event.preventDefault();
    if (!text.value.trim()) {
      fill(message, h("p", { class: "notice notice-bad", role: "alert" }, t("needText")));
      return text.focus();
    }
    const proof = evidence.value.trim();
    const body = { assessment_id: id, reason: reason.value, text: text.value.trim(), evidence: proof ? [{ kind: "document", reference: proof }] : [] };
    try {
      const filed = await busy(button, t("working"), () => once(`objection.${id}`, "POST", "/v1/objections", body));
      return go("objection", filed.objection_id);
    } catch (problem) {
      fill(message, problemBox(problem));
      return message.scrollIntoView({ block: "nearest" });
    }
  };
  const quote = state.assessment?.assessment_id === id ? state.assessment : null;
  fill(main, h("section", { class: "card progress" },
    h("h1", { tabindex: "-1" }, t("objectionTitle")), h("p", { class: "soft" }, t("objectionLead")),
    quote && h("div", { class: "plate-place" }, drawPlate(quote.plate)),
    h("form", { class: "stack", onsubmit: submit },
      h("label", {}, h("span", {}, t("objectionReason")), reason),
      h("label", {}, h("span", {}, t("objectionText")), text),
      h("label", {}, h("span", {}, t("objectionEvidence")), evidence),
      message, h("div", { class: "actions" }, button, h("button", { type: "button", class: "button quiet", onclick: () => go("assessment", id) }, t("backToQuote"))))));
  return reason.focus({ preventScroll: true });
}

/** One objection with its state and steps. */
export async function objectionView(main, { id, signal }) {
  if (!id) return go("objections");
  const again = () => objectionView(main, { id, signal });
  fill(main, loading(t("loading")));
  try {
    const found = await call("GET", `/v1/objections/${id}`);
    if (!signal.aborted) draw(main, found, again);
  } catch (problem) {
    if (!signal.aborted) fill(main, problemBox(problem, h("button", { type: "button", class: "button", onclick: again }, t("retry"))));
  }
  return undefined;
}

function draw(main, found, again) {
  const message = h("div", { class: "form-message" });
  const withdraw = h("button", { type: "button", class: "button quiet", id: "withdraw" }, t("withdraw"));
  withdraw.addEventListener("click", async () => {
    try {
      await busy(withdraw, t("working"), () => call("POST", `/v1/objections/${found.objection_id}/withdrawals`, { body: {} }));
      again();
    } catch (problem) {
      fill(message, problemBox(problem));
    }
  });
  fill(main, h("section", { class: "card progress" },
    h("h1", { tabindex: "-1" }, t("objectionState")),
    h("p", {}, h("span", { class: `verdict verdict-${found.status}`, id: "objection-status" }, word("casestate", found.status))),
    h("div", { class: "plate-place" }, drawPlate(found.plate)),
    h("dl", { class: "facts" },
      h("dt", {}, t("city")), h("dd", {}, cityName(found.municipality)),
      h("dt", {}, t("years")), h("dd", {}, yearRanges(found.years)),
      h("dt", {}, t("objectionReason")), h("dd", {}, word("objection", found.reason)),
      h("dt", {}, t("objectionText")), h("dd", {}, h("bdi", {}, found.text)),
      h("dt", {}, t("filedAt")), h("dd", {}, dateTime(found.created_at)),
      found.status === "open" && [h("dt", {}, t("dueAt")), h("dd", {}, longDate(found.due_at))],
      found.decision_reason && [h("dt", {}, t("decision")), h("dd", {}, h("bdi", {}, found.decision_reason))],
      found.recomputed && [h("dt", {}, t("total")), h("dd", {}, h("span", { class: "number" }, money(found.recomputed.owed_rial)), " ", t("rial"))]),
    message,
    h("div", { class: "actions" },
      h("button", { type: "button", class: "button", onclick: again }, t("checkNow")), found.status === "open" && withdraw,
      h("button", { type: "button", class: "button quiet", onclick: newSearch }, icon("search"), t("newSearch")))));
  announce(word("casestate", found.status));
  main.querySelector("h1").focus({ preventScroll: true });
}

/** The objections of a city, the newest first. */
export function objectionsView(main, { signal }) {
  const list = h("div", { "aria-live": "polite" });
  const city = h("select", { id: "objections-city" }, cityOptions());
  const button = h("button", { class: "button primary", id: "show-objections" }, t("showRefunds"));
  const show = async (event) => {
    event.preventDefault();
    try {
      const answer = await busy(button, t("working"), () => call("GET", `/v1/objections?municipality=${city.value}`));
      if (!signal.aborted) fill(list, answer.objections.length === 0 ? h("p", { class: "empty" }, t("noObjections")) : h("ul", { class: "rows" }, answer.objections.map(row)));
    } catch (problem) {
      if (!signal.aborted) fill(list, problemBox(problem));
    }
  };
  fill(main, h("section", { class: "card register" }, h("h1", { tabindex: "-1" }, t("objectionsTitle")),
    h("form", { class: "inline-field", onsubmit: show }, h("label", { for: "objections-city" }, t("city")), city, button), list));
  city.focus({ preventScroll: true });
}

function row(found) {
  return h("li", { class: "row" },
    h("a", { href: `#/objection/${found.objection_id}` }, h("bdi", {}, plateText(found.plate))),
    h("span", {}, word("objection", found.reason)),
    h("span", { class: `verdict verdict-${found.status}` }, word("casestate", found.status)),
    h("small", { class: "soft" }, dateTime(found.created_at)));
}
