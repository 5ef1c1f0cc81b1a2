// Starting, resuming and cancelling a payment. The idempotency key of a quote outlives a broken connection.
import { fill, h, icon } from "/common/dom.js";
import { digits } from "/common/text.js";
import { forget, once } from "/common/desk/attempts.js";
import { call } from "/common/desk/api.js";
import { go } from "../../shell.js";
import { t } from "../../messages.js";

const OPEN_KEY = "avarez.payment";
const pageKey = (paymentId) => `avarez.page.${paymentId}`;

/**
 * Creates a payment of `target` (`{assessment_id}`, `{assessment_ids}` or `{agreement_id}`) and goes on to where it is
 * paid: the gateway's page, or the view of the payment. Throws Problem when refused.
 */
export async function startPayment(target, channel, { terminal = "", supersedeBill = false } = {}) {
  const name = `${nameOf(target)}.${channel}.${terminal}${supersedeBill ? ".superseding" : ""}`;
  const body = {
    ...target,
    channel,
    ...(channel === "gateway" ? { return_url: `${location.origin}/?returned=1` } : {}),
    ...(terminal ? { terminal } : {}),
    ...(supersedeBill ? { supersede_bill: true } : {}),
  };
  const payment = await once(name, "POST", "/v1/payments", body, { lasting: true });
  sessionStorage.setItem(OPEN_KEY, payment.payment_id);
  if (payment.redirect_url) sessionStorage.setItem(pageKey(payment.payment_id), payment.redirect_url);
  if (!payment.redirect_url || payment.status === "settled") return go("payment", payment.payment_id);
  leaveFor(payment.redirect_url);
  return undefined;
}

const nameOf = (target) => target.agreement_id ?? target.assessment_id ?? `${target.assessment_ids[0]}-${target.assessment_ids.length}`;

/** The next payment of this quote is a new one, not a repetition. */
export function forgetAttempt(assessmentId) {
  forget(assessmentId);
}

/** The gateway's page of a payment that this tab started, or null. */
export function gatewayPage(paymentId) {
  return sessionStorage.getItem(pageKey(paymentId));
}

export function leaveFor(url) {
  if (!/^https?:/.test(url)) throw new Error("a gateway's page is a web address");
  location.assign(url);
}

export async function cancelPayment(paymentId) {
  const payment = await call("POST", `/v1/payments/${paymentId}/cancellations`, { body: {} });
  for (const id of [payment.assessment_id, payment.agreement_id]) if (id) forgetAttempt(id);
  return payment;
}

/** The box of a locked duty: counts down, and lets the owner of the payment resume or cancel it. */
export function lockedBox(problem, { signal, onFree, onCancel }) {
  const own = problem.body.payment_id ?? null;
  const page = own && (problem.body.redirect_url ?? gatewayPage(own));
  const left = h("p", { id: "locked-left", role: "timer" });
  const until = Date.parse(problem.body.locked_until_at);
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    if (seconds > 0) {
      const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      return fill(left, ...parts(t("lockedText", { left: "\u0000" }), h("b", { class: "number" }, digits(clock))));
    }
    clearInterval(timer);
    fill(left, t("lockedFree"));
    return onFree();
  };
  const timer = Number.isNaN(until) ? 0 : setInterval(tick, 1000);
  signal.addEventListener("abort", () => clearInterval(timer));
  const box = h("div", { class: "notice notice-warn locked", role: "alert" }, icon("lock"),
    h("div", {}, h("p", {}, h("b", {}, t("lockedTitle"))), own && h("p", {}, t("lockedOwn")), left),
    own && h("div", { class: "actions" },
      h("button", { type: "button", class: "button", onclick: () => (page ? leaveFor(page) : go("payment", own)) }, t("resume")),
      h("button", { type: "button", class: "button quiet", onclick: (event) => onCancel(own, event.currentTarget) }, t("cancelPayment"))));
  if (timer) tick();
  return box;
}

function parts(text, element) {
  const [before, after] = text.split("\u0000");
  return [before, element, after];
}
