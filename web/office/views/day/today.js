// The office's day: every payment it began with its state, its terminals, and the refunds that a city was asked for.
import { fill, h } from "/common/dom.js";
import { plateText } from "/common/plate.js";
import { clock, digits, jalaliText, money, sumRial } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { announce, busy, cityName, cityOptions, loading, problemBox, state, word } from "../../shell.js";
import { t } from "../../messages.js";

export async function todayView(main, { signal }) {
  const day = h("section", { class: "card wide" }, loading(t("loading")));
  const terminals = h("section", { class: "card" });
  const refunds = h("section", { class: "card" });
  fill(main, h("div", { class: "day" }, day, h("div", { class: "day-side" }, terminals, refunds)));
  drawRefunds(refunds, signal);
  await Promise.all([drawDay(day, signal), drawTerminals(terminals, signal)]);
}

async function drawDay(place, signal) {
  const again = () => drawDay(place, signal);
  let answer;
  try {
    answer = await call("GET", "/v1/payments");
  } catch (problem) {
    if (!signal.aborted) fill(place, h("h1", {}, t("dayTitle")), problemBox(problem, h("button", { type: "button", class: "button", onclick: again }, t("retry"))));
    return;
  }
  if (signal.aborted) return;
  const rows = h("tbody", {});
  const sums = h("p", { class: "soft", id: "day-sums" });
  const shown = [];
  const add = (payments) => {
    shown.push(...payments);
    rows.append(...payments.map(paymentRow));
    const settled = shown.filter((one) => one.status === "settled");
    fill(sums, t("dayCount", { count: digits(shown.length), settled: digits(settled.length) }), " · ", t("daySum"), ": ",
      h("span", { class: "number" }, money(sumRial(settled.map((one) => one.amount_rial)))), " ", t("rial"));
  };
  add(answer.payments);
  const refresh = h("button", { type: "button", class: "button quiet", id: "refresh-day" }, t("dayRefresh"));
  refresh.addEventListener("click", () => busy(refresh, t("working"), again));
  fill(place,
    h("div", { class: "quote-head" }, h("div", {}, h("h1", { tabindex: "-1" }, t("dayTitle")), h("p", { class: "soft" }, t("dayOf"), " ", jalaliText(answer.day_jalali)), sums), refresh),
    shown.length === 0
      ? h("p", { class: "empty" }, t("dayEmpty"))
      : h("div", { class: "table-place", tabindex: "0", role: "region", "aria-label": t("dayTitle") }, h("table", { class: "table" },
        h("caption", { class: "visually-hidden" }, t("dayTitle")),
        h("thead", {}, h("tr", {}, ["time", "plateHead", "city", "payBy", "amount", "stateHead", "terminal"].map((head) => h("th", { scope: "col" }, t(head))))), rows)),
    answer.cursor && moreButton(answer.cursor, add));
  announce(sums.textContent);
}

function moreButton(first, add) {
  let cursor = first;
  const button = h("button", { type: "button", class: "button", id: "more-payments" }, t("more"));
  button.addEventListener("click", async () => {
    try {
      const next = await busy(button, t("working"), () => call("GET", `/v1/payments?cursor=${cursor}`));
      add(next.payments);
      cursor = next.cursor;
      if (!cursor) button.remove();
    } catch (problem) {
      button.before(problemBox(problem));
    }
  });
  return button;
}

function paymentRow(payment) {
  const plate = payment.plate ? plateText(payment.plate) : t("vehicles", { count: digits(payment.parts ?? 0) });
  return h("tr", { dataset: { payment: payment.payment_id } },
    h("td", {}, h("span", { class: "number" }, clock(payment.created_at))),
    h("td", {}, h("a", { href: `#/payment/${payment.payment_id}`, "aria-label": t("openPayment", { plate }) }, h("bdi", {}, plate))),
    h("td", {}, payment.municipality && h("span", { dataset: { city: payment.municipality } }, cityName(payment.municipality))),
    h("td", {}, word("channel", payment.channel)),
    h("td", {}, h("span", { class: "number" }, money(payment.amount_rial))),
    h("td", {}, h("span", { class: `verdict verdict-${payment.status}` }, word("state", payment.status))),
    h("td", {}, h("bdi", {}, payment.terminal ?? "")));
}

async function drawTerminals(place, signal) {
  try {
    const answer = await call("GET", "/v1/terminals");
    if (signal.aborted) return;
    state.terminals = answer.terminals;
    fill(place, h("h2", {}, t("terminalsTitle")),
      answer.terminals.length === 0 && h("p", { class: "empty" }, t("noTerminals")),
      h("ul", { class: "rows" }, answer.terminals.map((one) => h("li", { class: "row" },
        h("bdi", { class: "number" }, one.terminal_id), h("span", { class: "soft" }, one.acquirer),
        h("a", { href: `#/closing/${one.terminal_id}` }, t("closeDay"))))));
  } catch (problem) {
    if (!signal.aborted) fill(place, h("h2", {}, t("terminalsTitle")), problemBox(problem));
  }
}

function drawRefunds(place, signal) {
  const list = h("div", { "aria-live": "polite" });
  const city = h("select", { id: "refund-city" }, cityOptions());
  const button = h("button", { class: "button", id: "show-refunds" }, t("showRefunds"));
  const show = async (event) => {
    event.preventDefault();
    try {
      const answer = await busy(button, t("working"), () => call("GET", `/v1/municipalities/${city.value}/refunds`));
      if (!signal.aborted) fill(list, answer.refunds.length === 0 ? h("p", { class: "empty" }, t("noRefunds")) : h("ul", { class: "rows" }, answer.refunds.toReversed().map(refundRow)));
    } catch (problem) {
      if (!signal.aborted) fill(list, problemBox(problem));
    }
  };
  fill(place, h("h2", {}, t("refundsTitle")), h("form", { class: "inline-field", onsubmit: show }, h("label", { for: "refund-city" }, t("refundsOf")), city, button), list);
}

function refundRow(refund) {
  return h("li", { class: "row" },
    h("bdi", {}, refund.plate ? plateText(refund.plate) : ""),
    h("span", {}, h("span", { class: "number" }, money(refund.amount_rial)), " ", t("rial")),
    h("span", { class: `verdict verdict-${refund.status}` }, word("refund", refund.status)),
    h("small", { class: "soft" }, h("bdi", {}, refund.requested_by), " · ", h("bdi", {}, refund.reason)));
}
