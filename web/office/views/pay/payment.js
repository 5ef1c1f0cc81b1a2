// Follows a payment until its certificate is there, without asking more often than is useful; each channel has its view.
import { gatewayPage, leaveFor, stepList } from "/common/desk/duty/gateway.js";
import { fill, h, icon } from "/common/dom.js";
import { call, pause } from "/common/desk/service/api.js";
import { announce, busy, go, newSearch, problemBox, state } from "../../shell.js";
import { t } from "../../messages.js";
import { billView } from "./bill.js";
import { paymentFacts, settledView } from "./settled.js";
import { cancelPayment, forgetAttempt } from "./paying.js";
import { saleView } from "./sale.js";

/** The pauses between questions grow from the first to the last of these; after WAIT_MS the clerk decides. */
const PAUSE_FIRST_MS = 400;
const PAUSE_FACTOR = 1.5;
const PAUSE_MAX_MS = 5_000;
const WAIT_MS = 180_000;

const OPEN = ["created", "pending", "verifying"];
const FAILED = { failed: "paymentFailedTitle", cancelled: "paymentCancelledTitle", expired: "paymentExpiredTitle" };
const REVIEW = ["suspense", "refunding", "refunded"];

export async function paymentView(main, { id, signal }) {
  if (!id) return go("search");
  const box = h("section", { class: "card progress" });
  fill(main, box);
  return follow(box, id, signal);
}

async function follow(box, id, signal) {
  const started = Date.now();
  let wait = PAUSE_FIRST_MS;
  let shown = "";
  while (!signal.aborted) {
    let payment;
    try {
      payment = await call("GET", `/v1/payments/${id}`);
      if (await certified(payment, signal)) return undefined;
    } catch (problem) {
      if (!signal.aborted) fill(box, problemBox(problem, button("checkNow", () => follow(box, id, signal))));
      return undefined;
    }
    if (signal.aborted) return undefined;
    if (payment.status !== shown) draw(box, payment, signal);
    shown = payment.status;
    if (waitsForPeople(payment) || ended(payment)) return undefined;
    if (Date.now() - started > WAIT_MS) {
      box.append(h("div", { class: "notice notice-warn", role: "alert" }, icon("warn"), h("p", {}, t("stillWaiting")),
        h("div", { class: "actions" }, button("checkNow", () => follow(box, id, signal)))));
      return undefined;
    }
    await pause(wait);
    wait = Math.min(wait * PAUSE_FACTOR, PAUSE_MAX_MS);
  }
  return undefined;
}

/** Whether the payment's certificate is there: then the page goes on to it. */
async function certified(payment, signal) {
  if (payment.status !== "settled" || !payment.certificate_id) return false;
  const certificate = await call("GET", `/v1/certificates/${payment.certificate_id}`).catch((problem) => {
    if (problem.code === "certificate_in_preparation" || problem.status === 404) return null;
    throw problem;
  });
  if (signal.aborted) return true;
  if (!certificate || (certificate.status ?? "in_force") === "preparing") return false;
  state.certificate = certificate;
  sessionStorage.removeItem("avarez.payment");
  go("certificate", payment.certificate_id);
  return true;
}

/** A bill at the bank, a sale at the terminal: asking every few seconds would tell nothing new. */
function waitsForPeople(payment) {
  return ["bill", "pos"].includes(payment.channel) && OPEN.includes(payment.status);
}

function ended(payment) {
  return !OPEN.includes(payment.status) && !(payment.status === "settled" && payment.certificate_id);
}

function draw(box, payment, signal) {
  const { status, channel } = payment;
  const again = () => follow(box, payment.payment_id, signal);
  announce(waitsForPeople(payment) ? t(channel === "bill" ? "billTitle" : "saleTitle") : t(`status.${status}`));
  if (channel === "bill" && OPEN.includes(status)) return billView(box, payment, { signal, again });
  if (channel === "pos" && OPEN.includes(status)) return saleView(box, payment, { signal, again });
  if (status === "settled" && !payment.certificate_id) return settledView(box, payment, { signal });
  const step = { created: 1, pending: 1, verifying: 1, settled: 3 }[status];
  if (step === undefined) return drawEnd(box, payment, t(`status.${status}`));
  const steps = ["stepStarted", ["bill", "pos"].includes(channel) ? "stepMoney" : "stepGateway", "stepSettled", "stepCertificate"];
  const page = gatewayPage(payment.payment_id) ?? payment.redirect_url;
  return fill(box,
    h("h1", {}, t("paymentTitle")),
    stepList(steps, step),
    h("p", { class: "sentence" }, t(`status.${status}`)),
    paymentFacts(payment),
    ["created", "pending"].includes(status) && h("div", { class: "actions" },
      page && button("gatewayPage", () => leaveFor(page)),
      h("button", { type: "button", class: "button quiet", id: "cancel-payment", onclick: (event) => cancel(event.currentTarget, box, payment, signal) }, t("cancelPayment"))));
}

function drawEnd(box, payment, sentence) {
  sessionStorage.removeItem("avarez.payment");
  const quote = payment.assessment_id ?? state.assessment?.assessment_id;
  for (const id of [quote, payment.agreement_id]) if (id) forgetAttempt(id);
  const title = REVIEW.includes(payment.status) ? "paymentReviewTitle" : FAILED[payment.status] ?? "paymentTitle";
  const money = payment.status === "cancelled" && payment.channel === "bill" ? t("billGivenUp") : sentence;
  fill(box,
    h("div", { class: `ending ${payment.status === "cancelled" ? "plain" : REVIEW.includes(payment.status) ? "warn" : "bad"}` }, icon(REVIEW.includes(payment.status) ? "warn" : "cross")),
    h("h1", {}, t(title)),
    h("p", { class: "sentence", role: "alert" }, money),
    paymentFacts(payment),
    h("div", { class: "actions" },
      FAILED[payment.status] && payment.agreement_id && h("button", { type: "button", class: "button primary", onclick: () => go("agreement", payment.agreement_id) }, t("showAgreement")),
      FAILED[payment.status] && !payment.agreement_id && quote && h("button", { type: "button", class: "button primary", id: "back-to-quote", onclick: () => go("assessment", quote) }, t("backToQuote")),
      h("button", { type: "button", class: "button quiet", onclick: newSearch }, t("newSearch"))));
  box.querySelector("button")?.focus();
}

async function cancel(pressed, box, payment, signal) {
  try {
    const answer = await busy(pressed, t("working"), () => cancelPayment(payment.payment_id));
    if (!signal.aborted && answer.status && !OPEN.includes(answer.status)) draw(box, { ...payment, ...answer }, signal);
  } catch (problem) {
    if (!signal.aborted) box.append(problemBox(problem));
  }
}

function button(label, action) {
  return h("button", { type: "button", class: "button", onclick: action }, t(label));
}
