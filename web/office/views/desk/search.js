// The first question of every visit: which vehicle?
import { fill, h, icon } from "/common/dom.js";
import { carPlateInput, motorcyclePlateInput } from "/common/desk/duty/plate-input.js";
import { asciiDigits } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { busy, go, problemBox, state } from "../../shell.js";
import { t } from "../../messages.js";
import { standingOf } from "./vehicle.js";

const WAYS = [["plate", "byPlate"], ["motorcycle", "byMotorcycle"], ["vin", "byVin"], ["chassis", "byChassis"], ["engine", "byEngine"]];

export function searchView(main) {
  const message = h("div", { class: "form-message" });
  const field = h("div", { class: "search-field" });
  const button = h("button", { class: "button primary big", id: "search" }, icon("search"), t("search"));
  let input = null;

  const choose = (by) => {
    state.search.by = by;
    input = by === "plate" ? carPlateInput() : by === "motorcycle" ? motorcyclePlateInput() : textInput(by);
    fill(field, input.node, by === "plate" && h("p", { class: "soft hint" }, t("pasteHint")));
    fill(message);
  };

  const submit = async (event) => {
    event.preventDefault();
    const key = input.key();
    if (!key) {
      fill(message, h("p", { class: "notice notice-bad", role: "alert" }, t(["plate", "motorcycle"].includes(state.search.by) ? "incompletePlate" : "incompleteValue")));
      return input.focus();
    }
    fill(message);
    try {
      const path = ["plate", "motorcycle"].includes(state.search.by)
        ? `/v1/vehicles/${encodeURIComponent(key)}`
        : `/v1/vehicles?${new URLSearchParams({ [state.search.by]: key })}`;
      state.standing = standingOf(await busy(button, t("working"), () => call("GET", path)));
      Object.assign(state, { assessment: null, notice: null });
      return go("vehicle");
    } catch (problem) {
      state.search.value = key;
      fill(message, problem.code === "vehicle_not_found" ? notFound() : problemBox(problem));
      return input.focus();
    }
  };

  fill(main, h("section", { class: "card search" },
    h("h1", {}, t("searchTitle")),
    h("p", { class: "soft" }, t("searchLead")),
    h("form", { onsubmit: submit, novalidate: true },
      h("fieldset", { class: "segments" }, h("legend", { class: "visually-hidden" }, t("searchBy")),
        WAYS.map(([by, label]) => h("label", {},
          h("input", { type: "radio", name: "by", value: by, checked: state.search.by === by, onchange: () => choose(by) }), h("span", {}, t(label))))),
      field, message, button)));
  choose(state.search.by);
  input.focus();
}

function textInput(by) {
  const label = t({ vin: "byVin", chassis: "byChassis", engine: "byEngine" }[by]);
  const node = h("input", { id: "identifier", name: "identifier", class: "identifier", dir: "ltr", maxlength: 40, autocomplete: "off", spellcheck: "false", autocapitalize: "characters", "aria-label": label, placeholder: label });
  return { node, focus: () => node.focus(), key: () => asciiDigits(node.value).trim().toUpperCase() || null };
}

function notFound() {
  return h("div", { class: "notice notice-warn", role: "alert" }, icon("question"),
    h("div", {}, h("p", {}, h("b", {}, t("notFoundTitle"))), h("p", {}, t("notFoundText"))),
    h("div", { class: "actions" }, h("button", { type: "button", class: "button", onclick: () => go("register") }, t("registerVehicle"))));
}
