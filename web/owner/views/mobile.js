// A mobile number, given or not: with consent, shown masked, taken back at any time.
import { call } from "/common/desk/api.js";
import { t } from "/common/desk/messages.js";
import { busy, problemBox } from "/common/desk/shell.js";
import { fill, h, icon } from "/common/dom.js";
import { asciiDigits, digits, language } from "/common/text.js";

const NUMBERS = "/v1/owner/mobile-numbers";

/** Fills `place` with what is known of the owner's number; quietly nothing where that cannot be asked. */
export async function drawMobile(place, signal) {
  try {
    const { mobile } = await call("GET", NUMBERS);
    if (!signal.aborted) draw(place, mobile, signal);
  } catch {
    // reminders are a comfort; what is owed stands above
  }
}

function draw(place, mobile, signal) {
  place.hidden = false;
  if (mobile) drawGiven(place, mobile, signal);
  else drawForm(place, signal);
}

function drawGiven(place, mobile, signal) {
  const message = h("div", { class: "form-message" });
  const remove = h("button", { type: "button", class: "button quiet", id: "remove-mobile" }, t("removeMobile"));
  remove.addEventListener("click", () => act(remove, message, async () => {
    await call("POST", `${NUMBERS}/removals`, { body: {} });
    if (!signal.aborted) draw(place, null, signal);
  }));
  fill(place, h("h2", {}, t("remindTitle")),
    h("p", { class: "given" }, icon("check"), h("span", {}, t("remindGiven"), " "), h("bdi", { class: "number", id: "mobile-given" }, digits(mobile))),
    message, remove);
}

function drawForm(place, signal) {
  const message = h("div", { class: "form-message" });
  const field = h("input", { id: "mobile", name: "mobile", type: "tel", class: "identifier", dir: "ltr", inputmode: "tel", maxlength: 16, autocomplete: "tel-national" });
  const consent = h("input", { id: "consent", name: "consent", type: "checkbox" });
  const button = h("button", { class: "button", id: "give-mobile" }, t("giveMobile"));
  const submit = (event) => {
    event.preventDefault();
    if (!consent.checked) {
      fill(message, h("p", { class: "notice notice-bad", role: "alert" }, t("needConsent")));
      return consent.focus();
    }
    return act(button, message, async () => {
      const body = { mobile: asciiDigits(field.value), consent: true, language: language() };
      const answer = await call("POST", NUMBERS, { body });
      if (!signal.aborted) draw(place, answer.mobile, signal);
    });
  };
  fill(place, h("h2", {}, t("remindTitle")),
    h("p", { class: "soft small-print" }, t("remindLead")),
    h("form", { class: "stack", onsubmit: submit, novalidate: true },
      h("label", {}, h("span", {}, t("mobile")), field),
      h("label", { class: "check" }, consent, h("span", {}, t("consent"))),
      message, button));
}

async function act(button, message, task) {
  fill(message);
  try {
    await busy(button, t("working"), task);
  } catch (problem) {
    fill(message, problem.fields?.length ? h("p", { class: "notice notice-bad", role: "alert" }, problem.fields.map((one) => one.message).join(" ")) : problemBox(problem));
  }
}
