// Asking for a refund of a payment: which years, and why; a second person at the city decides.
import { fill, h, icon } from "/common/dom.js";
import { drawPlate } from "/common/plate.js";
import { digits, money } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { once } from "/common/desk/service/attempts.js";
import { announce, busy, go, loading, newSearch, problemBox } from "../../shell.js";
import { t } from "../../messages.js";
import { paymentFacts } from "../pay/settled.js";

export async function refundView(main, { id, signal }) {
  if (!id) return go("search");
  fill(main, loading(t("loading")));
  try {
    const payment = await call("GET", `/v1/payments/${id}`);
    if (!signal.aborted) draw(main, payment);
  } catch (problem) {
    if (!signal.aborted) fill(main, problemBox(problem, h("button", { type: "button", class: "button", onclick: () => refundView(main, { id, signal }) }, t("retry"))));
  }
  return undefined;
}

function draw(main, payment) {
  const message = h("div", { class: "form-message" });
  const reason = h("input", { id: "refund-reason", dir: "auto", maxlength: 500, autocomplete: "off" });
  const years = (payment.years ?? []).map((part) => ({ part, box: h("input", { type: "checkbox", name: "year", value: part.year, checked: true }) }));
  const button = h("button", { class: "button primary", id: "ask-refund" }, t("refundDo"));
  const submit = async (event) => {
    event.preventDefault();
    if (reason.value.trim().length < 3) {
      fill(message, h("p", { class: "notice notice-bad", role: "alert" }, t("needReason")));
      return reason.focus();
    }
    const chosen = years.filter(({ box }) => box.checked).map(({ part }) => ({ year: part.year, amount_rial: part.amount_rial }));
    const whole = chosen.length === years.length;
    const body = { reason: reason.value.trim(), ...(whole ? {} : { years: chosen }) };
    try {
      const refund = await busy(button, t("working"), () => once(`refund.${payment.payment_id}`, "POST", `/v1/payments/${payment.payment_id}/refunds`, body));
      return drawAsked(main, refund);
    } catch (problem) {
      return fill(message, problemBox(problem));
    }
  };
  fill(main, h("section", { class: "card progress" },
    h("h1", { tabindex: "-1" }, t("refundTitle")), h("p", { class: "soft" }, t("refundLead")),
    payment.plate && h("div", { class: "plate-place" }, drawPlate(payment.plate)),
    paymentFacts(payment),
    h("form", { class: "stack", onsubmit: submit },
      years.length > 1 && h("fieldset", { class: "checks" }, h("legend", {}, t("years")), years.map(({ part, box }) =>
        h("label", { class: "check" }, box, h("span", {}, digits(part.year)), h("span", { class: "number soft" }, money(part.amount_rial))))),
      h("label", {}, h("span", {}, t("refundReason")), reason), message, h("div", { class: "actions" }, button,
        h("button", { type: "button", class: "button quiet", onclick: () => history.back() }, t("back"))))));
  reason.focus({ preventScroll: true });
}

function drawAsked(main, refund) {
  fill(main, h("section", { class: "card progress" },
    h("div", { class: "ending good" }, icon("check")),
    h("h1", { tabindex: "-1" }, t("refundAsked")),
    h("dl", { class: "facts" },
      h("dt", {}, t("amount")), h("dd", {}, h("span", { class: "number" }, money(refund.amount_rial)), " ", t("rial")),
      h("dt", {}, t("refundNumber")), h("dd", { class: "id", id: "refund-id" }, refund.refund_id)),
    h("div", { class: "actions" }, h("button", { type: "button", class: "button primary", onclick: newSearch }, t("nextVehicle")))));
  announce(t("refundAsked"));
  main.querySelector("h1").focus({ preventScroll: true });
}
