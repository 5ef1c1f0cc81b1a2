// The rows of a draft: each as a sentence with its marks, opened into a form where it may be changed.
import { fill, h, icon } from "/common/dom.js";
import { confirmed } from "/common/desk/page/confirm.js";
import { t } from "/common/desk/words/messages.js";
import { busy, problemBox, word } from "/common/desk/page/shell.js";
import { notice } from "../../pieces.js";
import { begun, dropRow, keepRow, rowForm } from "./row-form.js";
import { findingText, rowText } from "./reading.js";

const NEW_ROWS = "rows.json";
const KINDS = ["principal", "exemption", "discount", "setting"];

export function drawRows(desk, { writes, findings, save, redraw }) {
  const rows = Object.entries(desk.files).flatMap(([name, file]) => (file.rows ?? []).map((row, place) => ({ name, place, row })));
  const opened = desk.open ?? begun(desk.draft.tariff_id);
  const tools = { desk, writes, findings, save, redraw };
  const adding = opened && !rows.some((one) => one.row.id === opened.id) ? opened : null;
  return [
    rows.length === 0 && !adding && h("p", { class: "empty" }, t("rowsNone")),
    h("ul", { class: "rows tariff-rows" }, rows.map((one) => h("li", { class: "tariff-row", id: `row-${one.row.id}`, tabindex: "-1" },
      writes && opened?.id === one.row.id ? opening(one, tools) : reading(one, tools))),
      adding && writes && h("li", { class: "tariff-row", id: "row-new" }, opening({ name: NEW_ROWS, place: -1, row: adding.row }, tools))),
    writes && !opened && h("div", { class: "actions", id: "add" }, h("span", { class: "soft" }, t("addRow"), ":"),
      KINDS.map((kind) => h("button", { type: "button", class: "button small", id: `add-${kind}`, onclick: () => add(kind, tools) }, word("rowkind", kind)))),
  ];
}

function add(kind, { desk, redraw }) {
  const city = desk.shown.officer.city;
  const taken = new Set(Object.values(desk.files).flatMap((file) => file.rows ?? []).map((row) => row.id));
  let number = 1;
  while (taken.has(`${city.toLowerCase()}-${kind}-${number}`)) number += 1;
  const row = { id: `${city.toLowerCase()}-${kind}-${number}`, kind, places: [city] };
  desk.open = { id: row.id, row };
  redraw(null);
  document.getElementById("row-new").querySelector("input, select").focus();
}

/** What the check says of a row; a finding of the kind "row" names no member. */
function marks(row, findings) {
  return findings.filter((one) => one.pointer.split("/").includes(row.id));
}

function reading({ name, place, row }, tools) {
  const told = marks(row, tools.findings);
  const edit = h("button", { type: "button", class: "button small", "aria-label": `${t("editRow")}: ${row.id}` }, t("editRow"));
  edit.addEventListener("click", () => {
    tools.desk.open = { id: row.id, row };
    tools.redraw(null);
    document.getElementById(`row-${row.id}`).querySelector("input, select").focus();
  });
  return [
    h("div", { class: "row-head" }, h("b", {}, word("rowkind", row.kind)), h("bdi", { class: "id" }, row.id)),
    h("p", {}, rowText(row)),
    h("p", { class: "soft" }, h("bdi", {}, row.reference ?? "")),
    told.map((one) => notice("bad", findingText(one))),
    tools.writes && h("div", { class: "actions" }, edit, removal({ name, place, row }, tools)),
  ];
}

function removal({ name, place, row }, { desk, save }) {
  const button = h("button", { type: "button", class: "button small quiet", "aria-label": `${t("removeRow")}: ${row.id}` }, icon("cross"), t("removeRow"));
  button.addEventListener("click", async () => {
    if (!(await confirmed({ title: t("removeTitle"), text: t("removeText", { row: "\u2068" + row.id + "\u2069" }), action: t("removeRow") }))) return button.focus();
    const file = desk.files[name];
    try {
      await busy(button, t("working"), () => save({ name, content: { ...file, rows: file.rows.filter((_, at) => at !== place) }, row: row.id }, t("removed")));
    } catch (problem) {
      button.after(problemBox(problem));
    }
  });
  return button;
}

function opening({ name, place, row }, tools) {
  const { desk, save, redraw } = tools;
  const message = h("div", { class: "form-message" });
  const close = () => {
    dropRow(desk.draft.tariff_id);
    desk.open = null;
  };
  return rowForm(row, {
    key: desk.draft.tariff_id,
    laws: desk.laws,
    findings: marks(row, tools.findings),
    message,
    cancel: () => {
      close();
      redraw(null);
      document.getElementById(place < 0 ? "rows" : `row-${row.id}`).focus();
    },
    keep: async (changed, button) => {
      const file = desk.files[name] ?? { schema: 1, rows: [] };
      const rows = place < 0 ? [...(file.rows ?? []), changed] : file.rows.map((one, at) => (at === place ? changed : one));
      try {
        await busy(button, t("working"), async () => {
          const [open, held] = [desk.open, dropRow(desk.draft.tariff_id)];
          desk.open = null;
          try {
            await save({ name, content: { ...file, rows }, row: row.id }, t("saved"));
          } catch (problem) {
            desk.open = open;
            keepRow(desk.draft.tariff_id, held);
            throw problem;
          }
        });
      } catch (problem) {
        fill(message, problemBox(problem));
      }
    },
  });
}
