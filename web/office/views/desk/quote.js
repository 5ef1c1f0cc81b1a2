// A quote: its years and lines with "how?", how far to pay, the total, and the panel that pays it.
import { fill, h, icon } from "/common/dom.js";
import { otherPlate, yearLines } from "/common/desk/duty/lines.js";
import { dateTime, digits, longDate, money } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { once } from "/common/desk/service/attempts.js";
import { announce, busy, cityName, go, problemBox, rename, state } from "../../shell.js";
import { t } from "../../messages.js";
import { payPanel } from "../pay/panel.js";
import { tellOwner } from "./tell.js";
import { standingOf } from "./vehicle.js";

export function drawQuote(place) {
  const { quote, signal } = place;
  const { assessment } = state;
  const owes = BigInt(assessment.owed_rial) > 0n;
  const { details, toggle } = yearLines(assessment.lines);
  const panel = owes && payPanel({
    target: { assessment_id: assessment.assessment_id },
    amountRial: assessment.owed_rial,
    instalments: assessment.instalments,
    signal,
    onRequote: (problem) => requote(place, problem),
    onPaid: refreshStanding,
  });
  fill(quote,
    h("div", { class: "quote-head" },
      h("div", {}, h("h1", { tabindex: "-1" }, t("assessmentTitle", { city: cityName(assessment.municipality) })),
        h("p", { class: "soft" }, t("asOf", { date: longDate(`${assessment.as_of}T08:00:00Z`) }), " · ", t("validUntil", { time: dateTime(assessment.expires_at) }))),
      details.length > 1 && toggle),
    state.notice && h("div", { class: "notice notice-warn", role: "alert" }, icon("warn"), h("p", {}, t(state.notice))),
    otherPlate(state.standing?.plate, assessment.plate, cityName(assessment.municipality)),
    owes && yearsChoice(place),
    panel && panel.channels,
    h("div", { class: "years" }, details),
    h("p", {}, h("a", { href: `#/object/${assessment.assessment_id}`, id: "object" }, t("objectTo"))),
    owes && tellOwner(assessment.plate, assessment.municipality),
    assessment.not_assessed_before && h("p", { class: "soft small-print" }, t("notAssessedBefore", { year: digits(assessment.not_assessed_before) })),
    panel ? panel.bar : nothingOwed(place));
  announce(owes ? `${t("total")} ${money(assessment.owed_rial)} ${t("rial")}` : t("nothingOwedTitle"));
  if (panel) panel.focus();
  else quote.querySelector("h1").focus({ preventScroll: true });
}

// Years are paid oldest first, so the choice is only how far: through which year.
function yearsChoice(place) {
  const { assessment } = state;
  const city = state.standing?.cities.find((one) => one.municipality === assessment.municipality);
  const quoted = [...new Set(assessment.lines.map((line) => line.year).filter(Boolean))];
  const owed = [...new Set([...(city?.years ?? []).map((item) => (typeof item === "object" ? item.year : item)), ...quoted])].sort((a, b) => a - b);
  if (owed.length < 2) return null;
  const last = Math.max(...quoted);
  const select = h("select", { id: "through-year" }, owed.map((year, index) =>
    h("option", { value: year, selected: year === last }, index === owed.length - 1 ? t("everyYear", { year: digits(year) }) : t("throughYear", { year: digits(year) }))));
  select.addEventListener("change", () => {
    const year = Number(select.value);
    place.assess(assessment.municipality, { throughYear: year === owed[owed.length - 1] ? null : year });
  });
  return h("label", { class: "inline-field" }, h("span", {}, t("whichYears")), select, last < owed[owed.length - 1] && h("small", { class: "soft" }, t("laterYearsStay")));
}

function nothingOwed() {
  const message = h("div", { class: "pay-message" });
  const clearance = h("button", { type: "button", class: "button primary", id: "clearance" }, icon("shield"), t("clearance"));
  clearance.addEventListener("click", async () => {
    fill(message);
    const id = state.assessment.assessment_id;
    try {
      const asked = await busy(clearance, t("working"), () => once(`clearance.${id}`, "POST", "/v1/certificates", { assessment_id: id }));
      go("certificate", asked.certificate_id);
    } catch (problem) {
      fill(message, problemBox(problem, owedList(problem)));
    }
  });
  return h("div", { class: "total clear" }, message, icon("check"),
    h("div", {}, h("strong", {}, t("nothingOwedTitle")), h("p", {}, t("nothingOwedText"))), clearance);
}

function owedList(problem) {
  const owed = problem.body.owed ?? [];
  return Array.isArray(owed) && owed.length > 0 && h("ul", {}, owed.map((one) =>
    h("li", {}, cityName(one.municipality), ": ", h("span", { class: "number" }, money(one.owed_rial)), " ", t("rial"))));
}

// An expired quote: the fresh one takes its place at once, or a button asks for it.
function requote(place, problem) {
  if (problem.code !== "quote_expired" && problem.code !== "quote_not_payable") return false;
  if (problem.body.assessment) {
    state.assessment = problem.body.assessment;
    state.notice = "requoted";
    rename("assessment", state.assessment.assessment_id);
    drawQuote(place);
    state.notice = null;
    return true;
  }
  const fresh = h("button", { type: "button", class: "button", onclick: () => place.assess(state.assessment.municipality) }, t("requote"));
  fill(place.quote.querySelector(".pay-message"), problemBox(problem, fresh));
  fresh.focus();
  return true;
}

async function refreshStanding(button, message) {
  const { plate } = state.assessment;
  const key = typeof plate === "string" ? plate : plate.key;
  try {
    state.standing = standingOf(await busy(button, t("working"), () => call("GET", `/v1/vehicles/${encodeURIComponent(key)}`)));
    state.assessment = null;
    go("vehicle");
  } catch (problem) {
    fill(message, problemBox(problem));
  }
}
