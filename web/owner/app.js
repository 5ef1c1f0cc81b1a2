// The owner's page: whose car it is, and which view the address names. Without an account; one tab, one car.
import { onSessionLost, signedIn } from "/common/desk/service/api.js";
import { addressed, beginPage, brand, headerEnd } from "/common/desk/page/frame.js";
import { addWords, t } from "/common/desk/words/messages.js";
import { DUTY } from "/common/desk/words/duty.js";
import { VOCABULARY } from "/common/desk/words/vocabulary.js";
import { fill, h } from "/common/dom.js";
import { clearCar, loadCities, PAYMENT_KEY } from "./car.js";
import { carView } from "./views/car.js";
import { certificateView } from "./views/certificate.js";
import { lookUpDialog, lookUpView } from "./views/look-up.js";
import { paymentView } from "./views/payment.js";
import { stopView } from "./views/stop.js";
import { OWNER } from "./words/owner.js";

addWords(DUTY, VOCABULARY, OWNER);
const VIEWS = { car: carView, quote: carView, payment: paymentView, certificate: certificateView };
const main = document.getElementById("main");
let leave = new AbortController();

function render() {
  leave.abort();
  leave = new AbortController();
  beginPage();
  const { name, id } = addressed("car");
  drawFrame();
  if (name === "stop") return stopView(main, { id, signal: leave.signal });
  if (!signedIn()) return lookUpView(main, { done: render });
  loadCities();
  return (VIEWS[name] ?? carView)(main, { id, signal: leave.signal });
}

function drawFrame() {
  fill(document.getElementById("header"), brand("#/car"), headerEnd({ render, left }));
  fill(document.getElementById("footer"), h("p", {}, t("officeHelp")));
}

function left() {
  clearCar();
  history.replaceState(null, "", "/my");
  render();
}

// Back from the gateway the payment is taken up where it was left; its id was kept for this tab alone.
function start() {
  const returned = new URLSearchParams(location.search);
  if (returned.has("returned") || returned.has("payment_id")) {
    const id = returned.get("payment_id") ?? sessionStorage.getItem(PAYMENT_KEY);
    history.replaceState(null, "", /^py_\w+$/.test(id ?? "") ? `/my#/payment/${id}` : "/my");
  }
  render();
}

// On paper every year stands open.
addEventListener("beforeprint", () => {
  for (const year of document.querySelectorAll("details.year")) year.open = true;
});
addEventListener("hashchange", render);
onSessionLost(() => lookUpDialog());
start();
