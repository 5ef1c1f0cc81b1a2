// The sentences of a page that people sign in to; each page and each view adds its own, Persian first and English second.
import { language } from "/common/text.js";
import { ERRORS } from "./errors.js";
import { FRAME } from "./frame.js";

const MESSAGES = { ...FRAME, ...ERRORS };

/** From now on these sentences are known too; one of the same name takes the place of what was there. */
export function addWords(...sets) {
  Object.assign(MESSAGES, ...sets);
}

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
