// One screen from the car to the button: who it is, every city's standing, the chosen city's lines, the total.
import { fill, h, icon } from "/common/dom.js";
import { drawPlate } from "/common/plate.js";
import { dateTime, digits, language, longDate, money, sumRial, yearRanges } from "/common/text.js";
import { call } from "../api.js";
import { announce, busy, cityName, go, newSearch, problemBox, rename, state, word } from "../shell.js";
import { t } from "../messages.js";
import { cancelPayment, lockedBox, startPayment } from "../paying.js";

/** Up to this many years stand open; more begin closed, so that the total stays in sight. */
const YEARS_OPEN_MAX = 2;

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
    if (keyOf(state.standing?.plate) !== keyOf(state.assessment.plate)) state.standing = null;
  }
  if (!id && !state.standing) return go("search");
  const desk = h("div", { class: "desk" });
  const side = h("aside", { class: "card side" });
  const quote = h("section", { class: "card quote", "aria-live": "off" });
  desk.append(side, quote);
  fill(main, desk);
  drawSide(side, quote, signal);
  if (id) return drawQuote(quote, signal);
  const first = state.standing.cities.find((city) => BigInt(city.owed_rial ?? 0) > 0n) ?? state.standing.cities[0];
  if (first) return assess(first.municipality, side, quote, signal);
  return fill(quote, h("p", { class: "notice notice-warn" }, t("noCities")), again());
}

function drawSide(side, quote, signal) {
  const { standing, assessment } = state;
  const vehicle = standing?.vehicle;
  const facts = vehicle ? vehicleFacts(vehicle) : [];
  fill(side,
    h("div", { class: "plate-place" }, drawPlate(standing?.plate ?? assessment.plate)),
    vehicle && h("h2", { class: "car" }, [vehicle.make, vehicle.model].filter(Boolean).join(" ") || t("vehicle")),
    facts.length > 0 && h("dl", { class: "facts" }, facts.map(([label, value]) => [h("dt", {}, label), h("dd", {}, value)])),
    standing && h("h2", { id: "cities-title" }, t("cities")),
    standing && h("ul", { class: "cities", "aria-labelledby": "cities-title" }, standing.cities.map((city) => h("li", {}, cityButton(city, side, quote, signal)))),
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

function cityButton(city, side, quote, signal) {
  const known = city.owed_rial !== null && city.owed_rial !== undefined;
  const owes = known && BigInt(city.owed_rial) > 0n;
  const current = state.assessment?.municipality === city.municipality;
  return h("button", { type: "button", class: "city", "aria-pressed": String(current), dataset: { municipality: city.municipality }, onclick: () => assess(city.municipality, side, quote, signal) },
    h("span", { class: "city-name", dataset: { city: city.municipality } }, cityName(city.municipality)),
    h("span", { class: owes ? "owed" : "clear" }, owes ? [h("span", { class: "number" }, money(city.owed_rial)), " ", t("rial")] : known ? [icon("check"), t("nothingOwedShort")] : t(city.tariff_missing ? "noTariffShort" : "notKnownShort")),
    h("small", { class: "soft" }, city.paid_through_year ? t("paidThrough", { year: digits(city.paid_through_year) }) : t("neverPaid"),
      owes && Array.isArray(city.years) && city.years.length > 0 && [" · ", t("yearsOwed", { years: yearRanges(city.years.map(yearOf)) })]));
}

const yearOf = (item) => (typeof item === "object" ? item.year : item);
const keyOf = (plate) => (typeof plate === "string" ? plate : plate?.key);

async function assess(municipality, side, quote, signal) {
  for (const button of side.querySelectorAll(".city")) button.setAttribute("aria-pressed", String(button.dataset.municipality === municipality));
  fill(quote, loading(t("assessing")));
  announce(t("assessing"));
  const plate = keyOf(state.standing?.plate ?? state.assessment?.plate);
  try {
    state.assessment = await call("POST", "/v1/assessments", { body: { municipality, plate } });
    state.notice = null;
  } catch (problem) {
    if (!signal.aborted) fill(quote, problemBox(problem, retry(() => assess(municipality, side, quote, signal)), again()));
    return;
  }
  if (signal.aborted) return;
  rename("assessment", state.assessment.assessment_id);
  drawSide(side, quote, signal);
  drawQuote(quote, signal);
}

function drawQuote(quote, signal) {
  const { assessment } = state;
  const groups = byYear(assessment.lines);
  const open = groups.filter(([year]) => year !== null).length <= YEARS_OPEN_MAX;
  const owes = BigInt(assessment.owed_rial) > 0n;
  const city = cityName(assessment.municipality);
  const details = groups.map(([year, lines]) => yearGroup(year, lines, open));
  const toggle = h("button", { type: "button", class: "button quiet small", onclick: () => {
    const closed = details.some((item) => !item.open);
    for (const item of details) item.open = closed;
    toggle.textContent = t(closed ? "closeAll" : "openAll");
  } }, t(open ? "closeAll" : "openAll"));
  const message = h("div", { class: "pay-message" });
  const pay = h("button", { type: "button", class: "button primary big", id: "pay" }, icon("card"), t("pay"));
  pay.addEventListener("click", () => payNow(pay, message, quote, signal));
  fill(quote,
    h("div", { class: "quote-head" },
      h("div", {}, h("h1", { tabindex: "-1" }, t("assessmentTitle", { city })),
        h("p", { class: "soft" }, t("asOf", { date: longDate(`${assessment.as_of}T08:00:00Z`) }), " · ", t("validUntil", { time: dateTime(assessment.expires_at) }))),
      details.length > 1 && toggle),
    state.notice && h("div", { class: "notice notice-warn", role: "alert" }, icon("warn"), h("p", {}, t(state.notice))),
    h("div", { class: "years" }, details),
    assessment.not_assessed_before && h("p", { class: "soft small-print" }, t("notAssessedBefore", { year: digits(assessment.not_assessed_before) })),
    owes
      ? h("div", { class: "total" }, message, h("div", {}, h("span", {}, t("total")), h("strong", { id: "owed" }, h("span", { class: "number" }, money(assessment.owed_rial)), " ", h("small", {}, t("rial")))), pay)
      : h("div", { class: "total clear" }, icon("check"), h("div", {}, h("strong", {}, t("nothingOwedTitle")), h("p", {}, t("nothingOwedText")))));
  announce(owes ? `${t("total")} ${money(assessment.owed_rial)} ${t("rial")}` : t("nothingOwedTitle"));
  if (owes) pay.focus({ preventScroll: true });
  else quote.querySelector("h1").focus({ preventScroll: true });
}

function byYear(lines) {
  const groups = new Map();
  for (const line of lines) {
    const year = line.kind === "rounding" ? null : line.year ?? null;
    if (!groups.has(year)) groups.set(year, []);
    groups.get(year).push(line);
  }
  return [...groups].sort(([a], [b]) => (a === null ? 1 : b === null ? -1 : a - b));
}

function yearGroup(year, lines, open) {
  const title = year === null ? t("wholeQuote") : t("year", { year: digits(year) });
  return h("details", { class: "year", open },
    h("summary", {}, h("span", { class: "year-title" }, title),
      h("span", { class: "kinds soft" }, [...new Set(lines.map((line) => word("kind", line.kind)))].join(language() === "fa" ? "، " : ", ")),
      h("b", { class: "number" }, money(sumRial(lines.map((line) => line.amount_rial))))),
    h("ul", {}, lines.map((line) => lineItem(line, year))));
}

function lineItem(line, year) {
  const id = `how-${year}-${line.kind}-${Math.random().toString(36).slice(2, 8)}`;
  const arithmetic = h("div", { class: "arithmetic", id, hidden: true },
    h("p", {}, line[language() === "fa" ? "text_fa" : "text_en"]),
    h("p", { class: "soft" }, `${t("rule")}: `, h("bdi", {}, line.rule)));
  const how = h("button", { type: "button", class: "button quiet small", "aria-expanded": "false", "aria-controls": id,
    "aria-label": t("howLong", { kind: word("kind", line.kind), year: year === null ? t("wholeQuote") : digits(year) }),
    onclick: () => {
      arithmetic.hidden = !arithmetic.hidden;
      how.setAttribute("aria-expanded", String(!arithmetic.hidden));
    } }, t("how"));
  return h("li", { class: `line line-${line.kind}` },
    h("span", { class: "line-kind" }, word("kind", line.kind)),
    h("span", { class: "law soft" }, h("bdi", {}, (language() === "fa" && line.law_fa) || line.law)),
    how,
    h("span", { class: "number" }, money(line.amount_rial)),
    arithmetic);
}

async function payNow(button, message, quote, signal) {
  fill(message);
  try {
    await busy(button, t("paying"), () => startPayment(state.assessment));
  } catch (problem) {
    if (signal.aborted) return;
    fill(message, ...refusal(problem, button, message, quote, signal));
    message.querySelector("button")?.focus();
  }
}

// Each refusal of a payment leads somewhere: wait, resume, look again, or a fresh quote already in place.
function refusal(problem, button, message, quote, signal) {
  const tryAgain = retry(() => payNow(button, message, quote, signal));
  if (problem.code === "duty_locked") {
    return [lockedBox(problem, {
      signal,
      onFree: () => button.focus(),
      onCancel: (id, cancel) => busy(cancel, t("working"), () => cancelPayment(id)).then(
        () => {
          fill(message, h("div", { class: "notice notice-good", role: "status" }, icon("check"), h("p", {}, t("cancelled"))));
          button.focus();
        },
        (other) => fill(message, problemBox(other)),
      ),
    })];
  }
  if (problem.code === "duty_paid") {
    return [h("div", { class: "notice notice-warn", role: "alert" }, icon("check"),
      h("div", {}, h("p", {}, h("b", {}, t("paidTitle"))), h("p", {}, t("paidText"))),
      h("div", { class: "actions" }, h("button", { type: "button", class: "button", onclick: (event) => refreshStanding(event.currentTarget, message) }, t("refreshStanding"))))];
  }
  if ((problem.code === "quote_expired" || problem.code === "quote_not_payable") && problem.body.assessment) {
    state.assessment = problem.body.assessment;
    state.notice = "requoted";
    rename("assessment", state.assessment.assessment_id);
    drawQuote(quote, signal);
    state.notice = null;
    return [];
  }
  if (problem.code === "quote_expired" || problem.code === "quote_not_payable") {
    return [problemBox(problem, h("button", { type: "button", class: "button", onclick: () => {
      const side = document.querySelector(".side");
      return assess(state.assessment.municipality, side, quote, signal);
    } }, t("requote")))];
  }
  return [problemBox(problem, tryAgain)];
}

async function refreshStanding(button, message) {
  const plate = keyOf(state.assessment.plate);
  try {
    state.standing = standingOf(await busy(button, t("working"), () => call("GET", `/v1/vehicles/${encodeURIComponent(plate)}`)));
    state.assessment = null;
    go("vehicle");
  } catch (problem) {
    fill(message, problemBox(problem));
  }
}

function loading(text) {
  return h("p", { class: "loading", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), text);
}

function retry(action) {
  return h("button", { type: "button", class: "button", onclick: action }, t("retry"));
}

function again() {
  return h("button", { type: "button", class: "button quiet", onclick: newSearch }, t("newSearch"));
}
