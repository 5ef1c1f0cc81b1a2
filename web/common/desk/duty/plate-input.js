// A plate to type into: four parts in the order they stand on the metal, left to right in both languages.
import { h } from "/common/dom.js";
import { LETTERS, parsePlate, plateKey } from "/common/plate.js";
import { asciiDigits, digits, language } from "/common/text.js";
import { t } from "../words/messages.js";

/** `{node, key(), focus()}`; `key()` is the contract's key, or null while a part is missing. */
export function carPlateInput() {
  const two = part("plate-two", 2, t("plateTwo"));
  const letter = letterSelect();
  const three = part("plate-three", 3, t("plateThree"));
  const region = part("plate-region", 2, t("plateRegion"));
  const parts = [two, letter, three, region];
  connect(parts, (found) => {
    if (found.kind !== "car") return false;
    [two.value, letter.value, three.value, region.value] = [digits(found.two), found.letter, digits(found.three), digits(found.region)];
    paint();
    return true;
  });
  const node = h("div", { class: "plate plate-input large", dir: "ltr", role: "group", "aria-label": t("byPlate") },
    h("div", { class: "plate-band", "aria-hidden": "true" }, h("i", { class: "plate-flag" }), h("span", {}, "I.R."), h("span", {}, "IRAN")),
    h("div", { class: "plate-body" }, two, letter, three),
    h("div", { class: "plate-region" }, h("small", { "aria-hidden": "true" }, "ایران"), region));
  const paint = () => {
    node.className = `plate plate-input large plate-${LETTERS[letter.value]?.[1] ?? "private"}`;
    for (const option of letter.options) if (option.value) option.textContent = letterText(option.value, option.selected);
  };
  letter.addEventListener("change", paint);
  return {
    node,
    focus: () => (parts.find((item) => !item.value) ?? two).focus(),
    key: () => {
      const [a, b, c] = [two, three, region].map((item) => asciiDigits(item.value));
      return a.length === 2 && b.length === 3 && c.length === 2 && letter.value
        ? plateKey({ kind: "car", two: a, letter: letter.value, three: b, region: c })
        : null;
    },
  };
}

/** The same for a motorcycle: three digits over five. */
export function motorcyclePlateInput() {
  const region = part("plate-region", 3, t("motorcycleRegion"));
  const number = part("plate-number", 5, t("motorcycleNumber"));
  connect([region, number], (found) => {
    if (found.kind !== "motorcycle") return false;
    [region.value, number.value] = [digits(found.region), digits(found.number)];
    return true;
  });
  const node = h("div", { class: "plate plate-input plate-motorcycle large", dir: "ltr", role: "group", "aria-label": t("byMotorcycle") },
    h("div", { class: "plate-band", "aria-hidden": "true" }, h("i", { class: "plate-flag" }), h("span", {}, "IRAN")),
    h("div", { class: "plate-body" }, region, number));
  return {
    node,
    focus: () => (region.value ? number : region).focus(),
    key: () => {
      const [a, b] = [region, number].map((item) => asciiDigits(item.value));
      return a.length === 3 && b.length === 5 ? plateKey({ kind: "motorcycle", region: a, number: b }) : null;
    },
  };
}

function part(name, length, label) {
  return h("input", {
    id: name, name, class: `plate-part len-${length}`, inputmode: "numeric", maxlength: length, autocomplete: "off", spellcheck: "false",
    "aria-label": label, title: label, placeholder: digits("0").repeat(length), required: true,
  });
}

function letterSelect() {
  return h("select", { id: "plate-letter", name: "plate-letter", class: "plate-part plate-letter", "aria-label": t("plateLetter"), title: t("plateLetter"), required: true },
    h("option", { value: "", disabled: true, selected: true, hidden: true }, "؟"),
    Object.keys(LETTERS).map((key) => h("option", { value: key }, letterText(key, false))));
}

/** In English the list says each letter's Latin key; the chosen one stands alone, as on the metal, where there is no room for more. */
function letterText(key, chosen) {
  const [letter] = LETTERS[key];
  return chosen || language() === "fa" || letter === key ? letter : `${letter} ${key}`;
}

// Digits move on when a part is full; a letter may be typed in Persian or as its Latin key; a whole plate may be pasted.
function connect(parts, paste) {
  const step = (from, by) => {
    const next = parts[parts.indexOf(from) + by];
    if (!next) return;
    next.focus();
    if (next.select) next.select();
  };
  for (const item of parts) {
    const select = item.tagName === "SELECT";
    item.addEventListener(select ? "change" : "input", () => {
      if (!select) item.value = digits(asciiDigits(item.value).replace(/\D/g, ""));
      if (select || item.value.length === item.maxLength) step(item, 1);
    });
    item.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && (select || !item.value)) {
        event.preventDefault();
        step(item, -1);
      } else if (select && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
        const key = letterOf(event.key);
        if (!key) return;
        event.preventDefault();
        item.value = key;
        item.dispatchEvent(new Event("change"));
      }
    });
    item.addEventListener("paste", (event) => {
      const found = parsePlate(event.clipboardData?.getData("text") ?? "");
      if (found && paste(found)) {
        event.preventDefault();
        parts[parts.length - 1].focus();
      }
    });
  }
}

function letterOf(typed) {
  const letter = { ا: "الف", آ: "الف", ي: "ی", ك: "ک" }[typed] ?? typed;
  const found = Object.entries(LETTERS).find(([key, [written]]) => written === letter || key === letter.toUpperCase());
  return found?.[0] ?? null;
}
