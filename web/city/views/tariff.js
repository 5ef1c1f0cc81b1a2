// The tariff desk: what is in force, the drafts, and a new one from the city's rows in force.
import { fill, h, icon } from "/common/dom.js";
import { dateTime, digits } from "/common/text.js";
import { once } from "/common/desk/service/attempts.js";
import { call } from "/common/desk/service/api.js";
import { dropDraft, keepDraft } from "/common/desk/page/drafts.js";
import { addWords, t } from "/common/desk/words/messages.js";
import { busy, go, loading, problemBox, retryBox } from "/common/desk/page/shell.js";
import { facts, field, table, verdict } from "../pieces.js";
import { TARIFF } from "../words/tariff.js";
import { showDraft } from "./tariffs/draft.js";
import { inForce } from "./tariffs/reading.js";

addWords(TARIFF);

export async function show(main, shown) {
  const { id, signal, officer } = shown;
  if (id) return showDraft(main, shown);
  fill(main, loading());
  try {
    const [told, current] = await Promise.all([call("GET", `/v1/tariffs?authority=${officer.city}`), inForce()]);
    if (!signal.aborted) draw(main, told, current, officer);
  } catch (problem) {
    if (!signal.aborted) fill(main, retryBox(problem, () => show(main, shown)));
  }
}

function draw(main, told, current, officer) {
  const own = current.rows.filter((row) => ownedBy(row, officer.city));
  fill(main,
    h("div", { class: "head" }, h("div", {}, h("h1", { tabindex: "-1" }, t("tariffTitle")), h("p", { class: "soft" }, t("tariffLead")))),
    h("div", { class: "columns" },
      h("section", { class: "card", id: "in-force" }, h("h2", {}, t("inForce")), facts(
        [t("draftTitle"), h("bdi", {}, current.title)],
        [t("publishedAt", { at: "" }).trim(), current.published_at && dateTime(current.published_at)],
        [t("hash"), h("bdi", { class: "id" }, current.tariff_version)]),
        h("p", { class: "soft" }, t("ownRows", { count: digits(own.length) }))),
      officer.can("tariffs.write") && h("section", { class: "card" }, h("h2", {}, t("newDraft")), h("p", { class: "soft" }, t("newDraftLead")), newDraft(officer.city, own)),
      h("section", { class: "card wide", id: "drafts" }, h("h2", {}, t("draftsTitle")), list(told.drafts))));
  main.querySelector("h1").focus({ preventScroll: true });
}

function ownedBy(row, city) {
  return Array.isArray(row.places) && row.places.length === 1 && row.places[0] === city;
}

function list(drafts) {
  if (drafts.length === 0) return h("p", { class: "empty" }, t("draftsNone"));
  return table(t("draftsTitle"), ["draftHead", "madeHead", "byHead", "statusHead"].map((key) => t(key)), drafts.map((draft) =>
    h("tr", { dataset: { draft: draft.tariff_id } },
      h("th", { scope: "row" }, h("a", { href: `#/tariff/${draft.tariff_id}` }, h("bdi", {}, draft.title))),
      h("td", {}, dateTime(draft.created_at)), h("td", {}, h("bdi", {}, draft.created_by)), h("td", {}, verdict("tariff", draft.status)))));
}

function newDraft(city, rows) {
  const message = h("div", { class: "form-message" });
  const title = h("input", { id: "draft-title", name: "title", maxlength: 200, required: true, autocomplete: "off" });
  const make = h("button", { type: "submit", class: "button primary", id: "make-draft" }, icon("open"), t("make"));
  const form = h("form", { class: "stack", novalidate: true }, field(t("draftTitle"), title, t("draftTitleHint")), message, h("div", { class: "actions" }, make));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(message);
    if (!title.value.trim()) return title.focus();
    if (make.disabled) return;
    try {
      const files = { "rows.json": { schema: 1, rows } };
      const draft = await busy(make, t("working"), () => once(`tariff ${city}`, "POST", "/v1/tariffs", { authority: city, title: title.value.trim(), files }));
      dropDraft("tariff-new");
      go("tariff", draft.tariff_id);
    } catch (problem) {
      fill(message, problemBox(problem));
    }
  });
  return keepDraft(form, "tariff-new");
}
