// The page of the public figures: which city and year, and what the published files say of them.
import { fill, h } from "/common/dom.js";
import { applyLanguage, dateTime, digits, language, money as grouped, setLanguage } from "/common/text.js";
import { budgetCard } from "./budget.js";
import { bars, behind, columns } from "./charts.js";
import { billions, budgets, by, count, definitions, money, owedOf, percent, publication, rowsOf, sum } from "./figures.js";
import { owedCard } from "./owed.js";
import { TILES, provinces } from "./map.js";
import { monthName, named, t } from "./words.js";

const main = document.getElementById("main");
/** Above so many cities the sum of all is not fetched: each city is then looked at by itself. */
const TOGETHER_MAX = 20;
const WAITS = ["1_minute", "5_minutes", "15_minutes", "1_hour", "1_day", "longer"];
const chosen = { city: "", year: "" };

async function start() {
  frame();
  fill(main, h("p", { class: "notice", role: "status" }, t("loading")));
  const asked = address();
  if (asked) chosen.city = asked.city;
  try {
    const [index, told, budget] = await Promise.all([publication(), definitions(), chosen.city && budgets(chosen.city)]);
    const known = index?.cities.some((city) => city.municipality === chosen.city);
    if (asked && budget && !known) return fill(main, lead(index), h("p", { class: "notice" }, t("noFigures")), budgetCard(budget, []), meanings(told));
    if (index === null) return fill(main, lead(), h("p", { class: "notice" }, t("nothingYet")));
    if (!known) chosen.city = index.cities.length <= TOGETHER_MAX ? "" : index.cities[0].municipality;
    const cities = index.cities.filter((city) => chosen.city === "" || city.municipality === chosen.city);
    const [rows, spent, owed] = await Promise.all([rowsOf(cities), chosen.city && budgets(chosen.city), owedOf(cities)]);
    draw(index, cities, rows, told, spent, owed);
    if (asked?.part) reach(asked);
  } catch {
    fill(main, lead(), h("div", { class: "notice", role: "alert" }, h("p", {}, t("failed")), h("button", { class: "button", type: "button", onclick: start }, t("retry"))));
  }
}

/** What `#/city/TEHRAN/budget` asks for; null where the address says nothing. */
function address() {
  const found = /^#\/city\/([A-Z-]+)(?:\/(budget))?$/.exec(location.hash);
  return found && { city: found[1], part: found[2] };
}

/** The part that the address asked for, once: a later draw leaves the reader where she is. */
function reach(asked) {
  history.replaceState(null, "", `#/city/${asked.city}`);
  document.getElementById(asked.part)?.focus();
}

function frame() {
  applyLanguage();
  document.title = t("title");
  document.getElementById("skip").textContent = t("skip");
  fill(document.getElementById("header"),
    h("a", { class: "brand", href: "/open" }, h("img", { src: "/common/icon.svg", alt: "", width: 36, height: 36 }),
      h("span", {}, h("b", {}, t("brand")), h("small", {}, t("brandSub")))),
    h("button", { type: "button", class: "button", id: "language", lang: language() === "fa" ? "en" : "fa", onclick: switchLanguage }, t("switchLanguage")));
  fill(document.getElementById("footer"), h("p", {}, t("footer")));
}

function switchLanguage() {
  setLanguage(language() === "fa" ? "en" : "fa");
  start();
  document.getElementById("language").focus();
}

const cityName = (city) => city[`name_${language()}`] ?? city.municipality;
const number = (value) => grouped(String(value));
const lead = (index) => h("div", { class: "lead" }, h("h1", {}, t("title")), h("p", {}, t("lead")),
  index && h("p", {}, t("publication", { number: digits(index.number), at: dateTime(index.published_at) })));

function draw(index, cities, all, told, budget, owed) {
  const years = [...new Set(all.map((row) => row.month.slice(0, 4)).filter((year) => /^\d{4}$/.test(year)))].sort();
  if (!years.includes(chosen.year)) chosen.year = "";
  const rows = chosen.year ? all.filter((row) => row.month.startsWith(chosen.year)) : all;
  const paid = money(rows);
  const certified = rows.filter((row) => row.figure === "certified");
  fill(main, lead(index), choose(index, years),
    sums(paid, certified),
    h("div", { class: "cards" },
      budget && budgetCard(budget, money(all)), owedCard(owed, money(all), new Map(cities.map((city) => [city.municipality, cityName(city)]))),
      overTime(money(all), paid), chosen.city === "" && ofCities(cities, paid), ofClasses(paid), ofChannels(paid), ofDutyYears(paid),
      ofWaits(certified), ofProvinces(index), chosen.city && forPlanners(index), files(index, cities)),
    meanings(told));
}

function choose(index, years) {
  const pick = (name, options) => h("label", {}, t(name),
    h("select", { id: `choose-${name}`, onchange: (event) => change(name, event.target.value) },
      options.map(([value, text]) => h("option", { value, selected: value === chosen[name] }, text))));
  const together = index.cities.length <= TOGETHER_MAX ? [["", t("allCities")]] : [];
  return h("div", { class: "choose" },
    pick("city", [...together, ...index.cities.map((city) => [city.municipality, cityName(city)])]),
    pick("year", [["", t("allYears")], ...years.map((year) => [year, digits(year)])]));
}

async function change(name, value) {
  chosen[name] = value;
  if (name === "city") history.replaceState(null, "", value ? `#/city/${value}` : "#");
  await start();
  document.getElementById(`choose-${name}`)?.focus();
  document.getElementById("announcer").textContent = document.querySelector(".sums")?.textContent ?? "";
}

function sums(paid, certified) {
  const told = paid.filter((row) => row.channel !== "merged" && row.channel !== "unknown");
  const online = told.filter((row) => row.channel.startsWith("online"));
  const quick = certified.filter((row) => row.wait === "1_minute");
  const one = (name, value, small) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, h("span", { class: "number" }, value), " ", h("small", {}, small)));
  return h("dl", { class: "sums" },
    h("div", {}, h("dt", {}, t("collected")), h("dd", {}, h("span", { class: "number", id: "collected" }, billions(sum(paid))), " ", h("small", {}, t("billion"))), h("dd", {}, h("small", {}, h("span", { class: "number", id: "collected-rial" }, number(sum(paid))), " ", t("rial")))),
    one("payments", number(count(paid)), ""),
    one("online", percent(sum(online), sum(told)), t("ofMoney")),
    one("quick", percent(count(quick), count(certified)), t("ofCertificates")));
}

function card(title, figure, ...content) {
  return h("section", { class: title === "byProvince" ? "card wide" : "card" }, h("h2", {}, t(title)), content,
    h("p", { class: "what" }, h("a", { href: `#def-${figure}` }, t("definition"))));
}

function overTime(all, paid) {
  const monthly = chosen.year !== "";
  const key = monthly ? "month" : (row) => row.month.slice(0, 4);
  const groups = by(monthly ? paid : all, key).sort(([a], [b]) => (a < b ? -1 : 1));
  const told = groups.filter(([value]) => (monthly ? /^\d{4}-\d{2}$/ : /^\d{4}$/).test(value));
  const points = told.map(([value, rows]) => ({ label: monthly ? monthName(value) : digits(value), name: named("month", value), value: sum(rows), shown: billions(sum(rows)) }));
  const title = monthly ? "byMonth" : "byYear";
  return card(title, "collected",
    h("p", { class: "what" }, t("billion")), columns(points, t(title)),
    behind([t(monthly ? "month" : "year"), t("amount"), t("count")], groups.map(([value, rows]) => [named("month", value), number(sum(rows)), number(count(rows))]), t(title)));
}

/** What is not told apart, or not told at all, stands last. */
const untold = (value) => Number(value === "merged" || value === "unknown");

function split(paid, column, title, figure) {
  const whole = sum(paid);
  const groups = by(paid, column).map(([value, rows]) => [value, sum(rows)])
    .sort((a, b) => untold(a[0]) - untold(b[0]) || (a[1] < b[1] ? 1 : -1));
  return card(title, figure, bars(groups.map(([value, rial]) => ({ name: named(column, value), value: rial, cells: [number(rial), percent(rial, whole)] })), [t(title), t("amount"), t("share")], t(title)));
}

const ofClasses = (paid) => split(paid, "vehicle_class", "byClass", "vehicle_class");
const ofChannels = (paid) => split(paid, "channel", "byChannel", "channel");

function ofDutyYears(paid) {
  const groups = by(paid, "duty_year").sort(([a], [b]) => (a < b ? -1 : 1));
  const points = groups.filter(([value]) => /^\d{4}$/.test(value)).map(([value, rows]) => ({ label: digits(value), name: digits(value), value: sum(rows), shown: billions(sum(rows)) }));
  return card("byDutyYear", "duty_year", h("p", { class: "what" }, t("billion")), columns(points, t("byDutyYear")),
    behind([t("byDutyYear"), t("amount")], groups.map(([value, rows]) => [named("duty_year", value), number(sum(rows))]), t("byDutyYear")));
}

function ofWaits(certified) {
  const whole = count(certified);
  const groups = new Map(by(certified, "wait"));
  const values = [...WAITS, ...[...groups.keys()].filter((value) => !WAITS.includes(value))];
  return card("byWait", "certified", bars(values.map((value) => {
    const found = count(groups.get(value) ?? []);
    return { name: named("wait", value), value: BigInt(found), cells: [number(found), percent(found, whole)] };
  }), [t("byWait"), t("count"), t("share")], t("byWait")));
}

function ofCities(cities, paid) {
  const rial = new Map(by(paid, "municipality").map(([code, rows]) => [code, sum(rows)]));
  const rows = cities.map((city) => ({ name: cityName(city), value: rial.get(city.municipality) ?? 0n })).sort((a, b) => (a.value < b.value ? 1 : -1));
  return card("byCity", "collected", bars(rows.map((row) => ({ ...row, cells: [number(row.value), percent(row.value, sum(paid))] })), [t("city"), t("amount"), t("share")], t("byCity")));
}

function ofProvinces(index) {
  const rial = new Map();
  for (const city of index.cities) rial.set(city.province, (rial.get(city.province) ?? 0n) + BigInt(city.totals.collected_rial));
  const rows = [...rial].sort((a, b) => (a[1] < b[1] ? 1 : -1)).map(([code, value]) => [TILES[code]?.[language() === "fa" ? 2 : 3] ?? code, number(value)]);
  return card("byProvince", "collected", h("p", { class: "what" }, t("mapNote"), ` (${t("allYears")}${language() === "fa" ? "، " : ", "}${t("billion")})`), provinces(rial, t("byProvince")),
    behind([t("province"), t("amount")], rows, t("byProvince")));
}

/** The planners' card; its module and its figures come when it is opened. */
function forPlanners(index) {
  const place = h("div", { class: "planning" });
  const opened = async (event) => {
    if (!event.target.open || place.childElementCount > 0) return;
    try {
      const { show } = await import("./planners.js");
      await show(place, chosen.city, index.cities);
    } catch {
      fill(place, h("p", { class: "notice", role: "alert" }, t("failed")));
    }
  };
  return h("section", { class: "card wide", id: "planners" }, h("h2", {}, t("planTitle")), h("p", { class: "what" }, t("planLead")),
    h("details", { ontoggle: opened }, h("summary", {}, t("planOpen")), place));
}

const formats = (of) => Object.entries(of).map(([form, file]) => h("a", { href: file.href, download: "" }, form.toUpperCase()));

function files(index, cities) {
  return h("section", { class: "card wide files" }, h("h2", {}, t("files")), h("p", { class: "what" }, t("filesNote")),
    h("ul", {}, cities.map((city) => h("li", {}, h("b", {}, cityName(city)), formats(city.files),
      city.owed && [h("span", {}, t("owedFiles")), formats(city.owed.files)],
      h("span", {}, t("commitment", { sequence: number(city.commitment.sequence) })), h("span", { class: "hash" }, city.commitment.hash)))),
    h("p", {}, h("a", { href: index.manifest.href }, t("manifest")), " ", h("span", { class: "hash" }, index.manifest.name)),
    h("p", {}, t("recompute")), h("code", { class: "command" }, `avarez figures verify --origin ${location.origin}`));
}

function meanings(told) {
  const fa = language() === "fa";
  return h("section", { class: "card definitions", id: "definitions" }, h("h2", {}, t("definitions")),
    h("dl", {}, told.map((of) => [h("dt", { id: `def-${of.name}` }, fa ? of.title_fa : of.title_en, " ", h("a", { class: "hash", href: of.href }, of.name)), h("dd", {}, fa ? of.text_fa : of.text_en)])));
}

window.addEventListener("hashchange", () => address() && start());
start();
