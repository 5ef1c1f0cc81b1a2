// One daily close, from its opening to its closing balance, with what the bank says of it.
import { fill, h } from "/common/dom.js";
import { dateTime, digits, jalaliText } from "/common/text.js";
import { plateText } from "/common/plate.js";
import { call } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { word } from "/common/desk/page/shell.js";
import { facts, filled, notice, rial, table, verdict } from "../../pieces.js";
import { filesOf } from "./files.js";

const KINDS = ["payment", "refund", "correction", "paid_direct", "transfer"];
const LATE_SHOWN_MAX = 100;

export function drawClose(main, close, { signal, officer }) {
  const path = officer.here(`/settlements/${close.settlement_id}`);
  fill(main,
    h("p", { class: "back" }, h("a", { href: "#/closes" }, t("backToCloses"))),
    h("div", { class: "head" },
      h("div", {}, h("h1", { tabindex: "-1" }, t("closeOf", { day: jalaliText(close.day_jalali) })),
        h("p", { class: "soft" }, t("closeNumber", { number: digits(close.number), cutoff: dateTime(close.cutoff_at) }), close.early && ` · ${t("earlyMark")}`)),
      verdict("close", close.status, "close-status")),
    h("div", { class: "columns" },
      h("section", { class: "card wide" }, h("h2", {}, t("accountTitle")), account(close)),
      h("section", { class: "card", id: "transfer" }, h("h2", {}, t("transferTitle")), transfer(close), direct(close)),
      h("section", { class: "card", id: "files" }, h("h2", {}, t("filesTitle")), filesOf(close, path, officer, signal)),
      close.late.lines > 0 && h("section", { class: "card wide", id: "late" }, h("h2", {}, t("lateTitle")), h("p", { class: "soft" }, t("lateLead")), lateLines(close, path, signal)),
      h("section", { class: "card wide" }, h("h2", {}, t("proofTitle")), h("p", { class: "soft" }, t("proofLead")), proof(close))));
}

/** Each kind of line with its sums; the city's column leads from the opening to the closing balance. */
function account(close) {
  const amount = (rialText) => h("td", {}, rial(rialText));
  const balance = (label, rialText, id) => h("tr", { class: "balance" }, h("th", { scope: "row", colspan: 5 }, label), h("td", { id }, rial(rialText)));
  const kinds = KINDS.filter((kind) => close.sums[kind]);
  return table(t("accountTitle"), ["what", "countHead", "paidHead", "feeHead", "roundingHead", "cityHead"].map((key) => t(key)), [
    balance(t("opening"), close.opening_rial, "opening"),
    kinds.map((kind) => {
      const sum = close.sums[kind];
      return h("tr", { dataset: { kind } }, h("th", { scope: "row" }, word("line", kind)), h("td", {}, digits(sum.count)),
        amount(sum.paid_rial), amount(sum.fee_rial), amount(sum.rounding_rial), amount(sum.city_rial));
    }),
    balance(t("closingBalance"), close.closing_rial, "closing"),
  ]);
}

const SAYS = { matched: ["good", "bankYes"], differs: ["bad", "bankNo"], sent: ["warn", "bankOpen"], open: ["warn", "bankOpen"], waiting: ["warn", "bankAccount"] };

function transfer(close) {
  const of = close.transfer;
  if (!of) return close.direct.length === 0 && h("p", { class: "soft" }, t("noTransfer"));
  const [kind, says] = SAYS[of.status];
  return [
    notice(kind, t(says)),
    facts(
      [t("transferReference"), h("bdi", { class: "id" }, of.reference)],
      [t("transferAmount"), rial(of.amount_rial)],
      [t("toAccount"), of.iban && h("bdi", { class: "id" }, of.iban)],
      [t("sentOn"), of.sent_at && dateTime(of.sent_at)],
      [t("leftOurs"), rial(of.left_rial)],
      [t("arrived"), rial(of.arrived_rial)],
      [t("matchedOn"), of.matched_at && dateTime(of.matched_at)]),
  ];
}

function direct(close) {
  if (close.direct.length === 0) return null;
  return [
    h("h3", {}, t("directTitle")),
    h("ul", { class: "rows" }, close.direct.map((one) => h("li", { class: "row" },
      h("bdi", {}, one.operator), h("span", { class: "number" }, jalaliText(one.day_jalali)), rial(one.city_rial), verdict("close", one.status)))),
  ];
}

/** What happened on an earlier day, read from the first part of the statement. */
function lateLines(close, path, signal) {
  const place = h("div", {});
  filled(place, signal, () => call("GET", `${path}/statement.json`), ({ statement }) => {
    const late = statement.filter((line) => line.late);
    return [
      table(t("lateTitle"), ["happened", "kindHead", "plateHead", "referenceHead", "cityHead"].map((key) => t(key)), late.slice(0, LATE_SHOWN_MAX).map((line) =>
        h("tr", { dataset: { late: line.sequence } },
          h("td", {}, h("span", { class: "number" }, jalaliText(line.day_jalali))), h("td", {}, word("line", line.kind)),
          h("td", {}, h("bdi", {}, line.plate && plateText(line.plate))), h("td", {}, h("bdi", { class: "id" }, line.reference)), h("td", {}, rial(line.city_rial))))),
      close.late.lines > Math.min(late.length, LATE_SHOWN_MAX) && h("p", { class: "soft" }, t("lateMore")),
    ];
  });
  return place;
}

function proof(close) {
  const some = close.to_sequence >= close.from_sequence;
  const hash = (text) => text && h("bdi", { class: "id" }, text);
  return facts(
    [t("sequences"), some ? t("sequencesOf", { from: digits(close.from_sequence), to: digits(close.to_sequence) }) : t("noEvents")],
    [t("afterHash"), hash(close.after_hash)],
    [t("firstHash"), hash(close.first_hash)],
    [t("lastHash"), hash(close.last_hash)],
    [t("manifestHash"), hash(close.manifest_hash)],
    [t("closedAt"), dateTime(close.closed_at)],
    [t("closedBy"), close.closed_by === "schedule" ? t("bySystem") : h("bdi", {}, close.closed_by)]);
}
