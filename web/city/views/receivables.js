// What the city is owed: sums, charts, ageing, and the table of duty years and classes.
import { fill, h, icon } from "/common/dom.js";
import { bars, behind, columns } from "/common/charts.js";
import { dateTime, digits, jalaliText, language, money } from "/common/text.js";
import { call, Problem } from "/common/desk/service/api.js";
import { download } from "/common/desk/service/download.js";
import { addWords, has, t } from "/common/desk/words/messages.js";
import { busy, loading, problemBox, retryBox, word } from "/common/desk/page/shell.js";
import { scaled } from "../amounts.js";
import { facts, notice, table } from "../pieces.js";
import { RECEIVABLES } from "../words/receivables.js";

addWords(RECEIVABLES);

export async function show(main, shown) {
  const { signal, officer } = shown;
  fill(main, loading());
  try {
    const told = await call("GET", officer.here("/receivables"));
    if (!signal.aborted) draw(main, told, officer);
  } catch (problem) {
    if (signal.aborted) return;
    if (problem instanceof Problem && problem.code === "receivables_not_found") drawNone(main);
    else fill(main, retryBox(problem, () => show(main, shown)));
  }
  main.querySelector("h1")?.focus({ preventScroll: true });
}

function drawNone(main) {
  fill(main, h("section", { class: "card narrow" }, h("h1", { tabindex: "-1" }, t("receivablesTitle")), h("p", {}, t("receivablesNone")),
    h("div", { class: "actions" }, h("a", { class: "button primary", href: "#/roll" }, t("toRoll")))));
}

function draw(main, told, officer) {
  const message = h("div", { class: "form-message" });
  const csv = h("button", { type: "button", class: "button", id: "csv" }, icon("down"), t("asCsv"));
  csv.addEventListener("click", async () => {
    fill(message);
    try {
      await busy(csv, t("working"), () => download(officer.here("/receivables.csv"), `${told.municipality}-receivables.csv`));
    } catch (problem) {
      fill(message, problemBox(problem));
    }
  });
  fill(main,
    h("div", { class: "head" },
      h("div", {}, h("h1", { tabindex: "-1" }, t("receivablesTitle")), h("p", { class: "soft" }, t("receivablesLead")),
        h("p", { class: "soft" }, t("asOf", { day: jalaliText(told.as_of_jalali) }), " · ", t("computedAt", { at: dateTime(told.computed_at) }))),
      h("div", { class: "actions" }, csv, h("button", { type: "button", class: "button quiet", id: "print", onclick: () => window.print() }, icon("print"), t("printThis")))),
    message,
    sums(told),
    told.not_assessed > 0 && notice("warn", t("notAssessedHint", { count: digits(told.not_assessed) })),
    h("div", { class: "columns" },
      h("section", { class: "card" }, h("h2", {}, t("openByYear")), byYear(told)),
      h("section", { class: "card bars", id: "ageing" }, h("h2", {}, t("ageingTitle")), h("p", { class: "soft" }, t("ageingLead")), ageing(told)),
      h("section", { class: "card bars" }, h("h2", {}, t("byClass")), byClass(told)),
      h("section", { class: "card" }, h("h2", {}, t("basisTitle")), h("p", { class: "soft" }, t("basisLead")), basis(told)),
      h("section", { class: "card wide" }, h("h2", {}, t("tableTitle")), yearTable(told))));
}

function sums({ totals, vehicles }) {
  const sum = (label, id, rial, more = null) => h("div", {}, h("dt", {}, label), h("dd", { id }, h("span", { class: "number" }, money(rial)), " ", h("small", {}, t("rial")), more && h("small", { class: "block" }, more)));
  return h("dl", { class: "sums" },
    sum(t("openSum"), "open-sum", totals.open_rial, t("penaltyOf", { rial: money(totals.open_penalty_rial) })),
    sum(t("collectedSum"), "collected-sum", totals.collected_rial),
    sum(t("owedSum"), "owed-sum", totals.owed_rial),
    h("div", {}, h("dt", {}, t("owingVehicles")), h("dd", { id: "owing" }, money(totals.vehicles_owing), h("small", { class: "block" }, t("ofVehicles", { count: money(vehicles) })))));
}

/** `[key, rows]` of the rows under each value of `column`, in the order in which they come. */
function grouped(rows, column) {
  const groups = new Map();
  for (const row of rows) groups.set(row[column], [...(groups.get(row[column]) ?? []), row]);
  return [...groups];
}

const sumOf = (rows, name) => rows.reduce((sum, row) => sum + BigInt(row[name]), 0n);
const yearName = (year) => (year ? digits(year) : t("unknownYear"));

function byYear(told) {
  const years = grouped(told.rows.filter((row) => row.duty_year), "duty_year").map(([year, rows]) => ({ year, open: sumOf(rows, "open_rial") }));
  const { unit, text } = scaled(years.map((one) => one.open));
  const points = years.map(({ year, open }) => ({ label: digits(year), name: digits(year), value: open, shown: text(open) }));
  return [
    h("p", { class: "soft" }, unit),
    columns(points, t("openByYear")),
    h("div", { class: "behind bars" }, behind([t("yearHead"), t("openHead")], years.map(({ year, open }) => [digits(year), money(open)]), t("openByYear"), t("asTable"))),
  ];
}

function ageName(band) {
  return has(`age.${band}`) ? t(`age.${band}`) : t("age.years", { years: digits(band.replace("-", "–")) });
}

function ageing(told) {
  const rows = told.ageing.map((band) => ({ name: ageName(band.late_years), value: BigInt(band.open_rial), cells: [money(band.vehicles), money(band.open_rial)] }));
  return bars(rows, [t("ageHead"), t("vehiclesHead"), t("openHead")], t("ageingTitle"));
}

function byClass(told) {
  const rows = grouped(told.rows, "vehicle_class").map(([name, of]) => ({ name: word("class", name), value: sumOf(of, "open_rial") }));
  rows.sort((one, other) => (one.value < other.value ? 1 : -1));
  return bars(rows.map((row) => ({ ...row, cells: [money(row.value)] })), [t("classHead"), t("openHead")], t("byClass"));
}

function basis(told) {
  const { commitment } = told;
  return facts(
    [t("rollVersions"), digits(commitment.roll_versions.join(language() === "fa" ? "، " : ", "))],
    [t("tariffVersion"), h("bdi", { class: "id" }, commitment.tariff_version)],
    [t("chainPlace"), h("span", {}, digits(commitment.sequence), " ", h("bdi", { class: "id" }, commitment.hash))],
    [t("oneByOne"), money(told.one_by_one)],
    [t("notAssessed"), digits(told.not_assessed)]);
}

/** The years newest first; of one class, or of all together. */
function yearTable(told) {
  const place = h("div", {});
  const classes = grouped(told.rows, "vehicle_class").map(([name]) => name);
  const select = h("select", { id: "class" }, h("option", { value: "" }, t("allClasses")), classes.map((name) => h("option", { value: name }, word("class", name))));
  const redraw = () => fill(place, drawYears(told.rows.filter((row) => !select.value || row.vehicle_class === select.value)));
  select.addEventListener("change", redraw);
  redraw();
  return [h("div", { class: "filter" }, h("label", { for: "class" }, t("classHead"), select), h("p", { class: "soft" }, t("rialUnit"))), place];
}

function drawYears(rows) {
  const heads = ["yearHead", "owedHead", "collectedHead", "remainingHead", "penaltyHead", "openDuties", "paidDuties"].map((key) => t(key));
  const line = (of) => ["owed_rial", "collected_rial", "open_rial", "open_penalty_rial"].map((name) => h("td", { class: "end" }, money(sumOf(of, name))))
    .concat(["duties_open", "duties_paid"].map((name) => h("td", { class: "end" }, money(sumOf(of, name)))));
  const years = grouped(rows, "duty_year").toSorted(([one], [other]) => other - one);
  const made = table(t("tableTitle"), heads, [
    years.map(([year, of]) => h("tr", { dataset: { year } }, h("th", { scope: "row" }, yearName(year)), line(of))),
    h("tr", { class: "year-total" }, h("th", { scope: "row" }, t("owedAll")), line(rows)),
  ]);
  for (const head of [...made.querySelectorAll("thead th")].slice(1)) head.classList.add("end");
  return made;
}
