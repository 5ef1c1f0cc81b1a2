// Deciding an objection: rejected with a reason, or accepted with the facts put right.
import { h } from "/common/dom.js";
import { asciiDigits, digits, money } from "/common/text.js";
import { confirmed } from "/common/desk/page/confirm.js";
import { call } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { announce, word } from "/common/desk/page/shell.js";
import { field, sendForm } from "../../pieces.js";

const CHOICES = {
  vehicle_class: ["class", ["passenger", "pickup_double", "pickup_single", "van", "minibus", "bus", "truck", "motorcycle", "taxi", "ambulance", "other"]],
  origin: ["origin", ["domestic", "imported"]],
  fuel: ["fuel", ["petrol", "diesel", "cng", "dual", "hybrid", "electric"]],
  model_calendar: ["calendar", ["jalali", "gregorian"]],
};
const NUMBERS = ["model_year", "cylinders", "displacement_cc"];
const FACTS = ["base_price_rial", "vehicle_class", "model_year", "model_calendar", "fuel", "origin", "make", "model", "cylinders", "displacement_cc", "sale_date_jalali"];
/** What an objection of each reason is most often about: it stands first. */
const ABOUT = { wrong_price: ["base_price_rial"], wrong_class: ["vehicle_class"], wrong_model_year: ["model_year", "model_calendar"], wrong_start: ["sale_date_jalali"], wrong_fuel_or_origin: ["fuel", "origin"] };

export function decision(one, vehicle, again) {
  const send = async (body, title, text) => {
    if (!(await confirmed({ title, text, action: title.replace(/[؟?]$/, "") }))) return null;
    return call("POST", `/v1/objections/${one.objection_id}/decisions`, { body });
  };
  const done = (decided) => {
    if (!decided) return;
    announce(word("casestate", decided.status));
    again();
  };
  const reason = (id) => field(t("decisionReason"), h("textarea", { id, name: "reason", rows: 3, dir: "auto", maxlength: 2000 }), t("decisionHint"));
  const noReason = (values) => (values.reason ? null : ["reason", t("needDecisionReason")]);
  const about = ABOUT[one.reason] ?? [];
  const inputs = [...about, ...FACTS.filter((name) => !about.includes(name))].map((name) => factField(name, vehicle[name] ?? ""));
  return [
    h("details", { class: "more", open: true, id: "accepting" }, h("summary", {}, t("accept")), sendForm(`accept-${one.objection_id}`, {
      fields: [h("p", { class: "soft" }, t("factsHint")), h("div", { class: "grid" }, inputs.slice(0, Math.max(about.length, 1))),
        h("details", {}, h("summary", {}, t("otherFacts")), h("div", { class: "grid spaced" }, inputs.slice(Math.max(about.length, 1)))), reason("accept-reason")],
      action: t("accept"),
      check: (values) => {
        const bad = NUMBERS.find((name) => values[name] && !/^[0-9]+$/.test(asciiDigits(values[name])));
        if (bad) return [bad, t("badNumber", { name: word("fact", bad) })];
        return Object.keys(changed(values, vehicle)).length === 0 ? [(about[0] ?? FACTS[0]), t("needFact")] : noReason(values);
      },
      send: (values) => {
        const facts = changed(values, vehicle);
        const list = Object.entries(facts).map(([name, value]) => `${word("fact", name)} \u2068${told(name, value)}\u2069`).join("، ");
        return send({ outcome: "accepted", reason: values.reason, facts }, t("acceptTitle"), t("acceptText", { facts: list }));
      },
      done,
    })),
    h("details", { class: "more", id: "rejecting" }, h("summary", {}, t("reject")), sendForm(`reject-${one.objection_id}`, {
      fields: reason("reject-reason"), action: t("reject"), primary: false, check: noReason,
      send: (values) => send({ outcome: "rejected", reason: values.reason }, t("rejectTitle"), t("rejectText")),
      done,
    })),
  ];
}

function factField(name, value) {
  const id = `fact-${name}`;
  const choices = CHOICES[name];
  const input = choices
    ? h("select", { id, name }, choices[1].map((one) => h("option", { value: one, selected: one === value }, word(choices[0], one))))
    : h("input", { id, name, dir: "auto", autocomplete: "off", maxlength: 60, value: value === "" ? "" : told(name, value), inputmode: NUMBERS.includes(name) || name === "base_price_rial" ? "numeric" : null });
  return field(word("fact", name), input);
}

/** A fact's value in words. */
export function told(name, value) {
  if (CHOICES[name]) return word(CHOICES[name][0], value);
  if (name === "base_price_rial") return money(value);
  return name === "make" || name === "model" ? String(value) : digits(value);
}

/** The facts that differ from those of the quote, each in the contract's form. */
function changed(values, vehicle) {
  const facts = {};
  for (const name of FACTS) {
    const typed = plain(name, values[name] ?? "");
    if (typed !== "" && String(typed) !== String(vehicle[name] ?? "")) facts[name] = typed;
  }
  return facts;
}

function plain(name, text) {
  if (CHOICES[name]) return text;
  if (NUMBERS.includes(name)) return text === "" ? "" : Number(asciiDigits(text));
  if (name === "base_price_rial") return asciiDigits(text).replace(/[^0-9]/g, "");
  return name === "sale_date_jalali" ? asciiDigits(text).replaceAll("/", "-") : text;
}
