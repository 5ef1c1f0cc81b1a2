// The country as tiles: one for each of the 31 provinces, about where it lies. Decision 112 says why no outlines.
import { language } from "/common/text.js";
import { s } from "./charts.js";
import { billions } from "./figures.js";
import { t } from "./words.js";

/** code: [column, row, Persian, English]; columns from west to east, rows from north to south. */
export const TILES = {
  "WEST-AZERBAIJAN": [0, 0, "آذربایجان‌غ", "W. Azerb."], "EAST-AZERBAIJAN": [1, 0, "آذربایجان‌ش", "E. Azerb."], ARDABIL: [2, 0, "اردبیل", "Ardabil"],
  KURDISTAN: [0, 1, "کردستان", "Kurdistan"], ZANJAN: [1, 1, "زنجان", "Zanjan"], GILAN: [2, 1, "گیلان", "Gilan"], MAZANDARAN: [3, 1, "مازندران", "Mazandaran"], GOLESTAN: [4, 1, "گلستان", "Golestan"], "NORTH-KHORASAN": [5, 1, "خراسان ش", "N. Khorasan"],
  KERMANSHAH: [0, 2, "کرمانشاه", "Kermanshah"], HAMADAN: [1, 2, "همدان", "Hamadan"], QAZVIN: [2, 2, "قزوین", "Qazvin"], ALBORZ: [3, 2, "البرز", "Alborz"], SEMNAN: [4, 2, "سمنان", "Semnan"], "RAZAVI-KHORASAN": [5, 2, "خراسان ر", "Razavi Kh."],
  ILAM: [0, 3, "ایلام", "Ilam"], LORESTAN: [1, 3, "لرستان", "Lorestan"], MARKAZI: [2, 3, "مرکزی", "Markazi"], TEHRAN: [3, 3, "تهران", "Tehran"], QOM: [4, 3, "قم", "Qom"], "SOUTH-KHORASAN": [5, 3, "خراسان ج", "S. Khorasan"],
  KHUZESTAN: [1, 4, "خوزستان", "Khuzestan"], "CHAHARMAHAL-VA-BAKHTIARI": [2, 4, "چهارمحال", "Chaharmahal"], ISFAHAN: [3, 4, "اصفهان", "Isfahan"], YAZD: [4, 4, "یزد", "Yazd"],
  "KOHGILUYEH-VA-BOYER-AHMAD": [2, 5, "کهگیلویه", "Kohgiluyeh"], FARS: [3, 5, "فارس", "Fars"], KERMAN: [4, 5, "کرمان", "Kerman"], "SISTAN-VA-BALUCHESTAN": [5, 5, "سیستان", "Sistan"],
  BUSHEHR: [3, 6, "بوشهر", "Bushehr"], HORMOZGAN: [4, 6, "هرمزگان", "Hormozgan"],
};
const SIDE = 64;

/** The map; `rial` of each province that has a published city. */
export function provinces(rial, label) {
  const most = [...rial.values()].reduce((top, value) => (value > top ? value : top), 1n);
  const level = (value) => (value === undefined ? "empty" : `level-${value * 3n > most * 2n ? 3 : value * 3n > most ? 2 : 1}`);
  const place = language() === "fa" ? 2 : 3;
  return s("svg", { class: "map", viewBox: `0 0 ${SIDE * 6} ${SIDE * 7}`, role: "img", "aria-label": label, direction: "ltr" },
    Object.entries(TILES).map(([code, tile]) => {
      const [x, y, value] = [tile[0] * SIDE, tile[1] * SIDE, rial.get(code)];
      return s("g", { class: level(value) },
        s("rect", { x, y, width: SIDE, height: SIDE, rx: 8 }, s("title", {}, `${tile[place]}: ${value === undefined ? t("noCity") : `${billions(value)} ${t("billion")}`}`)),
        s("text", { x: x + SIDE / 2, y: y + SIDE / 2 + (value === undefined ? 4 : -3) }, tile[place]),
        value === undefined ? null : s("text", { x: x + SIDE / 2, y: y + SIDE / 2 + 15 }, billions(value)));
    }));
}
