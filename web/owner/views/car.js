// The car on one page: what it owes, line by line, the button that pays it, and the certificates there are.
import { call } from "/common/desk/service/api.js";
import { once } from "/common/desk/service/attempts.js";
import { keepGatewayPage, leaveFor, lockedBox } from "/common/desk/duty/gateway.js";
import { otherPlate, yearLines } from "/common/desk/duty/lines.js";
import { t } from "/common/desk/words/messages.js";
import { announce, busy, go, loading, problemBox, rename, retryBox, word } from "/common/desk/page/shell.js";
import { fill, h, icon } from "/common/dom.js";
import { drawPlate } from "/common/plate.js";
import { dateTime, digits, longDate, money, yearRanges } from "/common/text.js";
import { car, cityName, loadCities, PAYMENT_KEY, readStanding } from "../car.js";
import { drawMobile } from "./mobile.js";
import { cancelPayment } from "./payment.js";

export async function carView(main, { id, signal }) {
  if (!car.standing || (id && car.quote?.assessment_id !== id)) fill(main, loading(t("loading")));
  try {
    await Promise.all([readStanding(), loadCities()]);
    if (id && car.quote?.assessment_id !== id) car.quote = await call("GET", `/v1/owner/assessments/${id}`);
  } catch (problem) {
    if (signal.aborted) return undefined;
    if (problem.code === "assessment_not_found") return go("car");
    return fill(main, retryBox(problem, () => carView(main, { id, signal })));
  }
  if (signal.aborted) return undefined;
  const place = { head: h("section", { class: "card head" }), quote: h("section", { class: "card quote" }), papers: h("section", { class: "card papers", hidden: true }), mobile: h("section", { class: "card mobile", hidden: true }), signal };
  fill(main, h("div", { class: "column" }, place.head, place.quote, place.papers, place.mobile));
  drawHead(place);
  listPapers(place);
  drawMobile(place.mobile, signal);
  if (id) return drawQuote(place);
  const cities = car.standing.municipalities;
  const first = cities.find((city) => BigInt(city.owed_rial ?? 0) > 0n) ?? cities[0];
  return assess(place, first.municipality);
}

function drawHead(place) {
  const { vehicle, municipalities: cities } = car.standing;
  fill(place.head,
    h("div", { class: "plate-place" }, drawPlate(vehicle.plate)),
    h("h1", { class: "car" }, [vehicle.make, vehicle.model].filter(Boolean).join(" ") || t("vehicle")),
    h("p", { class: "soft" }, [word("class", vehicle.vehicle_class ?? vehicle.class), vehicle.model_year && digits(vehicle.model_year), word("fuel", vehicle.fuel)].filter(Boolean).join(" · ")),
    cities.length > 1 && h("ul", { class: "cities", "aria-label": t("cities") }, cities.map((city) => h("li", {}, cityButton(city, place)))));
}

function cityButton(city, place) {
  const owes = BigInt(city.owed_rial ?? 0) > 0n;
  const current = car.quote?.municipality === city.municipality;
  return h("button", { type: "button", class: "city", "aria-pressed": String(current), dataset: { municipality: city.municipality }, onclick: () => assess(place, city.municipality) },
    h("span", { class: "city-name", dataset: { city: city.municipality } }, cityName(city.municipality)),
    h("span", { class: owes ? "owed" : "clear" }, owes ? [h("span", { class: "number" }, money(city.owed_rial)), " ", t("rial")] : [icon("check"), t(city.owed_rial === null ? "noTariffShort" : "nothingOwedShort")]));
}

async function assess(place, municipality, { throughYear = null } = {}) {
  const choosing = document.activeElement?.id === "through-year"; // an arrow key chooses at once: the next one goes on choosing
  for (const button of place.head.querySelectorAll(".city")) button.setAttribute("aria-pressed", String(button.dataset.municipality === municipality));
  fill(place.quote, loading(t("assessing")));
  announce(t("assessing"));
  try {
    const body = { municipality, ...(throughYear ? { through_year: throughYear } : {}) };
    car.quote = await once("assess", "POST", "/v1/owner/assessments", body);
  } catch (problem) {
    if (!place.signal.aborted) fill(place.quote, retryBox(problem, () => assess(place, municipality, { throughYear })), h("p", { class: "soft" }, t("officeHelp")));
    return;
  }
  if (place.signal.aborted) return;
  rename("quote", car.quote.assessment_id);
  drawHead(place);
  drawQuote(place);
  if (choosing) place.quote.querySelector("#through-year")?.focus({ preventScroll: true });
}

function drawQuote(place) {
  const { quote } = car;
  const owes = BigInt(quote.owed_rial) > 0n;
  const { details, toggle } = yearLines(quote.lines);
  const message = h("div", { class: "pay-message" });
  const pay = h("button", { type: "button", class: "button primary big", id: "pay" }, icon("card"), t("pay"));
  pay.addEventListener("click", () => payNow(place, pay, message));
  fill(place.quote,
    h("div", { class: "quote-head" },
      h("div", {}, h("h2", { tabindex: "-1", id: "quote-title" }, t("assessmentTitle", { city: cityName(quote.municipality) })),
        h("p", { class: "soft" }, t("asOf", { date: longDate(`${quote.as_of}T08:00:00Z`) }), " · ", t("validUntil", { time: dateTime(quote.expires_at) }))),
      details.length > 1 && toggle),
    car.notice && h("div", { class: "notice notice-warn", role: "alert" }, icon("warn"), h("p", {}, t(car.notice))),
    otherPlate(car.standing.vehicle.plate, quote.plate, cityName(quote.municipality)),
    owes && yearsChoice(place),
    h("div", { class: "years" }, details),
    quote.not_assessed_before && h("p", { class: "soft small-print" }, t("notAssessedBefore", { year: digits(quote.not_assessed_before) })),
    h("p", { class: "soft small-print" }, t("objectAtOffice")),
    owes ? h("div", { class: "total" }, message,
      h("div", {}, h("span", {}, t("total")), h("strong", { id: "owed" }, h("span", { class: "number" }, money(quote.owed_rial)), " ", h("small", {}, t("rial")))), pay)
      : h("div", { class: "total clear" }, icon("check"), h("div", {}, h("strong", {}, t("nothingOwedTitle")), h("p", {}, t("clearanceAtOffice")))));
  announce(owes ? `${t("total")} ${money(quote.owed_rial)} ${t("rial")}` : t("nothingOwedTitle"));
  (owes ? pay : place.quote.querySelector("h2")).focus({ preventScroll: true });
}

// Years are paid oldest first, so the choice is only how far: through which year.
function yearsChoice(place) {
  const { quote, standing } = car;
  const city = standing.municipalities.find((one) => one.municipality === quote.municipality);
  const quoted = [...new Set(quote.lines.map((line) => line.year).filter(Boolean))];
  const owed = [...new Set([...(city?.years ?? []).filter((year) => !year.paid && BigInt(year.amount_rial) > 0n).map((year) => year.year), ...quoted])].sort((a, b) => a - b);
  if (owed.length < 2) return null;
  const last = Math.max(...quoted);
  const select = h("select", { id: "through-year" }, owed.map((year, index) =>
    h("option", { value: year, selected: year === last }, index === owed.length - 1 ? t("everyYear", { year: digits(year) }) : t("throughYear", { year: digits(year) }))));
  select.addEventListener("change", () => {
    const year = Number(select.value);
    assess(place, quote.municipality, { throughYear: year === owed[owed.length - 1] ? null : year });
  });
  return h("label", { class: "inline-field" }, h("span", {}, t("whichYears")), select, last < owed[owed.length - 1] && h("small", { class: "soft" }, t("laterYearsStay")));
}

async function payNow(place, button, message) {
  const { assessment_id: assessmentId } = car.quote;
  fill(message);
  try {
    const body = { assessment_id: assessmentId, return_url: `${location.origin}/my?returned=1` };
    const payment = await busy(button, t("paying"), () => once(`${assessmentId}.owner`, "POST", "/v1/owner/payments", body, { lasting: true }));
    sessionStorage.setItem(PAYMENT_KEY, payment.payment_id);
    keepGatewayPage(payment);
    if (payment.redirect_url) return leaveFor(payment.redirect_url);
    return go("payment", payment.payment_id);
  } catch (problem) {
    if (place.signal.aborted) return undefined;
    const shown = refusal(place, button, message, problem);
    if (!shown) return undefined;
    fill(message, shown);
    message.querySelector("button")?.focus();
    return message.scrollIntoView({ block: "nearest" });
  }
}

// Each refusal of a payment leads somewhere: wait, resume, look again, or a fresh quote in place of the old one.
function refusal(place, button, message, problem) {
  if (problem.code === "duty_locked") {
    const freed = (text) => {
      fill(message, h("div", { class: "notice notice-good", role: "status" }, icon("check"), h("p", {}, t(text))));
      button.focus();
    };
    const onCancel = (id, pressed) => busy(pressed, t("working"), () => cancelPayment(id)).then(() => freed("cancelled"), (other) => fill(message, problemBox(other)));
    return lockedBox(problem, { signal: place.signal, onFree: () => button.focus(), onCancel });
  }
  if (problem.code === "duty_paid") {
    return h("div", { class: "notice notice-good", role: "status" }, icon("check"), h("div", {}, h("p", {}, h("b", {}, t("paidTitle")))),
      h("div", { class: "actions" }, h("button", { type: "button", class: "button", onclick: lookAgain }, t("refreshStanding"))));
  }
  if (problem.code === "bill_open" || problem.code === "duty_by_instalments") return problemBox(problem, h("p", {}, t("officeHelp")));
  if (problem.code === "quote_expired" || problem.code === "quote_not_payable") {
    car.notice = "requoted";
    assess(place, car.quote.municipality).then(() => {
      car.notice = null;
    });
    return null;
  }
  return problemBox(problem, h("button", { type: "button", class: "button", onclick: () => payNow(place, button, message) }, t("retry")));
}

function lookAgain() {
  car.standing = null;
  car.quote = null;
  go("car");
}

async function listPapers(place) {
  let answer;
  try {
    answer = await call("GET", "/v1/owner/certificates");
  } catch {
    return; // the list is a comfort; what is owed stands above
  }
  if (place.signal.aborted || !answer.certificates.length) return;
  place.papers.hidden = false;
  fill(place.papers, h("h2", {}, t("papers")), h("ul", { class: "rows" }, answer.certificates.map((one) => h("li", { class: "row" },
    h("a", { href: `#/certificate/${one.certificate_id}` }, t("paperOf", { years: yearRanges(one.years) })),
    h("span", { class: "soft" }, h("span", { dataset: { city: one.municipality } }, cityName(one.municipality)), " · ", longDate(one.paid_at)),
    h("span", { class: `verdict ${one.status === "in_force" ? "verdict-settled" : ""}` }, word("paper", one.status))))));
}
