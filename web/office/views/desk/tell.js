// The owner's telephone, told to the clerk: he hears when his certificate is ready, and before the year ends.
import { call } from "/common/desk/service/api.js";
import { givenNumber, mobileForm } from "/common/desk/duty/mobile.js";
import { fill, h } from "/common/dom.js";
import { language } from "/common/text.js";
import { t } from "../../messages.js";

const LANGUAGES = ["fa", "en"];

/** A folded box for the car on `plate` in this city's roll. What is typed stays in the field and goes with it. */
export function tellOwner(plate, municipality) {
  const key = typeof plate === "string" ? plate : plate.key;
  const summary = h("summary", {}, t("remindTitle"));
  const place = h("div", { class: "mobile" });
  const drawForm = () => {
    const spoken = h("select", { id: "mobile-language", name: "language" }, LANGUAGES.map((one) => h("option", { value: one, selected: one === language() }, t(`language.${one}`))));
    const send = async (mobile) => {
      const body = { municipality, mobile, consent: true, language: spoken.value };
      drawGiven((await call("POST", `/v1/vehicles/${encodeURIComponent(key)}/mobile-numbers`, { body })).mobile);
    };
    fill(place, mobileForm({ send, further: [h("label", { class: "spoken" }, h("span", {}, t("messageLanguage")), spoken)] }));
  };
  const drawGiven = (masked) => {
    const another = () => {
      drawForm();
      place.querySelector("#mobile").focus();
    };
    const change = h("button", { type: "button", class: "button quiet", id: "other-mobile", onclick: another }, t("otherMobile"));
    fill(place, givenNumber(masked), change);
    change.focus();
  };
  drawForm();
  return h("details", { class: "more tell-owner", id: "tell-owner" }, summary, place);
}
