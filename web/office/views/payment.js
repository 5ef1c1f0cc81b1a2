// After the gateway: follows the payment until the certificate is there, without asking more often than is useful.
import { fill, h, icon } from "/common/dom.js";
import { money } from "/common/text.js";
import { call, pause } from "../api.js";
import { announce, busy, go, newSearch, problemBox, state } from "../shell.js";
import { t } from "../messages.js";
import { cancelPayment, forgetAttempt, gatewayPage, leaveFor } from "../paying.js";

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
      if (payment.status === "settled" && payment.certificate_id) {
        const certificate = await call("GET", `/v1/certificates/${payment.certificate_id}`).catch((problem) => {
          if (problem.code === "certificate_in_preparation" || problem.status === 404) return null;
          throw problem;
        });
        if (signal.aborted) return undefined;
        if (certificate && (certificate.status ?? "in_force") !== "preparing") {
          state.certificate = certificate;
          sessionStorage.removeItem("avarez.payment");
          return go("certificate", payment.certificate_id);
        }
      }
    } catch (problem) {
      if (!signal.aborted) fill(box, problemBox(problem, button("checkNow", () => follow(box, id, signal))));
      return undefined;
    }
    if (signal.aborted) return undefined;
    if (payment.status !== shown) draw(box, payment, signal);
    shown = payment.status;
    if (!OPEN.includes(payment.status) && payment.status !== "settled") return undefined;
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

function draw(box, payment, signal) {
  const { status } = payment;
  const step = { created: 1, pending: 1, verifying: 1, settled: 3 }[status];
  const sentence = t(`status.${status}`);
  announce(sentence);
  if (step === undefined) return drawEnd(box, payment, sentence);
  const steps = ["stepStarted", "stepGateway", "stepSettled", "stepCertificate"];
  const page = gatewayPage(payment.payment_id) ?? payment.redirect_url;
  return fill(box,
    h("h1", {}, t("paymentTitle")),
    h("ol", { class: "steps" }, steps.map((name, index) => {
      const now = index === step;
      return h("li", { class: index < step ? "done" : now ? "now" : "", "aria-current": now ? "step" : null },
        h("span", { class: "dot" }, index < step ? icon("check") : now ? h("span", { class: "spinner", "aria-hidden": "true" }) : null), t(name));
    })),
    h("p", { class: "sentence" }, sentence),
    facts(payment),
    ["created", "pending"].includes(status) && h("div", { class: "actions" },
      page && button("gatewayPage", () => leaveFor(page)),
      h("button", { type: "button", class: "button quiet", id: "cancel-payment", onclick: (event) => cancel(event.currentTarget, box, payment, signal) }, t("cancelPayment"))));
}

function drawEnd(box, payment, sentence) {
  sessionStorage.removeItem("avarez.payment");
  const quote = payment.assessment_id ?? state.assessment?.assessment_id;
  if (quote) forgetAttempt(quote);
  const title = REVIEW.includes(payment.status) ? "paymentReviewTitle" : FAILED[payment.status] ?? "paymentTitle";
  fill(box,
    h("div", { class: `ending ${payment.status === "cancelled" ? "plain" : REVIEW.includes(payment.status) ? "warn" : "bad"}` }, icon(REVIEW.includes(payment.status) ? "warn" : "cross")),
    h("h1", {}, t(title)),
    h("p", { class: "sentence", role: "alert" }, sentence),
    facts(payment),
    h("div", { class: "actions" },
      FAILED[payment.status] && quote && h("button", { type: "button", class: "button primary", id: "back-to-quote", onclick: () => go("assessment", quote) }, t("backToQuote")),
      h("button", { type: "button", class: "button quiet", onclick: newSearch }, t("newSearch"))));
  box.querySelector("button")?.focus();
}

function facts(payment) {
  return h("dl", { class: "facts" },
    payment.amount_rial && [h("dt", {}, t("amount")), h("dd", {}, h("span", { class: "number" }, money(payment.amount_rial)), " ", t("rial"))],
    h("dt", {}, t("paymentId")), h("dd", { class: "id" }, payment.payment_id));
}

async function cancel(button, box, payment, signal) {
  try {
    const answer = await busy(button, t("working"), () => cancelPayment(payment.payment_id));
    if (!signal.aborted && answer.status && !OPEN.includes(answer.status)) draw(box, { ...payment, ...answer }, signal);
  } catch (problem) {
    if (!signal.aborted) box.append(problemBox(problem));
  }
}

function button(label, action) {
  return h("button", { type: "button", class: "button", onclick: action }, t(label));
}
