// The roll of vehicles: earlier rolls and a new file; one roll with its check, preview, commit and way back.
import { fill, h } from "/common/dom.js";
import { dateTime, money } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { addWords, t } from "/common/desk/words/messages.js";
import { loading, retryBox } from "/common/desk/page/shell.js";
import { table, verdict } from "../pieces.js";
import { ROLL } from "../words/roll.js";
import { newFile } from "./rolls/upload.js";
import { showRoll } from "./rolls/roll.js";

addWords(ROLL);

export async function show(main, shown) {
  const { id, signal, officer } = shown;
  if (id) return showRoll(main, shown);
  fill(main, loading());
  try {
    const told = await call("GET", `/v1/rolls?municipality=${officer.city}`);
    if (signal.aborted) return;
    fill(main,
      h("div", { class: "head" }, h("div", {}, h("h1", { tabindex: "-1" }, t("rollTitle")), h("p", { class: "soft" }, t("rollLead")))),
      h("div", { class: "columns" },
        officer.can("rolls.write") && h("section", { class: "card wide" }, h("h2", {}, t("newRoll")), newFile(officer.city)),
        h("section", { class: "card wide", id: "rolls" }, h("h2", {}, t("rollsBefore")), list(told))));
    main.querySelector("h1").focus({ preventScroll: true });
  } catch (problem) {
    if (!signal.aborted) fill(main, retryBox(problem, () => show(main, shown)));
  }
}

function list({ rolls, visible_versions }) {
  if (rolls.length === 0) return h("p", { class: "empty" }, t("rollsNone"));
  const heads = ["rollHead", "byHead", "rowsHead", "addedHead", "changedHead", "refusedHead", "statusHead"].map((key) => t(key));
  const number = (value) => h("td", {}, money(value));
  return table(t("rollsBefore"), heads, rolls.map((roll) => h("tr", { dataset: { roll: roll.roll_id } },
    h("th", { scope: "row" }, h("a", { href: `#/roll/${roll.roll_id}` }, dateTime(roll.created_at))),
    h("td", {}, h("bdi", {}, roll.created_by ?? "")),
    number(roll.rows_read), number(roll.added), number(roll.changed), number(roll.refused),
    h("td", {}, verdict("roll", roll.status), visible_versions.includes(roll.version) && h("small", { class: "soft" }, ` ${t("visible")}`)))));
}
