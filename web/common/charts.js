// Charts in SVG, drawn by hand: columns over time, and tables whose rows carry a bar. Each has its numbers as a table.
import { h } from "./dom.js";
import { language } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes and children. */
export function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children.flat().filter((child) => child !== null));
  return node;
}

/** How large a part is of the largest, from 0 to 1000; amounts are BigInt, so that no rial is lost on the way. */
export function permille(part, whole) {
  return whole > 0n && part > 0n ? Number((part * 1000n) / whole) : 0;
}

const WIDTH = 480;
const HEIGHT = 210;
const FLOOR = 172;
const TOP = 26;

/**
 * Columns in the order of time; in Persian it runs from right to left, as the text does.
 * `points` are {label, name, value (BigInt), shown}.
 */
export function columns(points, label) {
  const most = points.reduce((top, point) => (point.value > top ? point.value : top), 0n);
  const step = WIDTH / Math.max(points.length, 1);
  const wide = Math.min(step * 0.72, 46);
  const rotated = step < 38;
  const marks = points.map((point, place) => {
    const middle = step * ((language() === "fa" ? points.length - 1 - place : place) + 0.5);
    const tall = ((FLOOR - TOP) * permille(point.value, most)) / 1000;
    const below = rotated
      ? { x: middle, y: FLOOR + 12, "text-anchor": "end", transform: `rotate(-42 ${middle} ${FLOOR + 12})` }
      : { x: middle, y: FLOOR + 18, "text-anchor": "middle" };
    return s("g", {},
      s("rect", { class: "bar", x: middle - wide / 2, y: FLOOR - tall, width: wide, height: Math.max(tall, 0.5), rx: 3 }, s("title", {}, `${point.name}: ${point.shown}`)),
      step >= 30 ? s("text", { class: "value", x: middle, y: FLOOR - tall - 6, "text-anchor": "middle" }, point.shown) : null,
      s("text", below, point.label));
  });
  return s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, direction: "ltr" },
    s("line", { class: "axis", x1: 0, x2: WIDTH, y1: FLOOR, y2: FLOOR }), ...marks);
}

/** A bar alone, as long as `value` is of `most`. */
export function line(value, most) {
  const wide = permille(value, most) / 10;
  return s("svg", { class: "barline", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" },
    s("rect", { class: "back", x: 0, y: 0, width: 100, height: 10 }),
    s("rect", { class: "bar", x: language() === "fa" ? 100 - wide : 0, y: 0, width: wide, height: 10 }));
}

/** A table whose rows carry a bar; `rows` are {name, value (BigInt), cells: [text…]}. */
export function bars(rows, headings, caption) {
  const most = rows.reduce((top, row) => (row.value > top ? row.value : top), 0n);
  return h("table", {},
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, headings[0]), h("td", { class: "line" }),
      headings.slice(1).map((heading) => h("th", { scope: "col", class: "amount" }, heading)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.name), h("td", { class: "line" }, line(row.value, most)),
      row.cells.map((cell) => h("td", { class: "amount" }, cell))))));
}

/** A plain table behind a chart, closed until asked for; `summary` is what asks for it. */
export function behind(headings, rows, caption, summary) {
  return h("details", {}, h("summary", {}, summary),
    h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption }, h("table", {},
      h("caption", { class: "visually-hidden" }, caption),
      h("thead", {}, h("tr", {}, headings.map((heading, place) => h("th", { scope: "col", class: place ? "amount" : null }, heading)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, place) => (place ? h("td", { class: "amount" }, cell) : h("th", { scope: "row" }, cell)))))))));
}
