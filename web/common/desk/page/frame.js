// What stands around the views: the brand, the bar of sections, language, signing out, and the word that the line is down.
import { h } from "/common/dom.js";
import { applyLanguage, language, setLanguage } from "/common/text.js";
import { signedIn, signOut } from "../service/api.js";
import { t } from "../words/messages.js";

/** The document speaks the reader's language, before anything is drawn in it. */
export function beginPage() {
  applyLanguage();
  document.title = t("brand");
  const skip = document.getElementById("skip");
  skip.textContent = t("skip");
  skip.onclick = passBar;
  showOffline();
}

/** To the content and nowhere else: the address names the view, and another one would open another view. */
function passBar(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

/** The view that the address names, and its id: `#/closes/st_…`. */
export function addressed(first) {
  const [, name, id] = /^#\/(\w+)(?:\/([\w-]+))?$/.exec(location.hash) ?? [null, first, undefined];
  return { name, id };
}

export function brand(href) {
  return h("a", { class: "brand", href }, h("img", { src: "/common/icon.svg", alt: "", width: 36, height: 36 }),
    h("span", {}, h("b", {}, t("brand")), h("small", {}, t("brandSub"))));
}

/** A link to each section, `[name, label]`; the one that is shown says so. */
export function sectionLinks(sections, current) {
  return sections.map(([name, label]) =>
    h("a", { href: `#/${name}`, id: `nav-${name}`, "aria-current": name === current ? "page" : null }, t(label)));
}

/** The end of the header: what the page adds, the language, who is signed in, and the way out. */
export function headerEnd({ render, left, tools = null }) {
  const session = signedIn();
  return h("div", { class: "header-end" }, tools,
    h("button", { type: "button", class: "button quiet", id: "language", lang: language() === "fa" ? "en" : "fa", onclick: () => switchLanguage(render) }, t("switchLanguage")),
    session && h("span", { class: "who wide-only" }, h("bdi", {}, session.username)),
    session && h("button", { type: "button", class: "button quiet", id: "sign-out", onclick: () => leaveShift(left) }, t("signOut")));
}

function switchLanguage(render) {
  setLanguage(language() === "fa" ? "en" : "fa");
  render();
  document.getElementById("language").focus();
}

function leaveShift(left) {
  signOut();
  sessionStorage.clear();
  left();
}

function showOffline() {
  const bar = document.getElementById("offline");
  bar.hidden = navigator.onLine;
  bar.textContent = t("offline");
}

addEventListener("online", showOffline);
addEventListener("offline", showOffline);
