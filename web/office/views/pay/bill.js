// A bill: its ids and its slip, printed and handed over; the bank tells a day later that it was paid.
import { fill, h, icon } from "/common/dom.js";
import { digits, longDate, money } from "/common/text.js";
import { busy, newSearch, problemBox } from "../../shell.js";
import { t } from "../../messages.js";
import { madePaper, openButton, printButton, showPaper } from "/common/desk/page/pdf.js";
import { cancelPayment } from "./paying.js";

export function billView(box, payment, { signal, again }) {
  const message = h("div", { class: "form-message" });
  const preview = h("div", { class: "preview" });
  const file = madePaper(`/v1/payments/${payment.payment_id}/slip.pdf`);
  const print = printButton(file, preview, message, { id: "print", label: "printSlip", signal });
  const give_up = h("button", { type: "button", class: "button quiet", id: "cancel-payment" }, t("giveUpBill"));
  give_up.addEventListener("click", async () => {
    try {
      await busy(give_up, t("working"), () => cancelPayment(payment.payment_id));
      again();
    } catch (problem) {
      fill(message, problemBox(problem));
    }
  });
  fill(box,
    h("h1", { tabindex: "-1" }, t("billTitle")),
    h("p", { class: "sentence" }, t("billLead", { date: longDate(payment.expires_at) })),
    h("dl", { class: "facts slip" },
      h("dt", {}, t("billId")), h("dd", { class: "code-big", id: "bill-id" }, digits(payment.bill_id)),
      h("dt", {}, t("paymentCode")), h("dd", { class: "code-big", id: "payment-code" }, digits(payment.payment_code)),
      h("dt", {}, t("amount")), h("dd", {}, h("span", { class: "number" }, money(payment.amount_rial)), " ", t("rial")),
      h("dt", {}, t("payUntil")), h("dd", {}, longDate(payment.expires_at))),
    h("div", { class: "actions" }, print,
      openButton(file, message, { id: "open-pdf", label: "openPdf" }),
      h("button", { type: "button", class: "button quiet", onclick: again }, t("checkNow")),
      give_up,
      h("button", { type: "button", class: "button quiet", onclick: newSearch }, icon("search"), t("nextVehicle"))),
    message,
    h("p", { class: "notice notice-warn" }, t("billWaits")),
    preview);
  print.focus({ preventScroll: true });
  showPaper(preview, file, signal);
}
