// Closing a terminal's day: its own list against what we have, and the variance that was booked.
import { fill, h, icon } from "/common/dom.js";
import { plateText } from "/common/plate.js";
import { asciiDigits, digits, jalaliText, money, sumRial, todayJalali } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { announce, busy, go, loading, problemBox, word } from "../../shell.js";
import { t } from "../../messages.js";

const LINES_MAX = 500;

export async function closingView(main, { id, signal }) {
  if (!id) return go("today");
  const again = () => closingView(main, { id, signal });
  fill(main, loading(t("loading")));
  try {
    const terminal = await call("GET", `/v1/terminals/${id}`);
    if (!signal.aborted) draw(main, terminal);
  } catch (problem) {
    if (!signal.aborted) fill(main, problemBox(problem, h("button", { type: "button", class: "button", onclick: again }, t("retry"))));
  }
  return undefined;
}

function draw(main, terminal) {
  const message = h("div", { class: "form-message" });
  const count = h("p", { class: "soft", id: "closing-count", "aria-live": "polite" });
  const lines = h("textarea", { id: "closing-lines", rows: 8, dir: "ltr", spellcheck: "false", placeholder: "700000000001 2,450,000" });
  const day = h("input", { id: "closing-day", dir: "ltr", value: jalaliText(todayJalali()), maxlength: 10 });
  const button = h("button", { class: "button primary big", id: "close-day" }, t("closeDay"));
  lines.addEventListener("input", () => {
    const { read } = readLines(lines.value);
    fill(count, t("closingCount", { count: digits(read.length), sum: money(sumRial(read.map((line) => line.amount_rial))) }));
  });
  const submit = async (event) => {
    event.preventDefault();
    const { read, bad } = readLines(lines.value);
    if (bad) {
      fill(message, h("p", { class: "notice notice-bad", role: "alert" }, t("closingBadLine", { line: digits(bad) })));
      return lines.focus();
    }
    fill(message);
    const body = { day_jalali: asciiDigits(day.value).trim().replaceAll("/", "-"), lines: read };
    try {
      const closing = await busy(button, t("working"), () => call("POST", `/v1/terminals/${terminal.terminal_id}/closings`, { body }));
      return drawClosed(main, closing);
    } catch (problem) {
      fill(message, problemBox(problem));
      return message.scrollIntoView({ block: "nearest" });
    }
  };
  fill(main, h("div", { class: "day" },
    h("section", { class: "card wide" },
      h("h1", { tabindex: "-1" }, t("closingTitle", { terminal: terminal.terminal_id })),
      h("p", { class: "soft" }, t("closingLead")),
      h("form", { class: "stack", onsubmit: submit },
        h("label", { class: "inline-field" }, h("span", {}, t("closingDay")), day),
        h("label", {}, h("span", {}, t("closingLines")), lines), count, message, h("div", { class: "actions" }, button))),
    h("section", { class: "card day-side" }, h("h2", {}, t("ourSales")),
      terminal.sales.length === 0 ? h("p", { class: "empty" }, t("noSales")) : h("ul", { class: "rows" }, terminal.sales.map(saleRow)))));
  lines.focus({ preventScroll: true });
}

function saleRow(sale) {
  return h("li", { class: "row" },
    h("a", { href: `#/payment/${sale.payment_id}` }, h("bdi", {}, sale.plate ? plateText(sale.plate) : sale.payment_id)),
    h("span", { class: "number" }, money(sale.amount_rial)),
    h("span", { class: `verdict verdict-${sale.status}` }, word("state", sale.status)));
}

/** Lines of "reference amount [order]" in any digits; the amount may be grouped, separators are blanks, tabs or semicolons. */
export function readLines(text) {
  const read = [];
  const rows = asciiDigits(text).split(/\r?\n/);
  for (const [index, row] of rows.entries()) {
    const cells = row.trim().split(/[\s;|]+/).filter(Boolean);
    if (cells.length === 0) continue;
    const [reference, grouped = "", order = ""] = cells;
    const amount = grouped.replace(/[,٬]/g, "");
    if (!/^\d{4,20}$/.test(reference) || !/^[1-9]\d{0,14}$/.test(amount) || read.length >= LINES_MAX) return { read, bad: index + 1 };
    read.push({ reference, amount_rial: amount, ...(order ? { order_id: order } : {}) });
  }
  return { read, bad: 0 };
}

function drawClosed(main, closing) {
  const even = BigInt(closing.variance_rial) === 0n;
  const rial = (amount) => h("span", {}, h("span", { class: "number" }, money(amount)), " ", t("rial"));
  fill(main, h("section", { class: "card progress" },
    h("div", { class: `ending ${even ? "good" : "warn"}` }, icon(even ? "check" : "warn")),
    h("h1", { tabindex: "-1" }, t("closedTitle")),
    h("dl", { class: "facts" },
      h("dt", {}, t("closingDay")), h("dd", {}, jalaliText(closing.day_jalali)),
      h("dt", {}, t("counted")), h("dd", {}, rial(closing.counted_rial)),
      h("dt", {}, t("ours")), h("dd", {}, rial(closing.ours_rial)),
      h("dt", {}, t("variance")), h("dd", { id: "variance" }, rial(closing.variance_rial))),
    h("p", { class: `notice notice-${even ? "good" : "warn"}` }, t(even ? "noVariance" : "varianceText")),
    h("div", { class: "actions" },
      h("button", { type: "button", class: "button primary", onclick: () => window.print() }, icon("print"), t("printPage")),
      h("button", { type: "button", class: "button quiet", onclick: () => go("today") }, t("navDay")))));
  announce(t("closedTitle"));
  main.querySelector("h1").focus({ preventScroll: true });
}
