// One screen from the car to the button: who it is, every city's standing, and the chosen city's quote.
import { fill, h, icon } from "/common/dom.js";
import { drawPlate } from "/common/plate.js";
import { digits, money, yearRanges } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { once } from "/common/desk/service/attempts.js";
import { announce, cityName, go, loading, newSearch, problemBox, rename, state, word } from "../../shell.js";
import { t } from "../../messages.js";
import { loadTerminals } from "../pay/panel.js";
import { drawQuote } from "./quote.js";

/** The standing as the views use it: `{plate, vehicle, cities: [{municipality, owed_rial, paid_through_year, years}]}`. */
export function standingOf(answer) {
  const vehicle = answer.vehicle ?? answer;
  return { plate: answer.plate ?? vehicle.plate, vehicle, cities: answer.municipalities ?? answer.standing ?? [] };
}

export async function vehicleView(main, { id, signal }) {
  if (id && state.assessment?.assessment_id !== id) {
    fill(main, loading(t("loading")));
    try {
      state.assessment = await call("GET", `/v1/assessments/${id}`);
    } catch (problem) {
      if (!signal.aborted) fill(main, problemBox(problem, retry(() => vehicleView(main, { id, signal })), again()));
      return;
    }
    if (signal.aborted) return;
    if (!isOf(state.standing, state.assessment)) state.standing = null;
  }
  if (!id && !state.standing) return go("search");
  const place = { side: h("aside", { class: "card side" }), quote: h("section", { class: "card quote" }), signal };
  place.assess = (municipality, options) => assess(place, municipality, options);
  fill(main, h("div", { class: "desk" }, place.side, place.quote));
  loadTerminals();
  drawSide(place);
  if (id) return drawQuote(place);
  const first = state.standing.cities.find((city) => BigInt(city.owed_rial ?? 0) > 0n) ?? state.standing.cities[0];
  if (first) return assess(place, first.municipality);
  return fill(place.quote, h("p", { class: "notice notice-warn" }, t("noCities")), again());
}

function drawSide(place) {
  const { standing, assessment } = state;
  const vehicle = standing?.vehicle;
  const facts = vehicle ? vehicleFacts(vehicle) : [];
  fill(place.side,
    h("div", { class: "plate-place" }, drawPlate(standing?.plate ?? assessment.plate)),
    vehicle && h("h2", { class: "car" }, [vehicle.make, vehicle.model].filter(Boolean).join(" ") || t("vehicle")),
    facts.length > 0 && h("dl", { class: "facts" }, facts.map(([label, value]) => [h("dt", {}, label), h("dd", {}, value)])),
    standing && h("h2", { id: "cities-title" }, t("cities")),
    standing && h("ul", { class: "cities", "aria-labelledby": "cities-title" }, standing.cities.map((city) => h("li", {}, cityButton(city, place)))),
    !standing && h("p", {}, h("b", { dataset: { city: assessment.municipality } }, cityName(assessment.municipality))));
}

function vehicleFacts(vehicle) {
  const year = vehicle.model_year && h("span", {}, digits(vehicle.model_year), " ", h("small", { class: "soft" }, word("calendar", vehicle.model_calendar)));
  return [
    [t("model"), year],
    [t("class"), word("class", vehicle.vehicle_class ?? vehicle.class)],
    [t("origin"), word("origin", vehicle.origin)],
    [t("fuel"), word("fuel", vehicle.fuel)],
    [t("vin"), vehicle.vin && h("bdi", { class: "identifier-text" }, vehicle.vin)],
  ].filter(([, value]) => value);
}

function cityButton(city, place) {
  const known = city.owed_rial !== null && city.owed_rial !== undefined;
  const owes = known && BigInt(city.owed_rial) > 0n;
  const current = state.assessment?.municipality === city.municipality;
  return h("button", { type: "button", class: "city", "aria-pressed": String(current), dataset: { municipality: city.municipality }, onclick: () => assess(place, city.municipality) },
    h("span", { class: "city-name", dataset: { city: city.municipality } }, cityName(city.municipality)),
    h("span", { class: owes ? "owed" : "clear" }, owes ? [h("span", { class: "number" }, money(city.owed_rial)), " ", t("rial")] : known ? [icon("check"), t("nothingOwedShort")] : t(city.tariff_missing ? "noTariffShort" : "notKnownShort")),
    h("small", { class: "soft" }, city.paid_through_year ? t("paidThrough", { year: digits(city.paid_through_year) }) : t("neverPaid"),
      owes && Array.isArray(city.years) && city.years.length > 0 && [" · ", t("yearsOwed", { years: yearRanges(city.years.map(yearOf)) })]));
}

/** Whether the standing is that of the quoted car, under whatever plate its city knows it. */
function isOf(standing, { municipality, plate }) {
  return [standing?.plate, standing?.cities.find((city) => city.municipality === municipality)?.plate].some((one) => keyOf(one) === keyOf(plate));
}

const yearOf = (item) => (typeof item === "object" ? item.year : item);
const keyOf = (plate) => (typeof plate === "string" ? plate : plate?.key);

async function assess(place, municipality, { throughYear = null } = {}) {
  const { side, quote, signal } = place;
  const choosing = document.activeElement?.id === "through-year"; // an arrow key chooses at once: the next one goes on choosing
  for (const button of side.querySelectorAll(".city")) button.setAttribute("aria-pressed", String(button.dataset.municipality === municipality));
  fill(quote, loading(t("assessing")));
  announce(t("assessing"));
  const plate = keyOf(state.standing?.plate ?? state.assessment?.plate);
  try {
    const body = { municipality, plate, ...(throughYear ? { through_year: throughYear } : {}) };
    state.assessment = await once("assess", "POST", "/v1/assessments", body);
    state.notice = null;
  } catch (problem) {
    if (!signal.aborted) fill(quote, problemBox(problem, retry(() => assess(place, municipality, { throughYear })), again()));
    return;
  }
  if (signal.aborted) return;
  rename("assessment", state.assessment.assessment_id);
  drawSide(place);
  drawQuote(place);
  if (choosing) quote.querySelector("#through-year")?.focus({ preventScroll: true });
}

function retry(action) {
  return h("button", { type: "button", class: "button", onclick: action }, t("retry"));
}

function again() {
  return h("button", { type: "button", class: "button quiet", onclick: newSearch }, t("newSearch"));
}
