// What every view shares: the state of the desk, the way to another view, and the boxes that speak to the clerk.
import { fill, h, icon } from "/common/dom.js";
import { language } from "/common/text.js";
import { Problem } from "./api.js";
import { has, t } from "./messages.js";

/** What the views share. It lives in memory only: no plate is ever in the address, the title or the storage. */
export const state = { cities: new Map(), standing: null, assessment: null, search: { by: "plate", value: "" }, notice: null, channel: "gateway", terminal: "", terminals: [] };

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

/** The city's name in the page's language; its code until the list has come. */
export function cityName(code) {
  const city = state.cities.get(code);
  return city ? city[language() === "fa" ? "name_fa" : "name_en"] ?? code : code;
}

/** Every city as an option of a choice, in the reader's order; the city of the last quote is chosen already. */
export function cityOptions() {
  const last = state.assessment?.municipality;
  const codes = [...state.cities.keys()].sort((a, b) => cityName(a).localeCompare(cityName(b), language()));
  return codes.map((code) => h("option", { value: code, selected: code === last }, cityName(code)));
}

/** A word of a closed set in the page's language, or as it came. */
export function word(set, value) {
  return has(`${set}.${value}`) ? t(`${set}.${value}`) : String(value ?? "");
}

/** A refusal as a box: the sentence, single fields, the code in small, and buttons. */
export function problemBox(problem, ...actions) {
  const known = problem instanceof Problem;
  if (!known) console.error(problem);
  return h("div", { class: "notice notice-bad", role: "alert" }, icon("warn"),
    h("div", {},
      h("p", {}, known ? problem.text() : t("error.unknown")),
      known && problem.fields.length > 0 && h("ul", {}, problem.fields.map((field) => h("li", {}, field.message))),
      known && problem.code !== "unknown" && h("p", { class: "code" }, `${t("code")}: `, h("bdi", {}, problem.code))),
    actions.length > 0 && h("div", { class: "actions" }, actions));
}

/** After so long a running button says that the line is slow, and that waiting is right. */
const SLOW_MS = 6_000;

/** While `task` runs the button says so and takes no second press. */
export async function busy(button, text, task) {
  const before = [...button.childNodes];
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
  }
}

/** A place that waits for its content, and says so. */
export function loading(text) {
  return h("p", { class: "loading", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), text);
}

/** An empty desk. */
export function clearDesk() {
  Object.assign(state, { standing: null, assessment: null, notice: null, search: { by: "plate", value: "" } });
}

export function newSearch() {
  clearDesk();
  go("search");
}
