// Small pieces that the console's sections are made of.
import { fill, h, icon } from "/common/dom.js";
import { dateTime, language, money } from "/common/text.js";
import { t } from "/common/desk/words/messages.js";
import { dropDraft, keepDraft } from "/common/desk/page/drafts.js";
import { busy, loading, problemBox, retryBox, word } from "/common/desk/page/shell.js";

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

/** From how much on a distance is told in which unit: hours up to two days, so that no deadline is rounded away. */
const UNITS = [["day", 86_400_000, 2], ["hour", 3_600_000, 1], ["minute", 60_000, 0]];

/** "in 3 days", "2 hours ago", in the page's language. */
export function fromNow(instant, now = Date.now()) {
  const away = new Date(instant).getTime() - now;
  const [unit, size] = UNITS.find(([, length, from]) => Math.abs(away) >= length * from);
  return new Intl.RelativeTimeFormat(language()).format(Math.round(away / size), unit);
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

/**
 * A form whose content is sent once: it keeps what was typed whatever comes back, says in words what is wrong, and takes no second
 * press meanwhile. `check(values)` gives `[field, sentence]` or null, `send(values)` the answer for `done`.
 */
export function sendForm(name, { fields, action, check = () => null, send, done, primary = true }) {
  const message = h("div", { class: "form-message" });
  const button = h("button", { class: `button ${primary ? "primary" : ""}`, id: `${name}-send` }, action);
  let ours = false; // the sentence is the page's own, and goes with the next letter
  const form = h("form", { class: "stack", id: name, novalidate: true }, fields, message, h("div", { class: "actions" }, button));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const values = Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, String(value).trim()]));
    const wrong = check(values);
    ours = Boolean(wrong);
    if (wrong) {
      fill(message, notice("bad", wrong[1]));
      form.elements[wrong[0]].focus();
      return;
    }
    fill(message);
    try {
      const answer = await busy(button, t("working"), () => send(values));
      dropDraft(name);
      done(answer);
    } catch (problem) {
      fill(message, problemBox(problem));
      message.scrollIntoView({ block: "nearest" });
    }
  });
  form.addEventListener("input", () => ours && fill(message));
  return keepDraft(form, name);
}

/** The sentence for a reason that is none, or null; every reason is written into the city's chain. */
export function reasonMissing(values) {
  return values.reason.length < 3 ? ["reason", t("needReason")] : null;
}

export function reasonField(id, label = t("reason")) {
  return field(label, h("input", { id, name: "reason", dir: "auto", maxlength: 500, autocomplete: "off" }), t("reasonHint"));
}

/** Something that is shown this once: the text, a button that copies it, and the word that it does not come again. */
export function shownOnce(id, text, says) {
  const copied = h("span", { role: "status" });
  const box = h("input", { id, class: "secret", dir: "ltr", readonly: true, value: text, "aria-label": says });
  const copy = async () => {
    box.select();
    try {
      await navigator.clipboard.writeText(text);
      fill(copied, t("copiedWord"));
    } catch {
      fill(copied, t("copyByHand"));
    }
  };
  return h("div", { class: "notice notice-warn", role: "status" }, icon("warn"), h("div", {},
    h("p", {}, h("b", {}, says), " ", t("onceOnly")), box,
    h("p", {}, h("button", { type: "button", class: "button small", onclick: copy }, icon("copy"), t("copyWord")), " ", copied)));
}

/** What follows is of the section `name`: a way back to it, the title, and the content. */
export function subpage(main, name, back, title, ...content) {
  fill(main, h("p", { class: "back" }, h("a", { href: `#/${name}` }, back)), h("h1", { tabindex: "-1" }, title), content);
  main.querySelector("h1").focus({ preventScroll: true });
}
