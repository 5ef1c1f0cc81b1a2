// The office page: who is signed in, which view the address names, and what every view shares.
import { fill, h, icon } from "/common/dom.js";
import { applyLanguage, language, setLanguage } from "/common/text.js";
import { Problem, call, onSessionLost, signedIn, signOut } from "./api.js";
import { has, t } from "./messages.js";
import { signInDialog, signInView } from "./sign-in.js";
import { searchView } from "./search.js";
import { vehicleView } from "./vehicle.js";
import { paymentView } from "./payment.js";
import { certificateView } from "./certificate.js";
import { registerView } from "./register.js";

/** What the views share. It lives in memory only: no plate is ever in the address, the title or the storage. */
export const state = { cities: new Map(), standing: null, assessment: null, search: { by: "plate", value: "" }, notice: null };

const VIEWS = { search: searchView, vehicle: vehicleView, assessment: vehicleView, payment: paymentView, certificate: certificateView, register: registerView };
const main = document.getElementById("main");
let leave = new AbortController();

/** Opens the view `name`; ids are allowed in the address, since they say nothing about a person. */
export function go(name, id = "") {
  const hash = `#/${name}${id ? `/${id}` : ""}`;
  if (location.hash === hash) render();
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

/** While `task` runs the button says so and takes no second press. */
export async function busy(button, text, task) {
  const before = [...button.childNodes];
  button.setAttribute("aria-disabled", "true");
  button.disabled = true;
  fill(button, h("span", { class: "spinner", "aria-hidden": "true" }), text);
  try {
    return await task();
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-disabled");
    fill(button, before);
  }
}

export function render() {
  leave.abort();
  leave = new AbortController();
  applyLanguage();
  document.title = t("brand");
  document.getElementById("skip").textContent = t("skip");
  drawHeader();
  drawFooter();
  showOffline();
  const [, name, id] = /^#\/(\w+)(?:\/([\w-]+))?$/.exec(location.hash) ?? [null, "search", undefined];
  if (!signedIn()) return signInView(main, { done: start });
  loadCities();
  return (VIEWS[name] ?? searchView)(main, { id, signal: leave.signal });
}

function drawHeader() {
  const session = signedIn();
  fill(document.getElementById("header"),
    h("a", { class: "brand", href: "#/search" }, h("img", { src: "/common/icon.svg", alt: "", width: 36, height: 36 }),
      h("span", {}, h("b", {}, t("brand")), h("small", {}, t("brandSub")))),
    h("div", { class: "header-end" },
      session && h("a", { class: "button quiet", href: "#/search", id: "new-search", onclick: (event) => { event.preventDefault(); newSearch(); } }, icon("search"), h("span", { class: "wide-only" }, t("newSearch"))),
      h("button", { type: "button", class: "button quiet", id: "language", lang: language() === "fa" ? "en" : "fa", onclick: switchLanguage }, t("switchLanguage")),
      session && h("span", { class: "who wide-only" }, h("bdi", {}, session.username)),
      session && h("button", { type: "button", class: "button quiet", id: "sign-out", onclick: leaveShift }, t("signOut"))));
}

function drawFooter() {
  fill(document.getElementById("footer"), h("p", { class: "wide-only" }, signedIn() ? t("shortcuts") : ""));
}

function switchLanguage() {
  setLanguage(language() === "fa" ? "en" : "fa");
  render();
  document.getElementById("language").focus();
}

export function newSearch() {
  Object.assign(state, { standing: null, assessment: null, notice: null, search: { by: "plate", value: "" } });
  go("search");
}

function leaveShift() {
  signOut();
  sessionStorage.clear();
  Object.assign(state, { standing: null, assessment: null, notice: null, search: { by: "plate", value: "" } });
  history.replaceState(null, "", "/");
  render();
}

let citiesAsked = false;
async function loadCities() {
  if (citiesAsked) return;
  citiesAsked = true;
  try {
    const answer = await call("GET", "/v1/municipalities");
    state.cities = new Map(answer.municipalities.map((city) => [city.code, city]));
    for (const node of document.querySelectorAll("[data-city]")) node.textContent = cityName(node.dataset.city);
  } catch {
    citiesAsked = false; // names are a comfort: codes stand in until the next view asks again
  }
}

function showOffline() {
  const bar = document.getElementById("offline");
  bar.hidden = navigator.onLine;
  bar.textContent = t("offline");
}

// Back from the gateway the payment is taken up where it was left; its id was kept for this tab alone.
function start() {
  const returned = new URLSearchParams(location.search);
  const open = sessionStorage.getItem("avarez.payment");
  if (returned.has("returned") || returned.has("payment_id")) {
    const id = returned.get("payment_id") ?? open;
    history.replaceState(null, "", /^py_\w+$/.test(id ?? "") ? `/#/payment/${id}` : "/");
  }
  render();
}

addEventListener("hashchange", render);
addEventListener("online", showOffline);
addEventListener("offline", showOffline);
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || !signedIn() || document.querySelector("dialog[open]")) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  event.preventDefault();
  newSearch();
});
onSessionLost(() => signInDialog());
start();
