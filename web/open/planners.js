// For planners: the forecast of a city's year with its error, arrears by age, and before and after a measure. Loaded when opened.
import { fill, h } from "/common/dom.js";
import { asciiDigits, digits, jalaliText, language, money as grouped } from "/common/text.js";
import { permille } from "/common/charts.js";
import { behind, s } from "./charts.js";
import { billions, effects, planning } from "./figures.js";
import { monthName, t } from "./words.js";

const AGES = ["same_year", "1_year", "2_years", "3_to_5_years", "older", "untold"];
const rial = (value) => grouped(String(value));

/** A part per million as per cent with one decimal; `signed` shows a plus as well. */
function perCent(ppm, signed = false) {
  if (ppm === null) return "–";
  const tenths = Math.round(Math.abs(ppm) / 1000);
  const sign = ppm < 0 && tenths ? "\u2212" : signed && tenths ? "+" : "";
  return h("span", { class: "number" }, `${sign}${digits(`${Math.trunc(tenths / 10)}${language() === "fa" ? "٫" : "."}${tenths % 10}`)}${language() === "fa" ? "٪" : "%"}`);
}

/** What stands in the planners' card once it is opened. */
export async function show(place, city, cities) {
  fill(place, h("p", { class: "what", role: "status" }, t("loading")));
  const told = await planning(city);
  if (told === null) return fill(place, h("p", {}, t("planNone")));
  fill(place, forecast(told), ages(told), comparison(city, cities, told),
    h("p", { class: "file-line" }, Object.entries(told.files).map(([form, of]) => [h("a", { href: of.href, download: "" }, form.toUpperCase()), " "])));
}

function forecast(told) {
  const made = told.forecast;
  const head = h("h3", {}, t("planForecast", { year: digits(told.year ?? "") }));
  const means = h("a", { href: "#def-forecast" }, t("definition"));
  if (!made) return h("section", {}, head, h("p", {}, t("planNoForecast")), h("p", { class: "what" }, means));
  const error = made.error;
  return h("section", {}, head,
    h("p", { class: "what" }, t("planMethod", { at: jalaliText(told.as_of_jalali), years: digits(made.past.length) })),
    h("dl", { class: "sums" },
      fact("planSoFar", rial(told.collected_rial), t("rial")), fact("planWhole", rial(made.rial), t("rial"), "forecast"),
      fact("planInterval", `${rial(made.low_rial)} – ${rial(made.high_rial)}`, t("rial")),
      fact("planError", error ? perCent(error.median_error_ppm) : "–", error ? t("planTested", { tested: digits(error.tested), inside: digits(error.inside) }) : t("planUntested"))),
    curves(told),
    behind([t("year"), t("planTotal"), t("planShare"), t("planAlike")], made.past.map((of) => [digits(of.year), rial(of.total_rial), perCent(of.share_ppm), rial(of.forecast_rial)]), t("planAlike")),
    told.backtest.length > 0 && behind([t("planBy"), t("planMedian"), t("planWorst"), t("planInside")],
      told.backtest.map((of, place) => [monthName(`0000-${String(place + 1).padStart(2, "0")}`), perCent(of.median_error_ppm), perCent(of.worst_error_ppm), digits(`${of.inside}/${of.tested}`)]), t("planBacktest"), t("planBacktest")),
    h("p", { class: "what" }, t("planCaveat"), " ", means));
}

const fact = (name, value, small, id) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, h("span", { class: "number", id: id ?? null }, value), " ", h("small", {}, small)));

const [WIDTH, FLOOR, TOP] = [480, 172, 16];

/** Each year's collection by month as a line, this year's in colour, and the forecast with its interval at the end. */
function curves(told) {
  const made = told.forecast;
  const sums = told.curves.flatMap((of) => of.by_month_rial).concat(made.high_rial, told.collected_rial).map(BigInt);
  const most = sums.reduce((top, value) => (value > top ? value : top), 0n);
  const step = (WIDTH - 40) / 12;
  const x = (month) => { const at = 20 + month * step; return language() === "fa" ? WIDTH - at : at; };
  const y = (value) => FLOOR - ((FLOOR - TOP) * permille(BigInt(value), most)) / 1000;
  const lines = told.curves.map((of) => {
    const points = [[0, "0"], ...of.by_month_rial.map((value, place) => [place + 1, value])];
    if (of.year === told.year) points.push([(told.day_of_year * 12) / 365, told.collected_rial]);
    return s("polyline", { class: of.year === told.year ? "curve now" : "curve", points: points.map(([month, value]) => `${x(month).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }, s("title", {}, digits(of.year)));
  });
  const end = x(12);
  return s("svg", { class: "chart curves", viewBox: `0 0 ${WIDTH} 196`, role: "img", "aria-label": t("planChart", { low: billions(BigInt(made.low_rial)), high: billions(BigInt(made.high_rial)) }), direction: "ltr" },
    s("line", { class: "axis", x1: 0, x2: WIDTH, y1: FLOOR, y2: FLOOR }), ...lines,
    s("line", { class: "interval", x1: end, x2: end, y1: y(made.low_rial), y2: y(made.high_rial) }),
    s("line", { class: "interval", x1: end - 6, x2: end + 6, y1: y(made.low_rial), y2: y(made.low_rial) }),
    s("line", { class: "interval", x1: end - 6, x2: end + 6, y1: y(made.high_rial), y2: y(made.high_rial) }),
    s("circle", { class: "point", cx: end, cy: y(made.rial), r: 4.5 }),
    ...[3, 6, 9, 12].map((month) => s("text", { x: x(month - 0.5), y: FLOOR + 17, "text-anchor": "middle" }, monthName(`0000-${String(month).padStart(2, "0")}`))));
}

function ages(told) {
  const rows = told.collected_by_age.map((of) => [of.year === "untold" ? t("age.untold") : digits(of.year), ...AGES.map((age) => rial(of.ages[age] ?? "0"))]);
  return h("section", {}, h("h3", {}, t("planAges")),
    behind([t("year"), ...AGES.map((age) => t(`age.${age}`))], rows, t("planAges")),
    h("p", { class: "what" }, h("a", { href: "#def-collected_by_age" }, t("definition"))));
}

function comparison(city, cities, told) {
  const answer = h("div", { class: "answer", role: "status" });
  const day = h("input", { id: "effect-day", type: "text", inputmode: "numeric", required: true, dir: "ltr", placeholder: digits("1404/11/10"), autocomplete: "off" });
  const length = h("select", { id: "effect-days" }, [7, 14, 30, 60].map((days) => h("option", { value: days, selected: days === 14 }, digits(days))));
  const others = cities.filter((of) => of.municipality !== city).map((of) => {
    const box = h("input", { type: "checkbox", value: of.municipality, checked: true });
    return { box, label: h("label", { class: "tick" }, box, " ", language() === "fa" ? of.name_fa : of.name_en) };
  });
  const form = h("form", { class: "effect", onsubmit: compare },
    h("div", { class: "choose" }, h("label", {}, t("effectDay"), day), h("label", {}, t("effectDays"), length)),
    others.length > 0 && h("fieldset", {}, h("legend", {}, t("effectAgainst")), others.map((of) => of.label)),
    h("button", { class: "button", type: "submit", id: "effect-compare" }, t("effectCompare")));
  async function compare(event) {
    event.preventDefault();
    fill(answer, h("p", { class: "what" }, t("loading")));
    const ticked = others.filter((of) => of.box.checked).map((of) => of.box.value);
    const against = ticked.length === 0 || ticked.length > 20 ? "all" : ticked.join(",");
    const written = asciiDigits(day.value.trim()).replaceAll("/", "-");
    const found = await effects(city, written, length.value, against).catch((fault) => fault);
    fill(answer, found instanceof Error ? h("p", { class: "notice" }, found.said ?? t("failed")) : effect(found, ticked.length > 0));
  }
  return h("section", {}, h("h3", {}, t("effectTitle")), h("p", { class: "what" }, t("effectLead")),
    told.as_of_jalali && h("p", { class: "what" }, t("effectUntil", { at: jalaliText(told.as_of_jalali) })), form, answer);
}

function effect(found, withOthers) {
  const row = (name, of) => [t(name), ...(of ? [rial(of.before_rial), rial(of.after_rial), perCent(of.change_ppm, true)] : ["–", "–", "–"])];
  const rows = [row("effectCity", found.city), row("effectCityBefore", found.city_year_before),
    ...(withOthers ? [row("effectOthers", found.others), row("effectOthersBefore", found.others_year_before)] : [])];
  const did = [["effectOverYear", found.over_own_year_ppm], ...(withOthers ? [["effectOverOthers", found.over_others_ppm], ["effectOverBoth", found.over_both_ppm]] : [])];
  const table = [["", "before_rial", "after_rial", "change_ppm"], ...["city", "city_year_before", "others", "others_year_before"].map((name) => [name, ...["before_rial", "after_rial", "change_ppm"].map((of) => found[name]?.[of] ?? "")]), ...["over_own_year_ppm", "over_others_ppm", "over_both_ppm"].map((name) => [name, "", "", found[name] ?? ""])];
  const csv = `\ufeff${table.map((cells) => cells.join(",")).join("\r\n")}\r\n`;
  return [
    behind(["", t("effectBefore"), t("effectAfter"), t("effectChange")], rows, t("effectTitle"), t("effectTable"), true),
    h("dl", { class: "sums" }, did.map(([name, ppm]) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, perCent(ppm, true), " ", h("small", {}, t("effectPoints")))))),
    h("p", { class: "what" }, t("effectCaveat"), " ", h("a", { href: "#def-effect" }, t("definition"))),
    h("p", {}, h("a", { href: `data:text/csv;charset=utf-8,${encodeURIComponent(csv)}`, download: `effect-${found.municipality}-${found.day_jalali}.csv` }, "CSV")),
  ];
}
