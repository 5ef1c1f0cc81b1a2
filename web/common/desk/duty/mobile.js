// A mobile number that messages go to: given with consent, by the owner on his page or at the counter.
import { fill, h, icon } from "/common/dom.js";
import { asciiDigits, digits } from "/common/text.js";
import { t } from "../words/messages.js";
import { busy, problemBox } from "../page/shell.js";

/**
 * The form: `lead`, the number, further fields and the consent, without which nothing is sent. `send(mobile, button)` keeps it.
 * `owner` says that it is the owner's own telephone, which the browser may fill in; at a counter it must not offer another's.
 */
export function mobileForm({ send, owner = false, further = [] }) {
  const message = h("div", { class: "form-message" });
  const field = h("input", { id: "mobile", name: "mobile", type: "tel", class: "identifier", dir: "ltr", inputmode: "tel", maxlength: 20, autocomplete: owner ? "tel-national" : "off" });
  const consent = h("input", { id: "consent", name: "consent", type: "checkbox" });
  const button = h("button", { class: "button", id: "give-mobile" }, t("giveMobile"));
  const submit = (event) => {
    event.preventDefault();
    const wrong = !field.value.trim() ? ["needMobile", field] : !consent.checked ? ["needConsent", consent] : null;
    if (!wrong) return sayRefusals(button, message, () => send(asciiDigits(field.value)));
    fill(message, h("p", { class: "notice notice-bad", role: "alert" }, t(wrong[0])));
    return wrong[1].focus();
  };
  return [
    h("p", { class: "soft small-print" }, t("remindLead")),
    h("form", { class: "stack", onsubmit: submit, novalidate: true },
      h("label", {}, h("span", {}, t("mobile")), field), further,
      h("label", { class: "check" }, consent, h("span", {}, t("consent"))),
      message, button),
  ];
}

/** The masked number that is kept now. */
export function givenNumber(mobile) {
  return h("p", { class: "given", role: "status" }, icon("check"), h("span", {}, t("remindGiven"), " "), h("bdi", { class: "number", id: "mobile-given" }, digits(mobile)));
}

/** Does `task` behind `button`; what is refused stands in `message`, a wrong number in its own words alone. */
export async function sayRefusals(button, message, task) {
  fill(message);
  try {
    await busy(button, t("working"), task);
  } catch (problem) {
    fill(message, problem.fields?.length ? h("p", { class: "notice notice-bad", role: "alert" }, problem.fields.map((one) => one.message).join(" ")) : problemBox(problem));
  }
}
