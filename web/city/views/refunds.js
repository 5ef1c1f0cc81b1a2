// Refunds that were asked for: a second person decides, and enters the transfer where a gateway sends nothing back.
import { fill, h } from "/common/dom.js";
import { plateText } from "/common/plate.js";
import { dateTime, digits, yearRanges } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { confirmed } from "/common/desk/page/confirm.js";
import { addWords, t } from "/common/desk/words/messages.js";
import { announce, busy, problemBox, word } from "/common/desk/page/shell.js";
import { facts, field, filled, reasonField, reasonMissing, rial, sendForm, verdict } from "../pieces.js";
import { REFUNDS } from "../words/refunds.js";

addWords(REFUNDS);
/** Pages of the list that are read at most: the oldest are looked for by the payment. */
const PAGES_MAX = 20;
const WAITING = ["requested", "payable"];
/** The list that was chosen last, while the page is open. */
let which = "waiting";

export async function show(main, { signal, officer }) {
  const place = h("div", { class: "spaced", id: "refunds", "aria-live": "polite" });
  const choice = h("select", { id: "which", onchange: () => read() }, ["waiting", "all"].map((value) => h("option", { value, selected: value === which }, word("whichRefunds", value))));
  const read = () => {
    which = choice.value;
    return filled(place, signal, () => every(officer), (refunds) => list(refunds, { officer, again: read }));
  };
  fill(main, h("section", { class: "card" }, h("div", { class: "head" }, h("div", {}, h("h1", { tabindex: "-1" }, t("refundsTitle2")), h("p", { class: "soft" }, t("refundsLead"))), field(t("showRefundsOf"), choice)), place));
  main.querySelector("h1").focus({ preventScroll: true });
  await read();
}

/** The city's refunds, the newest first. */
async function every(officer) {
  const found = [];
  for (let page = 0, cursor = ""; page < PAGES_MAX && cursor !== null; page += 1) {
    const answer = await call("GET", officer.here(`/refunds${cursor && `?cursor=${cursor}`}`));
    found.push(...answer.refunds);
    cursor = answer.cursor;
  }
  return found.toReversed();
}

function list(refunds, shown) {
  const wanted = refunds.filter((one) => which === "all" || WAITING.includes(one.status));
  announce(`${t("refundsTitle2")}: ${digits(wanted.length)}`);
  return wanted.length === 0 ? h("p", { class: "empty" }, t("noRefundsHere")) : wanted.map((one) => card(one, shown));
}

function card(one, shown) {
  const years = one.years.map((part) => part.year);
  return h("article", { class: "change", dataset: { refund: one.refund_id } },
    h("div", { class: "head" }, h("h2", {}, one.plate ? h("bdi", {}, plateText(one.plate)) : t("ofSuspense")), verdict("refund", one.status)),
    facts(
      [t("refundAmount"), rial(one.amount_rial)], [t("refundYears"), years.length > 0 && yearRanges(years)],
      [t("refundWhy"), h("bdi", {}, one.reason)], [t("refundAsked"), h("span", {}, h("bdi", {}, one.requested_by), " · ", dateTime(one.requested_at))],
      [t("refundDecided"), one.decided_by && h("span", {}, h("bdi", {}, one.decided_by), " · ", dateTime(one.decided_at))],
      [t("refundPayment"), h("bdi", { class: "id" }, one.payment_id)],
      [t("bankReference"), one.bank_reference && h("bdi", { class: "id" }, one.bank_reference)]),
    shown.officer.can("refunds.approve") && steps(one, shown));
}

/** What this officer may do with it now. */
function steps(one, { officer, again }) {
  if (one.status === "payable") return transferForm(one, again);
  if (one.status !== "requested") return null;
  if (one.requested_by === officer.username) return h("p", { class: "soft" }, t("yourRefund"));
  const name = `reject-${one.refund_id}`;
  return [approval(one, again), h("details", { class: "more" }, h("summary", {}, t("rejectRefund")), sendForm(name, {
    fields: reasonField(`${name}-reason`), action: t("rejectRefund"), primary: false, check: reasonMissing,
    send: ({ reason }) => decided(one, "rejections", { reason }), done: again,
  }))];
}

function decided(one, step, body) {
  return call("POST", `/v1/refunds/${one.refund_id}/${step}`, { body });
}

function approval(one, again) {
  const message = h("div", { class: "form-message" });
  const approve = h("button", { type: "button", class: "button primary", dataset: { approveRefund: one.refund_id } }, t("approveRefund"));
  approve.addEventListener("click", async () => {
    fill(message);
    if (!(await confirmed({ title: t("approveRefundTitle"), text: t("approveRefundText"), action: t("approveRefund") }))) return approve.focus();
    try {
      await busy(approve, t("working"), () => decided(one, "approvals", {}));
      return again();
    } catch (problem) {
      if (problem.code === "refund_conflict") return again(); // decided meanwhile, perhaps by this very press whose answer was lost
      return fill(message, problemBox(problem));
    }
  });
  return [message, h("div", { class: "actions" }, approve)];
}

function transferForm(one, again) {
  const name = `transfer-${one.refund_id}`;
  return sendForm(name, {
    fields: field(t("bankReference"), h("input", { id: `${name}-reference`, name: "bank_reference", dir: "ltr", maxlength: 64, autocomplete: "off" }), t("transferHint")),
    action: t("enterTransfer"),
    check: (values) => (/^[A-Za-z0-9/_-]{4,64}$/.test(values.bank_reference) ? null : ["bank_reference", t("needBankReference")]),
    send: (values) => decided(one, "transfers", values), done: again,
  });
}
