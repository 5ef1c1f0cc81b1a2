// Follows a payment until its certificate is there, and says at each moment what is known and what is not.
import { call, pause } from "/common/desk/service/api.js";
import { forget } from "/common/desk/service/attempts.js";
import { gatewayPage, leaveFor, stepList } from "/common/desk/duty/gateway.js";
import { t } from "/common/desk/words/messages.js";
import { announce, busy, go, loading, problemBox } from "/common/desk/page/shell.js";
import { fill, h, icon } from "/common/dom.js";
import { money } from "/common/text.js";
import { car, PAYMENT_KEY } from "../car.js";

/** The pauses between questions grow from the first to the last of these; after WAIT_MS the owner decides. */
const PAUSE_FIRST_MS = 500;
const PAUSE_FACTOR = 1.5;
const PAUSE_MAX_MS = 5_000;
const WAIT_MS = 180_000;

const STEPS = ["stepStarted", "stepGateway", "stepSettled", "stepCertificate"];
const STEP_OF = { created: 1, pending: 1, verifying: 1, settled: 3 };
const FAILED = { failed: "paymentFailedTitle", cancelled: "paymentCancelledTitle", expired: "paymentExpiredTitle" };

export async function paymentView(main, { id, signal }) {
  if (!id) return go("car");
  const box = h("section", { class: "card progress" });
  fill(box, loading(t("loading")));
  fill(main, h("div", { class: "column" }, box));
  return follow(box, id, signal);
}

async function follow(box, id, signal) {
  const started = Date.now();
  let wait = PAUSE_FIRST_MS;
  let shown = "";
  const again = () => h("button", { type: "button", class: "button", onclick: () => follow(box, id, signal) }, t("checkNow"));
  while (!signal.aborted) {
    let payment;
    try {
      payment = await call("GET", `/v1/owner/payments/${id}`);
      if (await certified(payment, signal)) return undefined;
    } catch (problem) {
      if (signal.aborted) return undefined;
      if (problem.code === "payment_not_found") return lost(box, problem);
      return fill(box, h("h1", {}, t("paymentTitle")), problemBox(problem, again()), h("p", { class: "soft" }, t("moneySafe")));
    }
    if (signal.aborted) return undefined;
    if (payment.status !== shown) draw(box, payment, signal);
    shown = payment.status;
    if (STEP_OF[payment.status] === undefined) return undefined;
    if (Date.now() - started > WAIT_MS) {
      return box.append(h("div", { class: "notice notice-warn", role: "alert" }, icon("warn"), h("p", {}, t("stillWaiting")), h("div", { class: "actions" }, again())));
    }
    await pause(wait);
    wait = Math.min(wait * PAUSE_FACTOR, PAUSE_MAX_MS);
  }
  return undefined;
}

/** Whether the payment's certificate is there: then the page goes on to it. */
async function certified(payment, signal) {
  if (payment.status !== "settled" || !payment.certificate_id) return false;
  const certificate = await call("GET", `/v1/owner/certificates/${payment.certificate_id}`).catch((problem) => {
    if (problem.code === "certificate_in_preparation" || problem.status === 404) return null;
    throw problem;
  });
  if (signal.aborted) return true;
  if (!certificate || certificate.status === "preparing") return false;
  sessionStorage.removeItem(PAYMENT_KEY);
  Object.assign(car, { standing: null, quote: null });
  go("certificate", payment.certificate_id);
  return true;
}

function draw(box, payment, signal) {
  const { status } = payment;
  announce(t(`status.${status}`));
  const step = STEP_OF[status];
  if (step === undefined) return drawEnd(box, payment);
  const page = gatewayPage(payment.payment_id) ?? payment.redirect_url;
  return fill(box,
    h("h1", {}, t("paymentTitle")),
    stepList(STEPS, step),
    h("p", { class: "sentence" }, t(`status.${status}`)),
    facts(payment),
    h("p", { class: "soft" }, t("moneySafe")),
    ["created", "pending"].includes(status) && h("div", { class: "actions" },
      page && h("button", { type: "button", class: "button primary", id: "gateway-page", onclick: () => leaveFor(page) }, t("gatewayPage")),
      h("button", { type: "button", class: "button quiet", id: "cancel-payment", onclick: (event) => cancel(event.currentTarget, box, payment, signal) }, t("cancelPayment"))));
}

function drawEnd(box, payment) {
  over(payment);
  const failed = FAILED[payment.status];
  fill(box,
    h("div", { class: `ending ${payment.status === "cancelled" ? "plain" : failed ? "bad" : "warn"}` }, icon(failed ? "cross" : "warn")),
    h("h1", {}, t(failed ?? "paymentReviewTitle")),
    h("p", { class: "sentence", role: "alert" }, t(`status.${payment.status}`)),
    facts(payment),
    h("p", { class: "soft" }, t("officeHelpPayment")),
    h("div", { class: "actions" }, h("button", { type: "button", class: "button primary", id: "back-to-quote", onclick: backToCar }, t(failed ? "payAgain" : "myCar"))));
  box.querySelector("button").focus();
}

/** The next payment of this quote is a new one, not a repetition. */
function over(payment) {
  sessionStorage.removeItem(PAYMENT_KEY);
  if (payment.assessment_id) forget(payment.assessment_id);
}

function backToCar() {
  Object.assign(car, { standing: null, quote: null });
  go("car");
}

function lost(box, problem) {
  sessionStorage.removeItem(PAYMENT_KEY);
  fill(box, problemBox(problem, h("button", { type: "button", class: "button", onclick: backToCar }, t("myCar"))));
}

function facts(payment) {
  return h("dl", { class: "facts" },
    h("dt", {}, t("amount")), h("dd", {}, h("span", { class: "number" }, money(payment.amount_rial)), " ", t("rial")),
    payment.fee_rial && payment.fee_rial !== "0" && [h("dt", {}, t("feeNote")), h("dd", {}, h("span", { class: "number" }, money(payment.fee_rial)), " ", t("rial"))],
    payment.reference && [h("dt", {}, t("reference")), h("dd", {}, h("bdi", {}, payment.reference))],
    h("dt", {}, t("paymentId")), h("dd", { class: "id" }, payment.payment_id));
}

async function cancel(pressed, box, payment, signal) {
  try {
    const answer = await busy(pressed, t("working"), () => cancelPayment(payment.payment_id));
    if (!signal.aborted && STEP_OF[answer.status] === undefined) draw(box, { ...payment, ...answer }, signal);
  } catch (problem) {
    if (!signal.aborted) box.append(problemBox(problem));
  }
}

export async function cancelPayment(paymentId) {
  const payment = await call("POST", `/v1/owner/payments/${paymentId}/cancellations`, { body: {} });
  over(payment);
  return payment;
}
