// What a draft would do to the city's roll: sums, before and after by class, year and age, and the largest changes.
import { h } from "/common/dom.js";
import { line } from "/common/charts.js";
import { digits, jalaliText, language, money, todayJalali } from "/common/text.js";
import { plateText } from "/common/plate.js";
import { t } from "/common/desk/words/messages.js";
import { word } from "/common/desk/page/shell.js";
import { notice, table } from "../../pieces.js";

export function drawSimulation(told) {
  const [city] = told.cities;
  if (!city) return [h("h2", {}, t("simulationTitle")), notice("warn", t("simulationNone"))];
  const day = jalaliText(todayJalali(new Date(`${told.as_of}T12:00:00+03:30`)));
  return [
    h("h2", {}, t("simulationTitle")),
    h("p", { class: "soft" }, t("simulationLead", { day }), told.one_in > 1 && ` (${t("oneIn", { count: digits(told.one_in) })})`),
    sums(city.totals),
    city.without_tariff.length > 0 && notice("warn", h("p", {}, t("withoutTariff")), h("ul", {}, city.without_tariff.map((one) =>
      h("li", {}, t("withoutRow", { vehicles: digits(one.vehicles), class: word("class", one.vehicle_class), year: digits(one.year) }))))),
    h("p", { class: "legend" }, h("span", {}, t("beforeSum")), h("span", { class: "second" }, t("afterSum")), t("rialUnit")),
    h("h3", {}, t("byClass")),
    pairs(city.by_class, t("classHead"), (one) => word("class", one.vehicle_class), t("byClass")),
    h("h3", {}, t("byYear")),
    pairs(city.by_year, t("yearHead"), (one) => digits(one.year), t("byYear")),
    h("h3", {}, t("byAge")),
    pairs(city.by_age, t("ageHead"), (one) => t("ageYears", { age: digits(one.age_years.replace("-", "–")) }), t("byAge")),
    city.examples.length > 0 && [h("h3", {}, t("examples")), examples(city.examples)],
  ];
}

function sums(totals) {
  const rial = (label, id, amount, kind = null) => h("div", {}, h("dt", {}, label), h("dd", { id, class: kind }, h("span", { class: "number" }, money(amount)), " ", h("small", {}, t("rial"))));
  const count = (label, id, number) => h("div", {}, h("dt", {}, label), h("dd", { id }, money(number)));
  return h("dl", { class: "sums" },
    rial(t("beforeSum"), "sum-before", totals.before_rial), rial(t("afterSum"), "sum-after", totals.after_rial),
    rial(t("difference"), "sum-difference", totals.difference_rial),
    count(t("losers"), "losers", totals.losers), count(t("winners"), "winners", totals.winners), count(t("same"), "same", totals.unchanged));
}

/** A row for each group with both amounts as bars, one under the other, and what changes. */
function pairs(groups, head, name, caption) {
  const most = groups.flatMap((one) => [BigInt(one.before_rial), BigInt(one.after_rial)]).reduce((top, amount) => (amount > top ? amount : top), 0n);
  const counted = groups.some((one) => "losers" in one);
  return h("div", { class: "table-place", tabindex: "0", role: "region", "aria-label": caption }, h("table", {},
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, head), h("td", { class: "line" }),
      [t("beforeHead"), t("afterHead"), t("changeHead"), counted && t("affected")].filter(Boolean).map((label) => h("th", { scope: "col", class: "amount" }, label)))),
    h("tbody", {}, groups.map((one) => {
      const [before, after] = [BigInt(one.before_rial), BigInt(one.after_rial)];
      return h("tr", { dataset: { group: one.vehicle_class ?? one.year ?? one.age_years } }, h("th", { scope: "row" }, name(one)),
        h("td", { class: "line" }, h("div", { class: "two-lines" }, line(before, most), h("div", { class: "tone-2" }, line(after, most)))),
        h("td", { class: "amount" }, money(before)), h("td", { class: "amount" }, money(after)),
        h("td", { class: `amount ${after > before ? "up" : after < before ? "down" : ""}` }, signed(after - before)),
        counted && h("td", { class: "amount" }, money(one.losers + one.winners)));
    }))));
}

function signed(amount) {
  return amount > 0n ? `+${money(amount)}` : money(amount);
}

function examples(list) {
  const words = language() === "fa" ? "text_fa" : "text_en";
  return table(t("examples"), ["plateHead", "beforeHead", "afterHead", "whyHead"].map((key) => t(key)), list.map((one) => h("tr", {},
    h("th", { scope: "row" }, h("bdi", {}, plateText(one.plate))),
    h("td", { class: "end" }, money(one.before_rial)), h("td", { class: "end" }, money(one.after_rial)),
    h("td", {}, one.changes.map((change) => h("span", { class: "block" }, change[words]))))));
}
