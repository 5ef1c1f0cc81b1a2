// The page of the API: every operation of /openapi.json, found by words.
import { fill, h } from "/common/dom.js";
import { applyLanguage, digits, language, setLanguage } from "/common/text.js";
import { kindOf, lines } from "./schema.js";
import { t } from "./words.js";

const main = document.getElementById("main");
const METHODS = ["get", "post", "put", "delete"];
let loaded = null;
let words = "";

async function start() {
  frame();
  try {
    loaded ??= await fetched();
    draw();
  } catch {
    fill(main, h("div", { class: "notice", role: "alert" }, h("p", {}, t("failed")), h("button", { class: "button", type: "button", onclick: start }, t("retry"))));
  }
}

async function fetched() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

function frame() {
  applyLanguage();
  document.title = t("title");
  document.getElementById("skip").textContent = t("skip");
  fill(document.getElementById("header"),
    h("a", { class: "brand", href: "/docs" }, h("img", { src: "/common/icon.svg", alt: "", width: 36, height: 36 }), h("b", {}, t("brand"))),
    h("button", { type: "button", class: "button", id: "language", lang: language() === "fa" ? "en" : "fa", onclick: switchLanguage }, t("switchLanguage")));
}

function switchLanguage() {
  setLanguage(language() === "fa" ? "en" : "fa");
  start();
  document.getElementById("language").focus();
}

function draw() {
  const found = h("p", { id: "found", role: "status", class: "soft" });
  const list = h("div", { id: "operations" });
  fill(main,
    h("h1", {}, t("title")), h("p", {}, t("lead")),
    h("p", {}, h("a", { href: "/openapi.json" }, t("download")), " ", h("span", { class: "soft" }, loaded.info.version)),
    h("label", { class: "search" }, h("span", {}, t("search")),
      h("input", { id: "search", type: "search", value: words, autocomplete: "off", spellcheck: "false", oninput: (event) => { words = event.target.value; show(list, found); } })),
    found, list,
    h("section", {}, h("h2", {}, t("refusals")), h("p", {}, t("refusalsText")),
      h("p", { class: "codes", dir: "ltr" }, loaded.components.schemas.Problem.properties.code.enum.map((code) => [h("code", {}, code), " "]))));
  show(list, found);
  const chosen = decodeURIComponent(location.hash.slice(1));
  if (chosen) document.getElementById(chosen)?.setAttribute("open", "");
  if (chosen) document.getElementById(chosen)?.scrollIntoView();
}

function operations() {
  return Object.entries(loaded.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method]).map((method) => ({ method, path, ...methods[method] })));
}

function show(list, found) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const told = operations().filter((of) => {
    const text = `${of.method} ${of.path} ${of.summary} ${scopeOf(of)}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
  found.textContent = told.length ? t("found", { count: digits(told.length) }) : t("none");
  fill(list, loaded.tags.map(({ name }) => {
    const own = told.filter((of) => of.tags[0] === name);
    return own.length > 0 && h("section", {}, h("h2", {}, t(`groups.${name}`)), own.map(operation));
  }));
}

const scopeOf = (of) => of.security[0]?.token[0] ?? "";

function operation(of) {
  const body = h("div", { class: "operation" });
  const whole = h("details", { id: of.operationId, ontoggle: () => { if (whole.open && !body.hasChildNodes()) fill(body, ...parts(of)); } },
    h("summary", { dir: "ltr" }, h("span", { class: `method ${of.method}` }, of.method.toUpperCase()), h("code", { class: "path" }, of.path), h("span", { class: "gist" }, of.summary)),
    body);
  return whole;
}

function parts(of) {
  const scope = scopeOf(of);
  const taken = [
    ...(of.parameters ?? []).map((one) => ({ place: one.name, kind: kindOf(one.schema, loaded), where: one.in, required: one.required, text: one.description ?? "" })),
    ...Object.values(of.requestBody?.content ?? {}).flatMap((one) => lines(one.schema, loaded).map((line) => ({ ...line, where: t("body") }))),
  ];
  return [
    of.description && h("p", { dir: "ltr", class: "more" }, of.description),
    h("p", {}, `${t("scope")}: `, scope ? h("code", { dir: "ltr" }, scope) : t("everyone")),
    taken.length > 0 && [h("h3", {}, t("takes")), table(taken, true)],
    h("h3", {}, t("answers")),
    Object.entries(of.responses).filter(([status]) => status !== "default").map(([status, answer]) => answered(status, answer)),
  ];
}

function answered(status, answer) {
  const [kind, content] = Object.entries(answer.content ?? {})[0] ?? [];
  const told = content?.schema ? lines(content.schema, loaded) : [];
  return [h("p", { dir: "ltr", class: "status" }, h("b", { class: "number" }, status), " ", answer.description, " ", kind && h("code", {}, kind)), told.length > 0 && table(told, false)];
}

function table(rows, withPlace) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t(withPlace ? "takes" : "answers") }, h("table", { dir: "ltr" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("field")), withPlace && h("th", { scope: "col" }, t("place")), h("th", { scope: "col" }, t("kind")))),
    h("tbody", {}, rows.map((row) => h("tr", {},
      h("th", { scope: "row" }, h("code", {}, row.place), row.required && h("small", {}, ` ${t("required")}`)),
      withPlace && h("td", {}, row.where),
      h("td", {}, row.kind, row.text && h("small", {}, ` ${row.text}`)))))));
}

start();
