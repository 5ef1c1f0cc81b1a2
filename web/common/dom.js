// Elements from data, never from markup: text stays text, whatever the server sends.

/**
 * A new element. `props` holds attributes; `on…` functions become listeners, `class` and `dataset` work as
 * expected, `true` sets an empty attribute, `false`/`null`/`undefined` leaves it out.
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on") && typeof value === "function") node.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : String(child));
  }
}

/** The children of `node` are exactly `children`. */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  check: "M5 12.5l4.6 4.6L19.5 7",
  cross: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  warn: "M12 7.5v6M12 17v.01",
  question: "M8.8 9.2a3.3 3.3 0 1 1 4.9 2.9c-1.1.6-1.7 1.3-1.7 2.4M12 17.6v.01",
  search: "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.3 15.3L20 20",
  print: "M7 9V4h10v5M7 17H5a1.5 1.5 0 0 1-1.5-1.5v-5A1.5 1.5 0 0 1 5 9h14a1.5 1.5 0 0 1 1.5 1.5v5A1.5 1.5 0 0 1 19 17h-2M7 14h10v6H7z",
  open: "M13.5 5H19v5.5M19 5l-8 8M16.5 14v4.5H5.5V7.5H10",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  shield: "M12 3.5l7 2.6v5.3c0 4.3-2.8 7.5-7 9.1-4.2-1.6-7-4.8-7-9.1V6.1z",
  lock: "M7 11V8.5a5 5 0 0 1 10 0V11M5.5 11h13v9h-13z",
  menu: "M4 7h16M4 12h16M4 17h16",
  down: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 2",
  card: "M3.5 6h17v12h-17zM3.5 10h17",
};

/** A line icon that inherits colour and size from the text around it; hidden from assistive technology. */
export function icon(name, className = "icon") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
