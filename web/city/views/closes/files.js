// What of a close can be taken away: the statement as PDF, CSV and JSON, and the day's signed files of events.
import { fill, h, icon } from "/common/dom.js";
import { digits } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { download } from "/common/desk/service/download.js";
import { t } from "/common/desk/words/messages.js";
import { keptPaper, openButton } from "/common/desk/page/pdf.js";
import { busy, problemBox } from "/common/desk/page/shell.js";
import { filled } from "../../pieces.js";

/** So many lines the service puts on a sheet of the PDF, and into a part of the other files. */
const LINES_PER_SHEET = 500;
const LINES_PER_PART = 10_000;

export function filesOf(close, path, officer, signal) {
  const message = h("div", { class: "form-message" });
  const numbers = (size) => Array.from({ length: Math.max(Math.ceil(close.lines / size), 1) }, (_, place) => place + 1);
  const named = (label, number, all) => (all.length > 1 ? `${label} · ${t("sheetOf", { sheet: digits(number), sheets: digits(all.length) })}` : label);
  const file = (kind, label) => numbers(LINES_PER_PART).map((number, _, all) =>
    saveButton(`${kind}-${number}`, named(label, number, all), message, () => download(`${path}/statement.${kind}?part=${number}`, `settlement-${close.municipality}-${close.day}-${number}.${kind}`)));
  const pdfs = numbers(LINES_PER_SHEET).map((number, _, all) =>
    openButton(keptPaper(`${path}/statement.pdf?redirect=false&sheet=${number}`), message, { id: `pdf-${number}`, label: named(t("statementPdf"), number, all), name: "print" }));
  const place = h("div", { id: "day-files" });
  // `cursor` is a day before which the list goes on: the day after this one asks for this one first
  filled(place, signal, () => call("GET", officer.here(`/events/files?cursor=${dayAfter(close.day)}`)), ({ days }) => dayFiles(days.find((one) => one.day === close.day)));
  return [h("div", { class: "actions column" }, pdfs, file("csv", t("statementCsv")), file("json", t("statementJson"))), message, h("h3", {}, t("dayFiles")), place];
}

function saveButton(id, label, message, save) {
  const button = h("button", { type: "button", class: "button", id }, icon("down"), label);
  button.addEventListener("click", async () => {
    fill(message);
    try {
      await busy(button, t("working"), save);
    } catch (problem) {
      fill(message, problemBox(problem));
    }
  });
  return button;
}

function dayFiles(day) {
  if (!day) return h("p", { class: "soft" }, t("noDayFiles"));
  const link = (one, label) => h("li", { class: "row" }, h("a", { href: one.url, download: one.name, rel: "noreferrer" }, h("bdi", {}, one.name)), h("small", { class: "soft" }, label));
  return [
    h("p", { class: "soft" }, t("dayFilesLead")),
    h("ul", { class: "rows" }, day.files.map((one) => link(one, t("eventsCount", { count: digits(one.events) }))), link(day.manifest, t("manifest"))),
  ];
}

function dayAfter(day) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}
