// The city's emblem, with a look at it before it is set, and whom the operators call.
import { fill, h } from "/common/dom.js";
import { asciiDigits } from "/common/text.js";
import { once } from "/common/desk/service/attempts.js";
import { call } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { announce } from "/common/desk/page/shell.js";
import { field, notice, sendForm, subpage } from "../../pieces.js";

const SVG_MAX = 20_000;
/** As a certificate has it, in the head and in the foot; in pixels. */
const SIZES = [96, 40];

export async function emblemView(main, { signal, officer, again }) {
  const { steps } = await call("GET", officer.here("/onboarding"));
  if (signal.aborted) return;
  const stands = steps.find((step) => step.what === "emblem").done;
  const news = h("div", { class: "form-message", id: "profile-news" });
  subpage(main, "onboarding", t("backToOnboarding"), t("emblemTitle"), news, h("section", { class: "card medium" },
    h("p", { class: "soft", id: "emblem-stands" }, t(stands ? "emblemSet" : "emblemUnset")), officer.can("profile.write") && emblemForm(officer, again)));
}

function emblemForm(officer, again) {
  const svg = h("textarea", { id: "emblem-svg", name: "emblem_svg", rows: 6, dir: "ltr", maxlength: SVG_MAX, spellcheck: "false" });
  const place = h("div", { class: "emblems", id: "emblem-preview" });
  const look = () => drawEmblem(place, svg.value.trim());
  svg.addEventListener("input", look);
  const file = h("input", { type: "file", id: "emblem-file", class: "visually-hidden", accept: ".svg,image/svg+xml" });
  file.addEventListener("change", async () => {
    svg.value = (await file.files[0]?.text()) ?? svg.value;
    svg.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const form = sendForm("emblem", {
    fields: [
      h("label", { class: "button file" }, t("emblemFile"), file),
      field(t("emblemText"), svg),
      h("figure", {}, h("figcaption", { class: "soft" }, t("emblemPreview")), place),
    ],
    action: t("emblemDo"),
    check: () => /^<svg[\s\S]*<\/svg>$/.test(svg.value.trim()) && svg.value.length <= SVG_MAX ? null : ["emblem_svg", t("needSvg")],
    send: () => once("emblem", "PUT", officer.here("/profile"), { emblem_svg: svg.value.trim() }),
    done: () => saved(again, t("emblemDone")),
  });
  look();
  return form;
}

/** The picture in both sizes, on white as on paper. As an image an SVG runs nothing and loads nothing. */
function drawEmblem(place, svg) {
  if (!svg.startsWith("<svg")) return fill(place, h("p", { class: "soft" }, t("emblemNone")));
  const source = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  const failed = () => fill(place, h("p", { class: "owed" }, t("emblemBad")));
  return fill(place, SIZES.map((size) => h("img", { src: source, alt: t("emblemPreview"), width: size, height: size, onerror: failed })));
}

export async function contactView(main, { signal, officer, again }) {
  const { contact } = await call("GET", officer.here("/onboarding"));
  if (signal.aborted) return;
  const news = h("div", { class: "form-message", id: "profile-news" });
  subpage(main, "onboarding", t("backToOnboarding"), t("contactTitle"), news, h("section", { class: "card medium" }, contactForm(contact ?? {}, officer, again)));
}

function contactForm(contact, officer, again) {
  const input = (name, id, more = {}) => h("input", { id, name, value: contact[name] ?? "", autocomplete: "off", ...more });
  return sendForm("contact", {
    fields: [
      field(t("contactName"), input("name", "contact-name", { dir: "auto", maxlength: 100 })),
      field(t("phone"), input("phone", "contact-phone", { type: "tel", dir: "ltr", maxlength: 16 })),
      field(t("email"), input("email", "contact-email", { type: "email", dir: "ltr", maxlength: 200 })),
      field(t("postal"), input("address", "contact-address", { dir: "auto", maxlength: 300 })),
      field(t("postalCode"), input("postal_code", "contact-code", { dir: "ltr", maxlength: 20, inputmode: "numeric" })),
    ],
    action: t("contactDo"),
    check: (values) => values.name.length < 3 ? ["name", t("needName")]
      : !/^\+?[0-9]{5,15}$/.test(plainPhone(values.phone)) ? ["phone", t("needPhone")]
        : !/^[^@\s]+@[\w.-]+\.\w{2,}$/.test(values.email) ? ["email", t("needEmail")]
          : values.address.length < 3 ? ["address", t("needPostal")] : null,
    send: (values) => once("contact", "PUT", officer.here("/profile"), { contact: { ...values, phone: plainPhone(values.phone), postal_code: asciiDigits(values.postal_code) } }),
    done: () => saved(again, t("contactDone")),
  });
}

function plainPhone(text) {
  return asciiDigits(text).replace(/[\s()-]/g, "");
}

async function saved(again, says) {
  await again();
  const news = document.getElementById("profile-news");
  if (news) fill(news, notice("good", says));
  announce(says);
}
