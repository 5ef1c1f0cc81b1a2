// The city console: who is signed in for which city, and which section the address names. A section's module comes when it is opened.
import { fill, h, icon } from "/common/dom.js";
import { onSessionLost, signedIn } from "/common/desk/service/api.js";
import { dropDrafts } from "/common/desk/page/drafts.js";
import { addressed, beginPage, brand, headerEnd, sectionLinks } from "/common/desk/page/frame.js";
import { addWords, t } from "/common/desk/words/messages.js";
import { loading, retryBox } from "/common/desk/page/shell.js";
import { signInDialog, signInView } from "/common/desk/service/sign-in.js";
import { VOCABULARY } from "/common/desk/words/vocabulary.js";
import { askCityName, forgetCity, officer, showCityName } from "./officer.js";
import { SECTIONS } from "./sections.js";
import { CONSOLE } from "./words/console.js";

addWords(VOCABULARY, CONSOLE);
const main = document.getElementById("main");
const bar = document.getElementById("sections");
let leave = new AbortController();

function render() {
  leave.abort();
  leave = new AbortController();
  beginPage();
  const { name, id } = addressed(SECTIONS[0].name);
  const section = SECTIONS.find((one) => one.name === name) ?? SECTIONS[0];
  const who = signedIn() ? officer() : null;
  drawFrame(section, who);
  if (!who && name === "join" && id) return join(id, leave.signal);
  if (!who) return signInView(main, { done: render });
  if (!who.city) return fill(main, h("section", { class: "card narrow" }, h("h1", {}, t("noCityTitle")), h("p", {}, t("noCity"))));
  document.title = `${t(section.label)} | ${t("brand")}`;
  if (section.name !== SECTIONS[0].name) askCityName(who.here);
  return open(section, { id, signal: leave.signal, officer: who });
}

/** The section in `main`, once its module and its style are here. */
async function open(section, shown) {
  fill(main, loading());
  try {
    const [view] = await Promise.all([section.load(), section.style && styled(section.style)]);
    if (!shown.signal.aborted) await view.show(main, shown);
  } catch (problem) {
    if (!shown.signal.aborted) fill(main, retryBox(problem, render));
  }
}

/** An invited officer's way in. */
async function join(id, signal) {
  const view = await import("./views/join.js");
  if (!signal.aborted) view.show(main, { id, done: home });
}

function home() {
  history.replaceState(null, "", "/city");
  render();
}

const styles = new Map();
function styled(href) {
  if (!styles.has(href)) {
    const link = h("link", { rel: "stylesheet", href });
    styles.set(href, new Promise((resolve) => ["load", "error"].forEach((name) => link.addEventListener(name, resolve, { once: true }))));
    document.head.append(link);
  }
  return styles.get(href);
}

function drawFrame(section, who) {
  const menu = h("button", { type: "button", class: "button quiet menu-button", id: "menu", "aria-expanded": "false", "aria-controls": "sections" }, icon("menu"), t("menu"));
  const unfold = (wanted) => {
    bar.classList.toggle("open", wanted);
    menu.setAttribute("aria-expanded", String(wanted));
  };
  menu.addEventListener("click", () => unfold(!bar.classList.contains("open")));
  unfold(false);
  fill(document.getElementById("header"), brand("#/"), who?.city && h("span", { class: "city-of", dataset: { cityName: "" } }),
    headerEnd({ render, left, tools: who?.city && menu }));
  showCityName();
  bar.hidden = !who?.city;
  bar.setAttribute("aria-label", t("menu"));
  fill(bar, sectionLinks(SECTIONS.map((one) => [one.name, one.label]), section.name));
}

function left() {
  forgetCity();
  dropDrafts();
  home();
}

addEventListener("hashchange", render);
onSessionLost(() => signInDialog());
render();
