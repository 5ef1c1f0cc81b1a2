// A tariff's rows as people read them, whether they are in force or in a draft.
import { digits, jalaliText, language, money, yearRanges } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { word } from "/common/desk/page/shell.js";

/** The tariff in force, with its rows and laws at hand. */
export async function inForce() {
  const told = await call("GET", "/v1/tariffs/versions/current");
  const document = told.document ?? (await (await fetch(told.document_url, { credentials: "omit" })).json());
  return { ...told, rows: document.rows, laws: document.laws };
}

/** What the check says, in the page's language. */
export function findingText(one) {
  return language() === "fa" ? one.message_fa : one.message_en;
}

/** What a row says, in one line: years, vehicles, how much, when. */
export function rowText(row) {
  const parts = [];
  if (row.duty_years) parts.push(yearRanges([row.duty_years]));
  if (row.kind !== "setting") parts.push((row.classes ?? []).map((name) => word("class", name)).join(language() === "fa" ? "، " : ", ") || t("everyClass"));
  if (row.rate) parts.push(rateText(row.rate));
  if (row.flat_rial) parts.push(`${money(row.flat_rial)} ${t("rial")}`);
  if (row.of) parts.push(row.of.map((name) => word("of", name)).join(" + "));
  for (const name of SETTINGS.map(([key]) => key)) if (name in row) parts.push(`${t(`setting.${name}`)}: ${settingText(name, row[name])}`);
  const days = [row.as_of_from_jalali, row.as_of_to_jalali].map((day) => (day ? jalaliText(day) : "…"));
  if (row.as_of_from_jalali || row.as_of_to_jalali) parts.push(days.join(" – "));
  return parts.join(" · ");
}

/** "1.5/1000" as people say it, «۱٫۵ در هزار» or "1.5 per thousand"; what is none of these two stands as it was written. */
export function rateText(rate) {
  const [, number, of] = /^([0-9.]+)\/(1000|100)$/.exec(rate) ?? [];
  return number ? t(`rate.${of}`, { number: decimal(number) }) : decimal(rate);
}

const decimal = (text) => digits(language() === "fa" ? text.replace(".", "٫") : text);

function settingText(name, value) {
  if (name === "first_year") return value === "whole" ? t("firstYearWhole") : t("firstYearMonths");
  if (name === "instalment_surcharge") return rateText(String(value));
  return name.endsWith("_rial") ? money(value) : digits(String(value));
}

/** The settings that are a city's own: name, and how it is written. */
export const SETTINGS = [
  ["first_duty_year", "number"],
  ["rounding_unit_rial", "rial"],
  ["first_year", "choice"],
  ["clearance_threshold_rial", "rial"],
  ["instalments_max", "number"],
  ["instalment_every_months", "number"],
  ["instalment_grace_days", "number"],
  ["instalment_least_rial", "rial"],
  ["instalment_surcharge", "rate"],
];
