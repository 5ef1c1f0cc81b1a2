// A sale at the terminal: what to tell it, what its slip says, and what to do while nobody knows.
import { fill, h, icon } from "/common/dom.js";
import { asciiDigits, digits, money } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { busy, go, newSearch, problemBox } from "../../shell.js";
import { t } from "../../messages.js";

export function saleView(box, payment, { again }) {
  const message = h("div", { class: "form-message" });
  const typed = payment.status === "verifying" && payment.typed_by;
  const sale = { payment, message, again };
  fill(box,
    h("h1", { tabindex: "-1" }, t(typed ? "secondLookTitle" : "saleTitle")),
    h("p", { class: "sentence" }, typed ? t("secondLookLead", { who: payment.typed_by }) : t("saleLead")),
    h("dl", { class: "facts tell" },
      h("dt", {}, t("terminal")), h("dd", {}, h("bdi", { class: "code-big" }, payment.terminal)),
      h("dt", {}, t("amount")), h("dd", {}, h("span", { class: "number code-big", id: "terminal-amount" }, money(payment.amount_rial)), " ", t("rial")),
      h("dt", {}, t("orderId")), h("dd", { class: "id" }, payment.payment_id)),
    slipForm(sale, typed),
    message,
    !typed && doubt(sale),
    h("div", { class: "actions" },
      h("button", { type: "button", class: "button quiet", onclick: again }, t("checkNow")),
      h("button", { type: "button", class: "button quiet", onclick: newSearch }, icon("search"), t("newSearch"))));
  box.querySelector("input").focus({ preventScroll: true });
}

// The amount is not filled in beforehand: it has to come from the slip, or two readings would prove nothing.
function slipForm(sale, typed) {
  const { payment } = sale;
  const reference = field("reference", "slipReference", { minlength: 4, maxlength: 20 });
  const amount = field("amount", "slipAmount", { maxlength: 20 });
  const tracking = field("tracking", "slipTracking", { maxlength: 20 }, false);
  const card = field("card", "slipCard", { maxlength: 19 }, false);
  const button = h("button", { class: "button primary", id: "enter-slip" }, t(typed ? "confirmSlip" : "enterSlip"));
  const submit = async (event) => {
    event.preventDefault();
    const missing = [reference, amount].find((one) => !number(one));
    if (missing) {
      fill(sale.message, h("p", { class: "notice notice-bad", role: "alert" }, t("needSlip")));
      return missing.input.focus();
    }
    const read = { reference: number(reference), amount_rial: number(amount) };
    const extra = { ...(number(tracking) ? { tracking: number(tracking) } : {}), ...(card.input.value.trim() ? { masked_card: maskedCard(card.input.value) } : {}) };
    return act(sale, button, typed
      ? ["pos-confirmations", read]
      : ["pos-results", { result: "approved", entered: "by_hand", ...read, ...extra }]);
  };
  return h("form", { class: "slip-form", onsubmit: submit, novalidate: true, autocomplete: "off" },
    h("h2", {}, t(typed ? "slipAgain" : "slipTitle")),
    h("div", { class: "grid" }, reference.node, amount.node, !typed && [tracking.node, card.node]),
    h("div", { class: "actions" }, button,
      !typed && h("button", { type: "button", class: "button", id: "declined", onclick: (event) => act(sale, event.currentTarget, ["pos-results", { result: "declined" }]) }, t("declined"))),
    h("p", { class: "soft small-print" }, t(typed ? "slipMustAgree" : "slipNeedsTwo"), payment.typed_by && !typed ? ` ${payment.typed_by}` : ""));
}

/** Nobody knows whether the card was charged: what the clerk can do, from the best to the last. */
function doubt(sale) {
  const { payment } = sale;
  const release = h("button", { type: "button", class: "button", id: "release", onclick: (event) => act(sale, event.currentTarget, ["releases", {}]) }, t(payment.released_by ? "releaseSecond" : "releaseFirst"));
  return h("details", { class: "more", open: Boolean(payment.released_by) }, h("summary", {}, t("doubtTitle")),
    h("ol", { class: "advice" }, ["doubtSlip", "doubtWait", "doubtRelease"].map((key) => h("li", {}, t(key)))),
    payment.released_by && h("p", { class: "notice notice-warn" }, t("releasedBy", { who: payment.released_by })),
    h("div", { class: "actions" }, release,
      h("button", { type: "button", class: "button quiet", onclick: () => go("closing", payment.terminal) }, t("toClosing"))));
}

async function act(sale, button, [step, body]) {
  fill(sale.message);
  try {
    await busy(button, t("working"), () => call("POST", `/v1/payments/${sale.payment.payment_id}/${step}`, { body }));
    return sale.again();
  } catch (problem) {
    fill(sale.message, problemBox(problem));
    return sale.message.scrollIntoView({ block: "nearest" });
  }
}

function field(name, label, attributes, required = true) {
  const input = h("input", { id: `slip-${name}`, name, dir: "ltr", inputmode: "numeric", spellcheck: "false", required, ...attributes });
  if (name === "amount") {
    input.addEventListener("input", () => {
      const plain = asciiDigits(input.value).replace(/\D/g, "");
      input.value = plain ? digits(plain.replace(/\B(?=(\d{3})+(?!\d))/g, ",")) : "";
    });
  }
  return { input, node: h("label", {}, h("span", {}, t(label)), input) };
}

const number = (one) => asciiDigits(one.input.value).replace(/\D/g, "");
const maskedCard = (text) => asciiDigits(text).replace(/[\s-]/g, "").replace(/[•xX]/g, "*");
