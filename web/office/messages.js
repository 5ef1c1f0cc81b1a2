// The sentences of the office page; they stand in words/, each with Persian first and English second.
import { language } from "/common/text.js";
import { DAY } from "./words/day.js";
import { DESK } from "./words/desk.js";
import { ERRORS } from "./words/errors.js";
import { PAYING } from "./words/paying.js";
import { VOCABULARY } from "./words/vocabulary.js";

const MESSAGES = { ...DESK, ...DAY, ...PAYING, ...VOCABULARY, ...ERRORS };

/** The sentence `key` in the page's language, `{name}` replaced from `values`; the key itself when unknown. */
export function t(key, values = {}) {
  const pair = MESSAGES[key];
  if (!pair) return key;
  return pair[language() === "fa" ? 0 : 1].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Whether there is a sentence for `key`. */
export function has(key) {
  return key in MESSAGES;
}
