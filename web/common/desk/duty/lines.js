// The lines of a quote, year by year, each with "why?".
import { h, icon } from "/common/dom.js";
import { plateText } from "/common/plate.js";
import { digits, language, money, sumRial } from "/common/text.js";
import { t } from "../words/messages.js";
import { word } from "../page/shell.js";

/** Up to this many years stand open; more begin closed, so that the total stays in sight. */
const YEARS_OPEN_MAX = 2;

/** `details`, an element for each year in order, and `toggle`, a button that opens or closes all of them. */
export function yearLines(lines) {
  const groups = byYear(lines);
  const open = groups.filter(([year]) => year !== null).length <= YEARS_OPEN_MAX;
  const details = groups.map(([year, of]) => yearGroup(year, of, open));
  const toggle = h("button", { type: "button", class: "button quiet small", onclick: () => {
    const closed = details.some((item) => !item.open);
    for (const item of details) item.open = closed;
    toggle.textContent = t(closed ? "closeAll" : "openAll");
  } }, t(open ? "closeAll" : "openAll"));
  return { details, toggle };
}

/** That the city knows the car by another plate than the one it was asked for by: a car that moved. Else nothing. */
export function otherPlate(asked, quoted, city) {
  const key = (plate) => (typeof plate === "string" ? plate : plate?.key);
  if (!asked || key(asked) === key(quoted)) return null;
  return h("div", { class: "notice notice-warn", role: "status", id: "other-plate" }, icon("warn"),
    h("p", {}, t("otherPlate", { city, plate: `\u2068${plateText(quoted)}\u2069` })));
}

function byYear(lines) {
  const groups = new Map();
  for (const line of lines) {
    const year = line.kind === "rounding" ? null : line.year ?? null;
    if (!groups.has(year)) groups.set(year, []);
    groups.get(year).push(line);
  }
  return [...groups].sort(([a], [b]) => (a === null ? 1 : b === null ? -1 : a - b));
}

function yearGroup(year, lines, open) {
  const title = year === null ? t("wholeQuote") : t("year", { year: digits(year) });
  return h("details", { class: "year", open },
    h("summary", {}, h("span", { class: "year-title" }, title),
      h("span", { class: "kinds soft" }, [...new Set(lines.map((line) => word("kind", line.kind)))].join(language() === "fa" ? "، " : ", ")),
      h("b", { class: "number" }, money(sumRial(lines.map((line) => line.amount_rial))))),
    h("ul", {}, lines.map((line, index) => lineItem(line, year, index))));
}

function lineItem(line, year, index) {
  const id = `how-${year}-${line.kind}-${index}`;
  const arithmetic = h("div", { class: "arithmetic", id, hidden: true },
    h("p", {}, line[language() === "fa" ? "text_fa" : "text_en"]),
    h("p", { class: "soft" }, `${t("rule")}: `, h("bdi", {}, line.rule)));
  const how = h("button", { type: "button", class: "button quiet small", "aria-expanded": "false", "aria-controls": id,
    "aria-label": t("howLong", { kind: word("kind", line.kind), when: year === null ? t("wholeQuote") : t("year", { year: digits(year) }) }),
    onclick: () => {
      arithmetic.hidden = !arithmetic.hidden;
      how.setAttribute("aria-expanded", String(!arithmetic.hidden));
    } }, t("how"));
  return h("li", { class: `line line-${line.kind}` },
    h("span", { class: "line-kind" }, word("kind", line.kind)),
    h("span", { class: "law soft" }, h("bdi", {}, (language() === "fa" && line.law_fa) || line.law)),
    how,
    h("span", { class: "number" }, money(line.amount_rial)),
    arithmetic);
}
