// What the office's views share: the state of the desk, its cities, and what every page for people has.
import { h } from "/common/dom.js";
import { go } from "/common/desk/page/shell.js";
import { language } from "/common/text.js";

export { announce, busy, go, loading, problemBox, rename, word } from "/common/desk/page/shell.js";

/** What the views share. It lives in memory only: no plate is ever in the address, the title or the storage. */
export const state = { cities: new Map(), standing: null, assessment: null, search: { by: "plate", value: "" }, notice: null, channel: "gateway", terminal: "", terminals: [] };

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

/** An empty desk. */
export function clearDesk() {
  Object.assign(state, { standing: null, assessment: null, notice: null, search: { by: "plate", value: "" } });
}

export function newSearch() {
  clearDesk();
  go("search");
}
