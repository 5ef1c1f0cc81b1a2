// What every view of a payment tells of it, and the end of one that carries no certificate of its own.
import { fill, h, icon } from "/common/dom.js";
import { plateText } from "/common/plate.js";
import { digits, money } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { forget } from "/common/desk/service/attempts.js";
import { go, newSearch, problemBox, word } from "../../shell.js";
import { t } from "../../messages.js";
import { madePaper, openButton, printButton, showPaper } from "/common/desk/page/pdf.js";

/** Amount, fee, reference and number of a payment, as a list of facts. */
export function paymentFacts(payment) {
  const rial = (amount) => h("span", {}, h("span", { class: "number" }, money(amount)), " ", t("rial"));
  return h("dl", { class: "facts" },
    payment.amount_rial && [h("dt", {}, t("amount")), h("dd", {}, rial(payment.amount_rial))],
    payment.fee_rial && payment.fee_rial !== "0" && [h("dt", {}, t("feeNote")), h("dd", {}, rial(payment.fee_rial))],
    payment.channel && [h("dt", {}, t("payBy")), h("dd", {}, word("channel", payment.channel))],
    payment.instalment && [h("dt", {}, t("partNumber")), h("dd", {}, digits(payment.instalment))],
    payment.reference && [h("dt", {}, t("reference")), h("dd", {}, h("bdi", {}, payment.reference))],
    h("dt", {}, t("paymentId")), h("dd", { class: "id" }, payment.payment_id));
}

/** A settled payment without a certificate: a part of an agreement, or the whole of a joint payment. */
export function settledView(box, payment, { signal }) {
  if (payment.agreement_id) forget(payment.agreement_id);
  const joint = payment.parts > 0;
  const message = h("div", { class: "form-message" });
  const preview = h("div", { class: "preview" });
  const file = madePaper(`/v1/payments/${payment.payment_id}/${joint ? "summary" : "receipt"}.pdf`);
  const print = printButton(file, preview, message, { id: "print", label: joint ? "printSummary" : "printReceipt", signal });
  const parts = h("div", { class: "table-place" });
  fill(box,
    h("div", { class: "ending good" }, icon("check")),
    h("h1", { tabindex: "-1" }, t(joint ? "jointTitle" : "partTitle")),
    h("p", { class: "sentence" }, t(joint ? "jointLead" : "partLead")),
    paymentFacts(payment),
    h("div", { class: "actions" }, print,
      openButton(file, message, { id: "open-pdf", label: "openPdf" }),
      payment.agreement_id && h("button", { type: "button", class: "button quiet", onclick: () => go("agreement", payment.agreement_id) }, t("showAgreement")),
      h("button", { type: "button", class: "button quiet", onclick: newSearch }, t("nextVehicle"))),
    message, parts, preview);
  print.focus({ preventScroll: true });
  showPaper(preview, file, signal);
  if (joint) listParts(parts, payment, signal);
}

async function listParts(place, payment, signal, cursor = "0") {
  try {
    const answer = await call("GET", `/v1/payments/${payment.payment_id}/parts?cursor=${cursor}`);
    if (signal.aborted) return;
    place.append(h("ul", { class: "rows" }, answer.parts.map((part) => h("li", { class: "row" },
      h("bdi", {}, part.plate ? plateText(part.plate) : ""),
      h("span", { class: `verdict verdict-${part.status}` }, word("state", part.status)),
      h("span", { class: "number" }, money(part.amount_rial ?? "0")),
      part.certificate_id && h("a", { href: `#/certificate/${part.certificate_id}` }, t("certificate"))))));
    if (answer.cursor) await listParts(place, payment, signal, answer.cursor);
  } catch (problem) {
    if (!signal.aborted) place.append(problemBox(problem));
  }
}
