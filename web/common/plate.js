// Iranian plates: the four parts, the keys of the contract, and a drawing that can be laid beside the car.
import { h } from "./dom.js";
import { asciiDigits, digits, language, persianDigits } from "./text.js";

/** Latin key → the letter on the plate, and what kind of plate it is. */
export const LETTERS = {
  B: ["ب", "private"], J: ["ج", "private"], DAL: ["د", "private"], SIN: ["س", "private"], SAD: ["ص", "private"],
  TA: ["ط", "private"], GHAF: ["ق", "private"], L: ["ل", "private"], M: ["م", "private"], N: ["ن", "private"],
  V: ["و", "private"], HE: ["ه", "private"], Y: ["ی", "private"],
  ALEF: ["الف", "government"], T: ["ت", "taxi"], EIN: ["ع", "public"], KAF: ["ک", "agricultural"],
  GAF: ["گ", "temporary"], ZHE: ["ژ", "disabled"], PE: ["پ", "police"], SE: ["ث", "irgc"], SHIN: ["ش", "army"],
  ZE: ["ز", "defence"], FE: ["ف", "general_staff"], D: ["D", "diplomatic"], S: ["S", "diplomatic"],
};

const KEY_OF_LETTER = new Map(Object.entries(LETTERS).map(([key, [letter]]) => [letter, key]));
const CAR_KEY = /^(\d{2}|[*•]{2})([A-Z]+|[*•]+)(\d{3}|[*•]{3})-(\d{2}|[*•]{2})$/;
const MOTORCYCLE_KEY = /^([\d*•]{3})-([\d*•]{5})$/;

/** Arabic letter forms, tatweel, joiners and a bare alef as the plate writes them. */
function persianForms(text) {
  return asciiDigits(text)
    .replace(/[\u200c\u200d\u200e\u200f\u0640]/g, "")
    .replace(/ي|ى/g, "ی")
    .replace(/ك/g, "ک")
    .replace(/ایران|iran/gi, "");
}

/** The parts of whatever a person may type or paste: {kind:"car",two,letter,three,region} or {kind:"motorcycle",…}; else null. */
export function parsePlate(text) {
  const plain = persianForms(text).replace(/[\s\-–—_/|.,]+/g, "");
  const motorcycle = /^(\d{3})(\d{5})$/.exec(plain);
  if (motorcycle) return { kind: "motorcycle", region: motorcycle[1], number: motorcycle[2] };
  const car = /^(\d{2})(\D+)(\d{3})(\d{2})$/.exec(plain);
  if (!car) return null;
  const written = car[2] === "ا" ? "الف" : car[2];
  const letter = KEY_OF_LETTER.get(written) ?? (LETTERS[written.toUpperCase()] ? written.toUpperCase() : null);
  return letter ? { kind: "car", two: car[1], letter, three: car[3], region: car[4] } : null;
}

/** The key of the contract: `12B345-67` or `123-45678`. */
export function plateKey(parts) {
  return parts.kind === "motorcycle" ? `${parts.region}-${parts.number}` : `${parts.two}${parts.letter}${parts.three}-${parts.region}`;
}

/** One line in the given language, isolated so that it never reorders the text around it. */
export function plateText(plate, lang = language()) {
  const given = typeof plate === "string" ? null : plate?.[lang === "fa" ? "text_fa" : "text_en"];
  if (given) return given;
  const key = typeof plate === "string" ? plate : plate?.key ?? "";
  const car = CAR_KEY.exec(key);
  if (car && lang === "fa") return persianDigits(`${car[1]} ${LETTERS[car[2]]?.[0] ?? car[2]} ${car[3]} ایران ${car[4]}`);
  return digits(key, lang);
}

/**
 * The plate as it hangs on the car, always with Persian digits, since that is what the reader compares with.
 * Takes a key or the contract's {key, kind, text_fa, text_en}; masked places show as dots.
 */
export function drawPlate(plate, { size = "" } = {}) {
  const key = typeof plate === "string" ? plate : plate?.key ?? "";
  const dots = (text) => persianDigits(text).replace(/[*•]/g, "•");
  const label = plateText(plate);
  const car = CAR_KEY.exec(key);
  if (car) {
    const known = LETTERS[car[2]];
    const kind = plate?.kind ?? known?.[1] ?? "private";
    return h("div", { class: `plate plate-${kind} ${size}`, dir: "ltr", role: "img", "aria-label": label },
      h("div", { class: "plate-band" }, h("i", { class: "plate-flag" }), h("span", {}, "I.R."), h("span", {}, "IRAN")),
      h("div", { class: "plate-body" },
        h("span", {}, dots(car[1])),
        h("span", { class: "plate-letter" }, known?.[0] ?? "•"),
        h("span", {}, dots(car[3]))),
      h("div", { class: "plate-region" }, h("small", {}, "ایران"), h("span", {}, dots(car[4]))));
  }
  const motorcycle = MOTORCYCLE_KEY.exec(key);
  if (motorcycle) {
    return h("div", { class: `plate plate-motorcycle ${size}`, dir: "ltr", role: "img", "aria-label": label },
      h("div", { class: "plate-band" }, h("i", { class: "plate-flag" }), h("span", {}, "IRAN")),
      h("div", { class: "plate-body" }, h("span", {}, dots(motorcycle[1])), h("span", {}, dots(motorcycle[2]))));
  }
  return h("div", { class: `plate plate-none ${size}`, dir: "ltr", role: "img", "aria-label": label },
    h("div", { class: "plate-body" }, h("span", {}, label.replace(/[*]/g, "•"))));
}
