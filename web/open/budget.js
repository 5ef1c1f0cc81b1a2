// What a city spends the duty on, as its officers published it: plan and actuals of a fiscal year.
import { fill, h } from "/common/dom.js";
import { dateTime, digits, language, money as grouped } from "/common/text.js";
import { pairs } from "./charts.js";
import { percent, sum } from "./figures.js";
import { t } from "./words.js";

/** The card; `collected` are the city's rows of money, to set beside what was spent of them. */
export function budgetCard(told, collected) {
  const place = h("div", { class: "budget" });
  const years = told.years.map((of) => of.year);
  const show = (year) => fill(place, ofYear(told, told.years.find((of) => of.year === year), collected));
  if (years.length) show(years[0]);
  return h("section", { class: "card wide", id: "budget", tabindex: "-1" },
    h("div", { class: "card-head" }, h("h2", {}, t("budget"), " – ", language() === "fa" ? told.name_fa : told.name_en),
      years.length > 1 && h("label", {}, t("budgetYear"), " ", h("select", { id: "budget-year", onchange: (event) => show(Number(event.target.value)) },
        years.map((year) => h("option", { value: year }, digits(year)))))),
    years.length ? place : h("p", {}, t("budgetNone")),
    h("p", { class: "what" }, h("a", { href: "#def-budget" }, t("definition"))));
}

const rial = (value) => grouped(String(value));

function ofYear(told, year, collected) {
  const names = new Map(told.categories.map((of) => [of.code, language() === "fa" ? of.title_fa : of.title_en]));
  const amounts = (part) => new Map((part?.lines ?? []).map((line) => [line.category, line]));
  const [plan, actual] = [amounts(year.plan), amounts(year.actual)];
  const both = year.actual !== null;
  const shown = [...names.keys()].filter((code) => plan.has(code) || actual.has(code));
  const totals = [BigInt(year.plan.total_rial), ...(both ? [BigInt(year.actual.total_rial)] : [])];
  const rows = shown.map((code) => {
    const lines = [plan.get(code), ...(both ? [actual.get(code)] : [])];
    const values = lines.map((line) => BigInt(line?.rial ?? 0));
    const said = lines.findLast((line) => line?.[`text_${language()}`]);
    return { name: names.get(code), note: said?.[`text_${language()}`], values, cells: values.flatMap((value, place) => [rial(value), percent(value, totals[place])]) };
  });
  rows.push({ name: t("budgetTotal"), values: [], strong: true, cells: totals.flatMap((total) => [rial(total), ""]) });
  const parts = ["budgetPlan", ...(both ? ["budgetActual"] : [])];
  const taken = collected.filter((row) => row.month.startsWith(String(year.year)));
  return [
    h("p", { class: "what" }, t("budgetLead", { year: digits(year.year) })),
    taken.length > 0 && h("p", {}, t("budgetCollected", { year: digits(year.year) }), " ", h("span", { class: "number", id: "budget-collected" }, rial(sum(taken))), " ", t("rial")),
    pairs(rows, [t("budgetCategory"), ...parts.flatMap((part) => [`${t(part)} (${t("rial")})`, t("share")])], t("budget")),
    h("p", { class: "file-line" }, h("span", { class: "what" }, t("budgetVersion", { version: digits(year.version), at: dateTime(year.published_at) })), " ",
      Object.entries(year.files).map(([form, href]) => [h("a", { href, download: "" }, form.toUpperCase()), " "])),
    year.versions.length > 1 && h("details", {}, h("summary", {}, t("budgetVersions")), h("ul", {}, year.versions.slice(0, -1).reverse().map((of) =>
      h("li", {}, h("a", { href: of.files.json }, t("budgetVersion", { version: digits(of.version), at: dateTime(of.published_at) })))))),
  ];
}
