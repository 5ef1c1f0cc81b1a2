// The office page: who is signed in, and which view the address names.
import { fill, h, icon } from "/common/dom.js";
import { call, onSessionLost, signedIn } from "/common/desk/service/api.js";
import { addressed, beginPage, brand, headerEnd, sectionLinks } from "/common/desk/page/frame.js";
import { signInDialog, signInView } from "/common/desk/service/sign-in.js";
import { t } from "./messages.js";
import { cityName, clearDesk, newSearch, state } from "./shell.js";
import { searchView } from "./views/desk/search.js";
import { vehicleView } from "./views/desk/vehicle.js";
import { paymentView } from "./views/pay/payment.js";
import { certificateView } from "./views/papers/certificate.js";
import { registerView } from "./views/desk/register.js";
import { agreementView } from "./views/pay/agreement.js";
import { closingView } from "./views/day/closing.js";
import { refundView } from "./views/day/refund.js";
import { todayView } from "./views/day/today.js";
import { fleetView } from "./views/cases/fleet.js";
import { objectionsView, objectionView, objectView } from "./views/cases/objections.js";

const VIEWS = {
  search: searchView, vehicle: vehicleView, assessment: vehicleView, register: registerView,
  payment: paymentView, agreement: agreementView, certificate: certificateView,
  today: todayView, closing: closingView, refund: refundView,
  fleet: fleetView, object: objectView, objection: objectionView, objections: objectionsView,
};
const NAVIGATION = [["search", "navSearch"], ["today", "navDay"], ["fleet", "navFleet"], ["objections", "navObjections"]];
/** Views that offer a choice of cities wait for their names. */
const NEEDS_CITIES = ["today", "objections", "register"];
const main = document.getElementById("main");
let leave = new AbortController();

function render() {
  leave.abort();
  leave = new AbortController();
  beginPage();
  const { name, id } = addressed("search");
  drawHeader(name);
  fill(document.getElementById("footer"), h("p", { class: "wide-only" }, signedIn() ? t("shortcuts") : ""));
  if (!signedIn()) return signInView(main, { done: start });
  const named = loadCities();
  const view = VIEWS[name] ?? searchView;
  const { signal } = leave;
  if (NEEDS_CITIES.includes(name) && !state.cities.size) return named.then(() => signal.aborted || view(main, { id, signal }));
  return view(main, { id, signal });
}

function drawHeader(view) {
  const session = signedIn();
  const fresh = (event) => {
    event.preventDefault();
    newSearch();
  };
  const tools = session && h("a", { class: "button quiet", href: "#/search", id: "new-search", "aria-label": t("newSearch"), onclick: fresh }, icon("search"), h("span", { class: "wide-only" }, t("newSearch")));
  fill(document.getElementById("header"), brand("#/search"),
    session && h("nav", { class: "nav", "aria-label": t("menu") }, sectionLinks(NAVIGATION, view)),
    headerEnd({ render, left, tools }));
}

function left() {
  clearDesk();
  history.replaceState(null, "", "/");
  render();
}

let citiesAsked = null;
function loadCities() {
  citiesAsked ??= readCities();
  return citiesAsked;
}

async function readCities() {
  try {
    const answer = await call("GET", "/v1/municipalities");
    state.cities = new Map(answer.municipalities.map((city) => [city.code, city]));
    for (const node of document.querySelectorAll("[data-city]")) node.textContent = cityName(node.dataset.city);
  } catch {
    citiesAsked = null; // names are a comfort: codes stand in until the next view asks again
  }
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

// On paper every year stands open.
addEventListener("beforeprint", () => {
  for (const year of document.querySelectorAll("details.year")) year.open = true;
});
addEventListener("hashchange", render);
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || !signedIn() || document.querySelector("dialog[open]")) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  event.preventDefault();
  newSearch();
});
onSessionLost(() => signInDialog());
start();
