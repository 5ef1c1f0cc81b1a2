// Starting, resuming and cancelling a payment. The idempotency key of a quote outlives a broken connection.
import { forget, once } from "/common/desk/service/attempts.js";
import { call } from "/common/desk/service/api.js";
import { keepGatewayPage, leaveFor } from "/common/desk/duty/gateway.js";
import { go } from "../../shell.js";

const OPEN_KEY = "avarez.payment";

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
  keepGatewayPage(payment);
  if (!payment.redirect_url || payment.status === "settled") return go("payment", payment.payment_id);
  leaveFor(payment.redirect_url);
  return undefined;
}

const nameOf = (target) => target.agreement_id ?? target.assessment_id ?? `${target.assessment_ids[0]}-${target.assessment_ids.length}`;

/** The next payment of this quote is a new one, not a repetition. */
export function forgetAttempt(assessmentId) {
  forget(assessmentId);
}

export async function cancelPayment(paymentId) {
  const payment = await call("POST", `/v1/payments/${paymentId}/cancellations`, { body: {} });
  for (const id of [payment.assessment_id, payment.agreement_id]) if (id) forgetAttempt(id);
  return payment;
}
