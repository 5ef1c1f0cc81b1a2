// The first question: which car, and whose. A page of its own at first, a dialog over the work when a session ends.
import { carPlateInput, motorcyclePlateInput } from "/common/desk/duty/plate-input.js";
import { t } from "/common/desk/words/messages.js";
import { announce, busy, problemBox } from "/common/desk/page/shell.js";
import { fill, h, icon } from "/common/dom.js";
import { asciiDigits, digits, language } from "/common/text.js";
import { showThatItIsMine } from "../car.js";

const ID_DIGITS = [10, 11];

export function lookUpView(main, { done }) {
  const form = lookUpForm(done);
  fill(main, h("section", { class: "card look-up" },
    h("h1", {}, t("lookUpTitle")),
    h("p", { class: "soft" }, t("lookUpLead")),
    form.node,
    h("ul", { class: "promises" }, ["promiseAccount", "promiseId", "promiseGateway"].map((name) => h("li", {}, icon("check"), t(name))))));
  form.focus();
}

let pending = null;

/** Resolves once the owner has shown again that the car is his; the work underneath stays as it was. */
export function lookUpDialog() {
  pending ??= new Promise((resolve) => {
    const form = lookUpForm(() => {
      dialog.close();
      dialog.remove();
      pending = null;
      resolve();
    });
    const dialog = h("dialog", { class: "card look-up", "aria-labelledby": "again-title", oncancel: (event) => event.preventDefault() },
      h("h2", { id: "again-title" }, t("againTitle")), h("p", { class: "soft" }, t("againLead")), form.node);
    document.body.append(dialog);
    dialog.showModal();
    form.focus();
  });
  return pending;
}

function lookUpForm(done) {
  let input = null;
  const message = h("div", { class: "form-message" });
  const place = h("div", { class: "plate-field" });
  const id = idField();
  const button = h("button", { class: "button primary big", id: "look-up" }, icon("search"), t("lookUp"));
  const choose = (kind) => {
    input = kind === "motorcycle" ? motorcyclePlateInput() : carPlateInput();
    fill(place, input.node);
  };
  const refuse = (text, focus) => {
    fill(message, h("p", { class: "notice notice-bad", role: "alert" }, t(text)));
    focus.focus();
  };
  const submit = async (event) => {
    event.preventDefault();
    if (button.disabled) return undefined;
    const plate = input.key();
    const nationalId = asciiDigits(id.value).replace(/\D/g, "");
    if (!plate) return refuse("incompletePlate", input);
    if (!ID_DIGITS.includes(nationalId.length)) return refuse("incompleteId", id);
    fill(message);
    try {
      await busy(button, t("looking"), () => showThatItIsMine(plate, nationalId));
    } catch (problem) {
      fill(message, refusal(problem));
      return (problem.code === "invalid_input" ? id : input).focus();
    }
    id.value = "";
    announce(t("found"));
    return done();
  };
  const node = h("form", { onsubmit: submit, novalidate: true },
    h("fieldset", { class: "segments" }, h("legend", { class: "visually-hidden" }, t("kindOfPlate")),
      [["car", "byPlate"], ["motorcycle", "byMotorcycle"]].map(([kind, label], index) => h("label", {},
        h("input", { type: "radio", name: "kind", value: kind, checked: index === 0, onchange: () => choose(kind) }), h("span", {}, t(label))))),
    place,
    h("label", { class: "id-field", for: "national-id" }, h("span", {}, t("nationalId")), id, h("small", { class: "soft", id: "id-hint" }, t("nationalIdHint"))),
    message, button);
  choose("car");
  return { node, focus: () => input.focus() };
}

function idField() {
  const field = h("input", { id: "national-id", name: "national-id", class: "identifier", dir: "ltr", inputmode: "numeric", maxlength: 14, autocomplete: "off", spellcheck: "false", "aria-describedby": "id-hint", required: true });
  field.addEventListener("input", () => {
    field.value = digits(asciiDigits(field.value).replace(/\D/g, "").slice(0, 11), language());
  });
  return field;
}

// What to do next stands with each refusal: nobody is left with a code.
function refusal(problem) {
  if (problem.code === "owner_not_matched") {
    return h("div", { class: "notice notice-warn", role: "alert" }, icon("question"),
      h("div", {}, h("p", {}, h("b", {}, t("notMatchedTitle"))),
        h("ul", {}, ["notMatchedPlate", "notMatchedId", "notMatchedOffice"].map((name) => h("li", {}, t(name))))));
  }
  if (problem.code === "too_many_attempts") {
    const minutes = Math.max(1, Math.ceil((problem.retryAfter ?? 60) / 60));
    return h("div", { class: "notice notice-warn", role: "alert" }, icon("lock"), h("p", {}, t("tooMany", { minutes: digits(minutes) })));
  }
  if (problem.fields?.length) {
    return h("div", { class: "notice notice-bad", role: "alert" }, icon("warn"), h("p", {}, problem.fields.map((field) => field.message).join(" ")));
  }
  return problemBox(problem);
}

