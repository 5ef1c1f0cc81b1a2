// What every view of a page that people sign in to shares: the way to another view, and the boxes that speak to the reader.
import { fill, h, icon } from "/common/dom.js";
import { Problem } from "../service/api.js";
import { has, t } from "../words/messages.js";

/** Opens the view `name`; ids are allowed in the address, since they say nothing about a person. */
export function go(name, id = "") {
  const hash = `#/${name}${id ? `/${id}` : ""}`;
  if (location.hash === hash) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = hash;
}

/** The same view under another address, without a step in the history. */
export function rename(name, id) {
  history.replaceState(null, "", `#/${name}/${id}`);
}

/** Reads `text` aloud to whoever listens instead of looking. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** A word of a closed set in the page's language, or as it came. */
export function word(set, value) {
  return has(`${set}.${value}`) ? t(`${set}.${value}`) : String(value ?? "");
}

/** A refusal as a box: the sentence, single fields, the code in small, and buttons. */
export function problemBox(problem, ...actions) {
  const known = problem instanceof Problem;
  const fields = known ? problem.fields.filter((field) => field.message !== problem.text()) : []; // one fault alone is the sentence itself
  if (!known) console.error(problem);
  return h("div", { class: "notice notice-bad", role: "alert" }, icon("warn"),
    h("div", {},
      h("p", {}, known ? problem.text() : t("error.unknown")),
      fields.length > 0 && h("ul", {}, fields.map((field) => h("li", {}, field.message))),
      known && problem.code !== "unknown" && h("p", { class: "code" }, `${t("code")}: `, h("bdi", {}, problem.code))),
    actions.length > 0 && h("div", { class: "actions" }, actions));
}

/** A refusal in a box with a button that tries again. */
export function retryBox(problem, again) {
  return problemBox(problem, h("button", { type: "button", class: "button", onclick: again }, t("retry")));
}

/** After so long a running button says that the line is slow, and that waiting is right. */
const SLOW_MS = 6_000;

/** While `task` runs the button says so and takes no second press; the focus is there again after it, unless it went on. */
export async function busy(button, text, task) {
  const before = [...button.childNodes];
  const held = document.activeElement === button; // a button that is disabled loses it
  button.setAttribute("aria-disabled", "true");
  button.disabled = true;
  const say = (words) => fill(button, h("span", { class: "spinner", "aria-hidden": "true" }), words);
  say(text);
  const slow = setTimeout(() => {
    say(t("slowLine"));
    announce(t("slowLine"));
  }, SLOW_MS);
  try {
    return await task();
  } finally {
    clearTimeout(slow);
    button.disabled = false;
    button.removeAttribute("aria-disabled");
    fill(button, before);
    if (held && document.activeElement === document.body) button.focus({ preventScroll: true });
  }
}

/** A place that waits for its content, and says so. */
export function loading(text = t("loading")) {
  return h("p", { class: "loading", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), text);
}
