// The charts of this page: the common ones, with the page's own words.
import { behind as tableBehind, line } from "/common/charts.js";
import { h } from "/common/dom.js";
import { t } from "./words.js";

export { bars, columns, s } from "/common/charts.js";

/**
 * A table that sets two amounts of each row side by side, each with its bar; `rows` are {name, note, values: [BigInt…],
 * cells: [text…], strong}. A row that is `strong` is a total and carries no bar.
 */
export function pairs(rows, headings, caption) {
  const most = rows.filter((row) => !row.strong).flatMap((row) => row.values).reduce((top, value) => (value > top ? value : top), 0n);
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption }, h("table", { class: "pairs" },
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", {}, h("tr", {}, headings.map((heading, place) => h("th", { scope: "col", class: place ? "amount" : null }, heading)))),
    h("tbody", {}, rows.map((row) => h("tr", { class: row.strong ? "strong" : null },
      h("th", { scope: "row" }, row.name, row.note && h("small", {}, row.note),
        !row.strong && row.values.map((value, place) => h("span", { class: `pair pair-${place + 1}` }, line(value, most)))),
      row.cells.map((cell) => h("td", { class: "amount" }, cell)))))));
}

/** A plain table behind a chart, closed until asked for unless it is `open`. */
export function behind(headings, rows, caption, title = t("asTable"), open = false) {
  const made = tableBehind(headings, rows, caption, title);
  made.open = open;
  return made;
}
