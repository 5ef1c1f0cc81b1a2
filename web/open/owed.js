// What cities are owed for each duty year that has ended, beside what was collected of it.
import { h } from "/common/dom.js";
import { digits, jalaliText, money as grouped } from "/common/text.js";
import { behind, pairs } from "./charts.js";
import { by, percent, sum } from "./figures.js";
import { named, t } from "./words.js";

const rial = (value) => grouped(String(value));

/** The card; `owed` is what `owedOf` gave, `collected` the rows of money of any city. Nothing where no city told any. */
export function owedCard(owed, collected, names) {
  if (owed.rows.length === 0) return false;
  const place = (row) => `${row.municipality} ${row.duty_year}`;
  const known = new Set(owed.rows.map(place));
  const paid = collected.filter((row) => owed.cities.includes(row.municipality));
  const days = [...new Set(owed.days)].sort();
  const years = by(owed.rows, "duty_year").sort(([a], [b]) => (a < b ? 1 : -1));
  const matched = paid.filter((row) => known.has(place(row)));
  const of = (year) => matched.filter((row) => row.duty_year === year);
  const both = (charged, came) => [rial(charged), rial(came), percent(came, charged)];
  const rows = years.map(([year, told]) => {
    const values = [sum(told), sum(of(year))];
    return { name: digits(year), values, cells: both(...values) };
  });
  rows.push({ name: t("owedTotal"), values: [], strong: true, cells: both(sum(owed.rows), sum(matched)) });
  return h("section", { class: "card wide", id: "owed" }, h("h2", {}, t("owedTitle")),
    h("p", { class: "what" }, t(days.length > 1 ? "owedLeadDays" : "owedLead", { from: jalaliText(days[0]), at: jalaliText(days.at(-1)) })),
    pairs(rows, [t("byDutyYear"), t("owedCharged"), t("owedCollected"), t("share")], t("owedTitle")),
    h("p", { class: "what" }, t("owedRest", { rial: rial(sum(paid) - sum(matched)) }), " ", t("owedCaveat")),
    behind([t("byDutyYear"), ...(owed.cities.length > 1 ? [t("city")] : []), t("byClass"), t("owedVehicles"), t("owedCharged"), t("owedCollected")],
      classes(owed, matched, names), t("owedByClass"), t("owedByClass")),
    h("p", { class: "what" }, h("a", { href: "#def-owed" }, t("definition"))));
}

/** Each row that was told, with what was collected of the same year and class; then what was collected without its class. */
function classes(owed, paid, names) {
  const largest = (a, b) => (a.rial < b.rial ? 1 : -1);
  const city = (code) => (owed.cities.length > 1 ? [names.get(code)] : []);
  const years = by(owed.rows, (row) => `${row.duty_year} ${row.municipality}`).sort(([a], [b]) => (a < b ? 1 : -1));
  return years.flatMap(([, told]) => {
    const { duty_year: year, municipality } = told[0];
    const came = by(paid.filter((row) => row.municipality === municipality && row.duty_year === year), "vehicle_class");
    const own = new Map(came.map(([name, rows]) => [name, sum(rows)]));
    const line = (name, vehicles, charged, collected) => [digits(year), ...city(municipality), name, vehicles, charged, collected];
    const lines = [...told].sort(largest).map((row) => line(named("vehicle_class", row.vehicle_class), rial(row.vehicles), rial(row.rial),
      row.vehicle_class === "merged" ? "–" : rial(own.get(row.vehicle_class) ?? 0n)));
    const apart = new Set(told.map((row) => row.vehicle_class).filter((name) => name !== "merged"));
    const rest = [...own].filter(([name]) => !apart.has(name)).reduce((whole, [, value]) => whole + value, 0n);
    return rest ? [...lines, line(t("owedUntold"), "–", "–", rial(rest))] : lines;
  });
}
