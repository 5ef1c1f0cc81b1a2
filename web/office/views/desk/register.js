// A car that is in no roll: entered from its card, provisional, payable at once.
import { fill, h } from "/common/dom.js";
import { parsePlate, plateKey } from "/common/plate.js";
import { asciiDigits } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { busy, cityName, go, problemBox, state, word } from "../../shell.js";
import { t } from "../../messages.js";
import { standingOf } from "./vehicle.js";

const CLASSES = ["passenger", "pickup_double", "pickup_single", "van", "minibus", "bus", "truck", "motorcycle", "taxi", "ambulance", "other"];

export function registerView(main) {
  const message = h("div", { class: "form-message" });
  const button = h("button", { class: "button primary big", id: "register" }, t("register"));
  const attempt = crypto.randomUUID();
  const cities = [...state.cities.keys()].sort((a, b) => cityName(a).localeCompare(cityName(b)));
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!form.reportValidity()) return undefined;
    const body = bodyOf(new FormData(form));
    try {
      await busy(button, t("working"), () => call("POST", "/v1/vehicles", { body, idempotencyKey: attempt }));
      state.standing = standingOf(await call("GET", `/v1/vehicles/${encodeURIComponent(body.plate)}`));
      state.assessment = null;
      return go("vehicle");
    } catch (problem) {
      fill(message, problemBox(problem));
      return message.scrollIntoView({ block: "nearest" });
    }
  };
  fill(main, h("section", { class: "card register" },
    h("h1", {}, t("registerTitle")), h("p", { class: "soft" }, t("registerLead")),
    h("form", { onsubmit: submit, novalidate: false },
      h("div", { class: "grid" },
        field("plate", "plate", { required: true, value: ["plate", "motorcycle"].includes(state.search.by) ? state.search.value : "" }),
        choice("municipality", "city", cities.map((code) => [code, cityName(code)])),
        choice("class", "class", words("class", CLASSES)),
        choice("origin", "origin", words("origin", ["domestic", "imported"])),
        choice("fuel", "fuel", words("fuel", ["petrol", "diesel", "cng", "dual", "hybrid", "electric"])),
        field("make", "make", { dir: "auto", required: true }), field("model", "modelName", { dir: "auto", required: true }),
        field("model_year", "modelYear", { inputmode: "numeric", required: true }),
        choice("model_calendar", "modelCalendar", words("calendar", ["jalali", "gregorian"])),
        field("vin", "vin", { maxlength: 17, value: state.search.by === "vin" ? state.search.value : "" }), field("chassis", "chassis"), field("engine", "engine"),
        field("cylinders", "cylinders", { inputmode: "numeric" }), field("displacement_cc", "displacement", { inputmode: "numeric" }),
        field("base_price_rial", "basePrice", { inputmode: "numeric", required: true }),
        field("sale_date_jalali", "saleDate", { placeholder: t("dateHint") }), field("residence_from_jalali", "residenceFrom", { placeholder: t("dateHint") }),
        field("evidence", "evidence", { dir: "auto", required: true })),
      message, h("div", { class: "actions" }, button, h("button", { type: "button", class: "button quiet", onclick: () => go("search") }, t("back"))))));
  main.querySelector("input").focus();
}

function field(name, label, attributes = {}) {
  return h("label", {}, h("span", {}, t(label)), h("input", { name, id: `field-${name}`, dir: "ltr", autocomplete: "off", spellcheck: "false", maxlength: 60, ...attributes }));
}

function choice(name, label, options) {
  return h("label", {}, h("span", {}, t(label)), h("select", { name, id: `field-${name}`, required: true }, options.map(([value, text]) => h("option", { value }, text))));
}

const words = (set, values) => values.map((value) => [value, word(set, value)]);

const NUMBERS = ["model_year", "cylinders", "displacement_cc"];
const DATES = ["sale_date_jalali", "residence_from_jalali"];

/** The body of POST /v1/vehicles: empty fields left out, digits ASCII, dates with dashes, the plate as its key. */
function bodyOf(form) {
  const body = {};
  for (const [name, raw] of form) {
    const value = asciiDigits(raw).trim();
    if (!value) continue;
    if (NUMBERS.includes(name)) body[name] = Number(value);
    else if (name === "base_price_rial") body[name] = value.replace(/[,٬\s]/g, "");
    else if (DATES.includes(name)) body[name] = value.replaceAll("/", "-");
    else if (name === "plate") body[name] = parsePlate(value) ? plateKey(parsePlate(value)) : value;
    else if (name === "evidence") body[name] = { kind: "vehicle_card", reference: value };
    else body[name] = value;
  }
  return body;
}
