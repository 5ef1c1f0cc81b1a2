// Many vehicles: a list of plates, a verdict for every row, and one payment for the good ones.
import { fill, h } from "/common/dom.js";
import { plateText } from "/common/plate.js";
import { digits, language, money } from "/common/text.js";
import { call, pause } from "/common/desk/service/api.js";
import { once } from "/common/desk/service/attempts.js";
import { announce, busy, cityName, go, loading, problemBox, word } from "../../shell.js";
import { t } from "../../messages.js";
import { payPanel } from "../pay/panel.js";

const PLATES_MAX = 10_000;
/** A longer line is none of a plate; cut, it has its verdict like every row, and does not stop the others. */
const PLATE_TEXT_MAX = 64;
const POLL_MS = 1_000;
const POLL_MAX = 600;
/** Rows on the screen at once; the rest wait behind a button. */
const ROWS_SHOWN = 100;

export async function fleetView(main, { id, signal }) {
  return id ? follow(main, id, signal) : drawForm(main);
}

function drawForm(main) {
  const message = h("div", { class: "form-message" });
  const title = h("input", { id: "fleet-title", dir: "auto", maxlength: 200, required: true });
  const plates = h("textarea", { id: "fleet-plates", rows: 10, dir: "ltr", spellcheck: "false", placeholder: "12B345-67" });
  const file = h("input", { id: "fleet-file", type: "file", class: "visually-hidden", accept: ".csv,.txt,text/plain,text/csv" });
  const button = h("button", { class: "button primary big", id: "send-fleet" });
  const label = () => fill(button, t("fleetSend", { count: digits(platesOf(plates.value).length) }));
  const take = async (chosen) => {
    if (!chosen) return;
    plates.value = await chosen.text();
    title.value ||= chosen.name.replace(/\.[^.]*$/, "");
    label();
  };
  plates.addEventListener("input", label);
  plates.addEventListener("dragover", (event) => event.preventDefault());
  plates.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
  file.addEventListener("change", () => take(file.files[0]));
  const submit = async (event) => {
    event.preventDefault();
    const wanted = platesOf(plates.value);
    const wrong = wanted.length === 0 ? "needPlates" : wanted.length > PLATES_MAX ? "tooManyPlates" : null;
    if (wrong) {
      fill(message, h("p", { class: "notice notice-bad", role: "alert" }, t(wrong)));
      return plates.focus();
    }
    try {
      const fleet = await busy(button, t("working"), () => once("fleet", "POST", "/v1/fleets", { title: title.value.trim() || t("fleetTitle"), plates: wanted }));
      return go("fleet", fleet.fleet_id);
    } catch (problem) {
      return fill(message, problemBox(problem));
    }
  };
  label();
  fill(main, h("section", { class: "card register" },
    h("h1", { tabindex: "-1" }, t("fleetTitle")), h("p", { class: "soft" }, t("fleetLead")),
    h("form", { class: "stack", onsubmit: submit, novalidate: true },
      h("label", {}, h("span", {}, t("fleetName")), title),
      h("label", {}, h("span", {}, t("fleetPlates")), plates),
      h("label", { class: "button quiet file" }, file, h("span", {}, t("fleetFile"))),
      message, h("div", { class: "actions" }, button))));
  title.focus({ preventScroll: true });
}

/** The first cell of every line that is not empty; a heading line is left out. */
export function platesOf(text) {
  const cells = text.split(/\r?\n/).map((line) => line.replace(/^\uFEFF/, "").split(/[;\t,]/)[0].replace(/^"|"$/g, "").trim().slice(0, PLATE_TEXT_MAX)).filter(Boolean);
  return /^(plate|پلاک)$/i.test(cells[0] ?? "") ? cells.slice(1) : cells;
}

async function follow(main, id, signal) {
  const head = h("section", { class: "card" }, loading(t("loading")));
  const pay = h("section", { class: "card quote fleet-pay", hidden: true });
  const table = h("section", { class: "card", hidden: true });
  fill(main, h("div", { class: "fleet" }, head, pay, table));
  for (let asked = 0; asked < POLL_MAX && !signal.aborted; asked += 1) {
    let fleet;
    try {
      fleet = await call("GET", `/v1/fleets/${id}`);
    } catch (problem) {
      if (!signal.aborted) fill(head, problemBox(problem, h("button", { type: "button", class: "button", onclick: () => follow(main, id, signal) }, t("retry"))));
      return;
    }
    if (signal.aborted) return;
    drawHead(head, fleet, () => follow(main, id, signal));
    if (fleet.status === "complete") {
      announce(t("fleetProgress", { done: digits(fleet.rows_done), total: digits(fleet.rows) }));
      await drawRows(pay, table, fleet, signal);
      return;
    }
    await pause(POLL_MS);
  }
}

function drawHead(place, fleet, again) {
  const resume = h("button", { type: "button", class: "button quiet", id: "resume-fleet" }, t("fleetResume"));
  resume.addEventListener("click", async () => {
    try {
      await busy(resume, t("working"), () => call("POST", `/v1/fleets/${fleet.fleet_id}/resumptions`, { body: {} }));
      again();
    } catch (problem) {
      place.append(problemBox(problem));
    }
  });
  fill(place,
    h("div", { class: "quote-head" }, h("div", {}, h("h1", { tabindex: "-1" }, h("bdi", {}, fleet.title)),
      h("p", { class: "soft", id: "fleet-progress" }, t("fleetProgress", { done: digits(fleet.rows_done), total: digits(fleet.rows) }))),
      h("div", { class: "actions" }, fleet.status !== "complete" && resume, h("a", { class: "button quiet", href: "#/fleet" }, t("newFleet")))),
    h("progress", { max: fleet.rows, value: fleet.rows_done, "aria-label": t("fleetRows") }),
    h("ul", { class: "tally" }, Object.entries(fleet.verdicts).map(([verdict, count]) =>
      h("li", {}, h("span", { class: `verdict verdict-${verdict}` }, word("verdict", verdict)), " ", h("b", { class: "number" }, digits(count))))),
    h("p", {}, t("fleetOwed"), ": ", h("strong", { class: "number", id: "fleet-owed" }, money(fleet.owed_rial)), " ", t("rial"),
      h("small", { class: "soft" }, Object.entries(fleet.owed_by_municipality).map(([city, amount]) => [" · ", cityName(city), " ", h("span", { class: "number" }, money(amount))]))));
}

async function drawRows(pay, table, fleet, signal) {
  const rows = [];
  let cursor = "0";
  try {
    while (cursor && !signal.aborted) {
      const answer = await call("GET", `/v1/fleets/${fleet.fleet_id}/rows?cursor=${cursor}`);
      rows.push(...answer.rows);
      cursor = answer.cursor;
    }
  } catch (problem) {
    table.hidden = false;
    if (!signal.aborted) fill(table, problemBox(problem, h("button", { type: "button", class: "button", onclick: () => drawRows(pay, table, fleet, signal) }, t("retry"))));
    return;
  }
  if (signal.aborted) return;
  const body = h("tbody", {});
  const more = h("button", { type: "button", class: "button", id: "more-rows" }, t("more"));
  const show = () => {
    const from = body.children.length;
    body.append(...rows.slice(from, from + ROWS_SHOWN).map(fleetRow));
    more.hidden = body.children.length >= rows.length;
  };
  more.addEventListener("click", show);
  show();
  table.hidden = false;
  fill(table, h("h2", {}, t("fleetRows")), h("div", { class: "table-place", tabindex: "0", role: "region", "aria-label": t("fleetRows") }, h("table", { class: "table" },
    h("caption", { class: "visually-hidden" }, t("fleetRows")),
    h("thead", {}, h("tr", {}, ["rowHead", "given", "plateHead", "verdictHead", "amount"].map((head) => h("th", { scope: "col" }, t(head))))), body)), more);
  const quotes = rows.flatMap((row) => row.quotes ?? []).map((quote) => quote.assessment_id);
  if (!quotes.length) return;
  const target = quotes.length === 1 ? { assessment_id: quotes[0] } : { assessment_ids: quotes };
  const panel = payPanel({ target, amountRial: fleet.owed_rial, signal, onlyGateway: quotes.length > 1 });
  pay.hidden = false;
  fill(pay, h("h2", {}, t("fleetPay", { count: digits(quotes.length) })), panel.channels, panel.bar);
}

function fleetRow(row) {
  return h("tr", {},
    h("td", {}, digits(row.row)),
    h("td", {}, h("bdi", {}, row.given)),
    h("td", {}, h("bdi", {}, row.plate ? plateText(row.plate) : "")),
    h("td", {}, h("span", { class: `verdict verdict-${row.verdict}` }, word("verdict", row.verdict)), " ", h("small", { class: "soft" }, row[language() === "fa" ? "message_fa" : "message_en"])),
    h("td", {}, row.owed_rial && h("span", { class: "number" }, money(row.owed_rial))));
}
