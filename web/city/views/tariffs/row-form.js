// One row as a form in words: what it is for, how much, by which law. Members that the form does not show stay as they were.
import { h } from "/common/dom.js";
import { asciiDigits, language } from "/common/text.js";
import { t } from "/common/desk/words/messages.js";
import { word } from "/common/desk/page/shell.js";
import { findingText, rateText, SETTINGS } from "./reading.js";

const CLASSES = ["passenger", "pickup_double", "pickup_single", "van", "minibus", "bus", "truck", "motorcycle", "taxi", "ambulance", "other"];
const FUELS = ["petrol", "diesel", "cng", "dual", "hybrid", "electric"];
const ORIGINS = ["domestic", "imported"];
const RELIEF_OF = ["principal", "pollution", "surcharge", "penalty", "total"];
/** What is being written of each draft: it stands again after a change of language or a visit to another section. */
const rows = new Map();

/** The row that is being written, `{ id, row }`, if any. */
export function begun(key) {
  return rows.get(key) ?? null;
}

/** It is done with; what was being written, so that a failure can bring it back. */
export function dropRow(key) {
  const held = rows.get(key);
  rows.delete(key);
  return held;
}

export function keepRow(key, held) {
  if (held) rows.set(key, held);
}

export function rowForm(row, { key, laws, findings, message, cancel, keep }) {
  const written = rows.get(key)?.row ?? row;
  const of = (member) => findings.filter((one) => one.pointer.endsWith(`/${member}`));
  const form = h("form", { class: "stack row-form", novalidate: true },
    h("div", { class: "row-head" }, h("b", {}, word("rowkind", row.kind)), h("bdi", { class: "id" }, row.id)),
    findings.filter((one) => !shownMembers(row.kind).some((member) => one.pointer.endsWith(`/${member}`))).map((one) => mark(one)),
    row.kind === "setting" ? settings(written, of) : charge(written, of),
    lawPart(written, laws, of),
    message);
  const save = h("button", { type: "submit", class: "button primary", id: "save-row" }, t("saveRow"));
  form.append(h("div", { class: "actions" }, save, h("button", { type: "button", class: "button quiet", id: "cancel-row", onclick: cancel }, t("cancelRow"))));
  form.addEventListener("input", () => rows.set(key, { id: row.id, row: read(form, row) }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!save.disabled) keep(read(form, row), save);
  });
  return form;
}

function mark(one) {
  return h("p", { class: "mark", dataset: { code: one.code } }, findingText(one));
}

/** A labelled input with what the check says of it, tied to it for whoever listens. */
function part(label, input, found, hint = null) {
  const described = [];
  if (hint) described.push(`${input.id}-hint`);
  if (found.length > 0) {
    described.push(`${input.id}-mark`);
    input.setAttribute("aria-invalid", "true");
  }
  if (described.length > 0) input.setAttribute("aria-describedby", described.join(" "));
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input,
    hint && h("p", { class: "hint soft", id: `${input.id}-hint` }, hint),
    found.length > 0 && h("div", { id: `${input.id}-mark` }, found.map(mark)));
}

function text(name, value, attributes = {}) {
  return h("input", { id: `f-${name}`, name, value: value ?? "", autocomplete: "off", ...attributes });
}

const latin = { dir: "ltr", class: "latin" };

/** From and to of a pair of numbers. */
function range(name, label, pair, found) {
  const end = (which, value) => part(`${label} · ${t(which)}`, text(`${name}.${which}`, value ?? "", { inputmode: "numeric", ...latin }), which === "from" ? found : []);
  return h("div", { class: "grid" }, end("from", pair?.[0]), end("to", pair?.[1]));
}

function choices(name, label, known, chosen, set, found, hint = null) {
  return h("fieldset", { class: "checks" }, h("legend", {}, label),
    known.map((value) => h("label", { class: "check" }, h("input", { type: "checkbox", name, value, checked: (chosen ?? []).includes(value) }), word(set, value))),
    hint && h("p", { class: "hint soft full" }, hint), found.map(mark));
}

function charge(row, of) {
  const relief = row.kind !== "principal";
  const flat = row.flat_rial !== undefined;
  const kind = (value, label) => h("label", { class: "check" }, h("input", { type: "radio", name: "amount", value, checked: (value === "flat") === flat }), label);
  const amount = text("value", flat ? row.flat_rial : rateText(row.rate ?? ""), { class: "latin", dir: "auto" });
  return [
    range("duty_years", t("years"), row.duty_years, of("duty_years")),
    h("fieldset", { class: "checks" }, h("legend", {}, t("amount")), kind("rate", t("asRate")), kind("flat", t("asFlat"))),
    part(t("amount"), amount, [...of("rate"), ...of("flat_rial")], `${t("rateHint")} · ${t("flatHint")}`),
    relief && choices("of", t("reliefOf"), RELIEF_OF, row.of, "of", of("of")),
    relief && period(row, of),
    relief && h("div", { class: "grid" }, part(t("reasonFa"), text("reason_fa", row.reason_fa, { dir: "rtl" }), of("reason_fa")), part(t("reasonEn"), text("reason_en", row.reason_en, { dir: "ltr" }), of("reason_en"))),
    choices("classes", t("vehicles"), CLASSES, row.classes, "class", of("classes"), t("allOfThem")),
    h("details", { class: "more", open: ["cylinders", "model_years", "displacement_cc", "fuels", "origins"].some((name) => name in row) },
      h("summary", {}, t("narrower")),
      h("div", { class: "stack" },
        range("cylinders", t("cylinders"), row.cylinders, of("cylinders")),
        range("model_years", t("modelYears"), row.model_years, of("model_years")),
        range("displacement_cc", t("displacement"), row.displacement_cc, of("displacement_cc")),
        choices("fuels", t("fuels"), FUELS, row.fuels, "fuel", of("fuels")),
        choices("origins", t("origins"), ORIGINS, row.origins, "origin", of("origins")))),
  ];
}

function period(row, of) {
  return h("fieldset", { class: "checks" }, h("legend", {}, t("period")),
    h("div", { class: "grid full" },
      part(t("from"), text("as_of_from_jalali", row.as_of_from_jalali, latin), of("as_of_from_jalali")),
      part(t("to"), text("as_of_to_jalali", row.as_of_to_jalali, latin), of("as_of_to_jalali"))),
    h("p", { class: "hint soft full" }, t("periodHint")));
}

function settings(row, of) {
  const input = (name, how) => {
    if (how === "rate") return text(name, rateText(row[name] ?? ""), { class: "latin", dir: "auto", placeholder: t("notSet") });
    if (how !== "choice") return text(name, row[name], { ...latin, placeholder: t("notSet") });
    const options = [["", t("notSet")], ["whole", t("firstYearWhole")], ["months_left", t("firstYearMonths")]];
    const select = h("select", { id: `f-${name}`, name }, options.map(([value, label]) => h("option", { value }, label)));
    select.value = row[name] ?? "";
    return select;
  };
  return [h("div", { class: "grid" }, SETTINGS.map(([name, how]) => part(t(`setting.${name}`), input(name, how), of(name)))), period(row, of)];
}

function lawPart(row, laws, of) {
  const cited = (law) => (language() === "fa" ? law.cite_fa : law.cite_en);
  const select = h("select", { id: "f-law", name: "law" }, h("option", { value: "" }, "—"), laws.map((law) => h("option", { value: law.id }, cited(law))));
  select.value = row.law ?? "";
  return h("fieldset", { class: "checks law" }, h("legend", {}, t("lawTitle")), h("div", { class: "stack full" },
    part(t("law"), select, of("law")),
    h("div", { class: "grid" }, part(t("articleFa"), text("article_fa", row.article_fa, { dir: "rtl" }), of("article_fa")), part(t("articleEn"), text("article_en", row.article_en, { dir: "ltr" }), of("article_en"))),
    part(t("reference"), text("reference", row.reference, { dir: "auto" }), of("reference")),
    h("label", { class: "check" }, h("input", { type: "checkbox", name: "demonstration", value: "yes", checked: row.demonstration === true }), t("demonstration")),
    part(t("rowId"), text("id", row.id, latin), of("id"), t("rowIdHint"))));
}

const CHARGE = ["duty_years", "rate", "flat_rial", "classes", "cylinders", "model_years", "displacement_cc", "fuels", "origins"];
const RELIEF = ["of", "as_of_from_jalali", "as_of_to_jalali", "reason_fa", "reason_en"];
const LAW = ["law", "article_fa", "article_en", "reference", "id"];

function shownMembers(kind) {
  if (kind === "setting") return [...SETTINGS.map(([name]) => name), "as_of_from_jalali", "as_of_to_jalali", ...LAW];
  return [...CHARGE, ...LAW, ...(kind === "principal" ? [] : RELIEF)];
}

/** "1.5 در هزار", "1.5 per thousand" and "50%" are the rates 1.5/1000 and 50/100; anything else stays as it was typed. */
function rateOf(text) {
  const found = /^([0-9.]+)\s*(در هزار|per thousand|در ?صد|‰|%|٪|\/\s*1000|\/\s*100)$/.exec(text);
  if (!found) return text;
  return `${found[1]}/${/هزار|thousand|‰|1000/.test(found[2]) ? 1000 : 100}`;
}

/** The row as the form says it; a number that is none stays as it was typed, so that the check names it. */
function read(form, row) {
  const given = new FormData(form);
  const words = (name) => String(given.get(name) ?? "").trim();
  const plain = (name) => asciiDigits(words(name)).replaceAll("٫", ".").replace(/[٬,]/g, "");
  const all = (name) => given.getAll(name).map(String);
  const next = { ...row };
  const set = (name, value) => {
    if (value === "" || value === null || (Array.isArray(value) && value.length === 0)) delete next[name];
    else next[name] = value;
  };
  const number = (name) => (/^-?\d+$/.test(plain(name)) ? Number(plain(name)) : plain(name));
  const pair = (name) => {
    const ends = [number(`${name}.from`), number(`${name}.to`)];
    set(name, ends.every((end) => end === "") ? null : ends.map((end, place) => (end === "" ? ends[1 - place] : end)));
  };
  if (row.kind === "setting") {
    for (const [name, how] of SETTINGS) set(name, how === "number" ? number(name) : how === "rate" ? rateOf(plain(name)) : plain(name));
  } else {
    for (const name of ["duty_years", "cylinders", "model_years", "displacement_cc"]) pair(name);
    for (const name of ["classes", "fuels", "origins"]) set(name, all(name));
    set("rate", words("amount") === "rate" ? rateOf(plain("value")) : null);
    set("flat_rial", words("amount") === "flat" ? plain("value") : null);
    if (row.kind !== "principal") {
      set("of", all("of"));
      for (const name of ["reason_fa", "reason_en"]) set(name, words(name));
    }
  }
  if (row.kind !== "principal") for (const name of ["as_of_from_jalali", "as_of_to_jalali"]) next[name] = plain(name).replaceAll("/", "-") || null;
  for (const name of LAW) set(name, words(name));
  set("demonstration", given.get("demonstration") === "yes" ? true : null);
  return next;
}
