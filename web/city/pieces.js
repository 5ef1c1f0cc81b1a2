// Small pieces that the console's sections are made of.
import { fill, h, icon } from "/common/dom.js";
import { dateTime, language, money } from "/common/text.js";
import { t } from "/common/desk/messages.js";
import { loading, retryBox, word } from "/common/desk/shell.js";

/** An amount with its unit in words. */
export function rial(amount) {
  return h("span", { class: "amount" }, h("span", { class: "number" }, money(amount)), " ", h("small", {}, t("rial")));
}

/** A state as a word on its colour: `set` names the words, `value` the state. */
export function verdict(set, value, id = null) {
  return h("span", { class: `verdict verdict-${value}`, id }, word(set, value));
}

/** Label and value for what is read; pairs without a value are left out. */
export function facts(...pairs) {
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "")
    .map(([label, value]) => [h("dt", {}, label), h("dd", {}, value)]));
}

/** A table in a frame of its own that scrolls where it is too wide; `rows` are `tr`s. */
export function table(caption, heads, rows) {
  return h("div", { class: "table-place", tabindex: "0", role: "region", "aria-label": caption }, h("table", { class: "table" },
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, rows)));
}

/** A field with its label and, if need be, a word of help below it. */
export function field(label, input, hint = null) {
  if (hint) input.setAttribute("aria-describedby", `${input.id}-hint`);
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input, hint && h("p", { class: "hint soft", id: `${input.id}-hint` }, hint));
}

export function notice(kind, ...content) {
  const sign = { good: "check", warn: "warn", bad: "warn" }[kind];
  return h("div", { class: `notice notice-${kind}`, role: kind === "bad" ? "alert" : "status" }, icon(sign), h("div", {}, content));
}

const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

/** "in 3 days", "2 hours ago", in the page's language. */
export function fromNow(instant, now = Date.now()) {
  const away = new Date(instant).getTime() - now;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(away) >= length) ?? UNITS[2];
  return new Intl.RelativeTimeFormat(language(), { numeric: "auto" }).format(Math.trunc(away / size), unit);
}

/** An instant and how far away it is. */
export function when(instant) {
  return h("span", {}, h("time", { datetime: instant }, dateTime(instant)), h("small", { class: "soft" }, ` (${fromNow(instant)})`));
}

/** `place` holds what `draw` makes of the answer that `read` brings; until then that it waits, and a button where it failed. */
export async function filled(place, signal, read, draw) {
  fill(place, loading());
  try {
    const answer = await read();
    if (!signal.aborted) fill(place, draw(answer));
  } catch (problem) {
    if (!signal.aborted) fill(place, retryBox(problem, () => filled(place, signal, read, draw)));
  }
}
