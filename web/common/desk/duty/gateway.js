// A gateway's page: remembered by the tab that opened it, gone to, come back from, and what to do while a duty is locked.
import { fill, h, icon } from "/common/dom.js";
import { digits } from "/common/text.js";
import { t } from "../words/messages.js";
import { go } from "../page/shell.js";

const pageKey = (paymentId) => `avarez.page.${paymentId}`;

/** The tab remembers where this payment is paid. */
export function keepGatewayPage(payment) {
  if (payment.redirect_url) sessionStorage.setItem(pageKey(payment.payment_id), payment.redirect_url);
}

/** The gateway's page of a payment that this tab started, or null. */
export function gatewayPage(paymentId) {
  return sessionStorage.getItem(pageKey(paymentId));
}

export function leaveFor(url) {
  if (!/^https?:/.test(url)) throw new Error("a gateway's page is a web address");
  location.assign(url);
}

/** How far a payment is: the steps before `now` are done, the one at it is under way. */
export function stepList(names, now) {
  return h("ol", { class: "steps" }, names.map((name, index) =>
    h("li", { class: index < now ? "done" : index === now ? "now" : "", "aria-current": index === now ? "step" : null },
      h("span", { class: "dot" }, index < now ? icon("check") : index === now ? h("span", { class: "spinner", "aria-hidden": "true" }) : null), t(name))));
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
