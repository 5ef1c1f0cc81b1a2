// An agreement to pay by instalments: its parts, who still has to say yes, and the next part to be paid.
import { fill, h, icon } from "/common/dom.js";
import { drawPlate } from "/common/plate.js";
import { digits, jalaliText, money, yearRanges } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { announce, cityName, go, loading, newSearch, problemBox, word } from "../../shell.js";
import { t } from "../../messages.js";
import { loadTerminals, payPanel } from "./panel.js";

const GOOD = new Set(["in_force", "completed"]);

export async function agreementView(main, { id, signal }) {
  if (!id) return go("search");
  const again = () => agreementView(main, { id, signal });
  fill(main, loading(t("loading")));
  loadTerminals();
  try {
    const agreement = await call("GET", `/v1/instalment-agreements/${id}`);
    if (!signal.aborted) draw(main, agreement, again, signal);
  } catch (problem) {
    if (!signal.aborted) fill(main, problemBox(problem, h("button", { type: "button", class: "button", onclick: again }, t("retry"))));
  }
  return undefined;
}

function draw(main, agreement, again, signal) {
  const next = agreement.parts.find((part) => !part.paid);
  const payable = agreement.status === "in_force" && next;
  const panel = payable && payPanel({ target: { agreement_id: agreement.agreement_id }, amountRial: next.amount_rial, signal });
  fill(main, h("div", { class: "desk" },
    h("aside", { class: "card side" },
      h("div", { class: "plate-place" }, drawPlate(agreement.plate)),
      h("dl", { class: "facts" },
        h("dt", {}, t("city")), h("dd", { dataset: { city: agreement.municipality } }, cityName(agreement.municipality)),
        h("dt", {}, t("years")), h("dd", {}, yearRanges(agreement.years.map((one) => one.year))),
        h("dt", {}, t("agreementTotal")), h("dd", {}, h("span", { class: "number" }, money(agreement.total_rial)), " ", t("rial")),
        h("dt", {}, t("agreementPaid")), h("dd", {}, h("span", { class: "number" }, money(agreement.paid_rial)), " ", t("rial"))),
      h("button", { type: "button", class: "button quiet", onclick: newSearch }, icon("search"), t("nextVehicle"))),
    h("section", { class: "card quote" },
      h("h1", { tabindex: "-1" }, t("agreementTitle")),
      h("p", { class: `notice notice-${GOOD.has(agreement.status) ? "good" : "warn"}`, id: "agreement-state" }, word("agreement", agreement.status)),
      agreement.rejection_reason && h("p", { id: "agreement-reason" }, t("reason"), ": ", h("bdi", {}, agreement.rejection_reason)),
      h("div", { class: "table-place" }, h("table", { class: "table" },
        h("caption", { class: "visually-hidden" }, t("agreementTitle")),
        h("thead", {}, h("tr", {}, ["partNumber", "amount", "dueOn", "lastDay", "stateHead"].map((head) => h("th", { scope: "col" }, t(head))))),
        h("tbody", {}, agreement.parts.map((part) => h("tr", {},
          h("td", {}, digits(part.number)),
          h("td", {}, h("span", { class: "number" }, money(part.amount_rial))),
          h("td", {}, jalaliText(part.due_jalali)),
          h("td", {}, jalaliText(part.last_day_jalali)),
          h("td", {}, h("span", { class: `verdict verdict-${part.paid ? "settled" : "pending"}` }, t(part.paid ? "partPaid" : "partOpen")))))))),
      agreement.status === "requested" && h("div", { class: "actions" }, h("button", { type: "button", class: "button", onclick: again }, t("checkNow"))),
      panel && [panel.channels, panel.bar])));
  announce(word("agreement", agreement.status));
  if (panel) panel.focus();
  else main.querySelector("h1").focus({ preventScroll: true });
}
