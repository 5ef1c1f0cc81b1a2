// The office page: who is signed in, and which view the address names.
import { fill, h, icon } from "/common/dom.js";
import { applyLanguage, language, setLanguage } from "/common/text.js";
import { call, onSessionLost, signedIn, signOut } from "./api.js";
import { t } from "./messages.js";
import { cityName, clearDesk, newSearch, state } from "./shell.js";
import { signInDialog, signInView } from "./views/sign-in.js";
import { searchView } from "./views/search.js";
import { vehicleView } from "./views/vehicle.js";
import { paymentView } from "./views/payment.js";
import { certificateView } from "./views/certificate.js";
import { registerView } from "./views/register.js";

const VIEWS = { search: searchView, vehicle: vehicleView, assessment: vehicleView, payment: paymentView, certificate: certificateView, register: registerView };
const main = document.getElementById("main");
let leave = new AbortController();

function render() {
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

function leaveShift() {
  signOut();
  sessionStorage.clear();
  clearDesk();
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
