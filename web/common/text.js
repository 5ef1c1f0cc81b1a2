// Language, digits, money and dates. Two languages, one time zone (Asia/Tehran), amounts as strings of rial.

const FA_DIGITS = "۰۱۲۳۴۵۶۷۸۹";
const AR_DIGITS = "٠١٢٣٤٥٦٧٨٩";
const LANGUAGE_KEY = "avarez.language";

let current = readLanguage();

function readLanguage() {
  try {
    return localStorage.getItem(LANGUAGE_KEY) === "en" ? "en" : "fa";
  } catch {
    return "fa";
  }
}

/** "fa" or "en"; Persian unless the reader chose otherwise on this device. */
export function language() {
  return current;
}

/** Switches the page: the choice is kept, `lang` and `dir` of the document follow. */
export function setLanguage(next) {
  current = next === "en" ? "en" : "fa";
  try {
    localStorage.setItem(LANGUAGE_KEY, current);
  } catch {
    // a private window without storage still gets the language, for this page
  }
  applyLanguage();
}

/** The document carries the current language and direction. */
export function applyLanguage() {
  document.documentElement.lang = current;
  document.documentElement.dir = current === "fa" ? "rtl" : "ltr";
}

/** Every Persian and Arabic-Indic digit as ASCII. */
export function asciiDigits(text) {
  return String(text).replace(/[۰-۹٠-٩]/g, (digit) => {
    const persian = FA_DIGITS.indexOf(digit);
    return String(persian >= 0 ? persian : AR_DIGITS.indexOf(digit));
  });
}

/** Every ASCII digit as a Persian one. */
export function persianDigits(text) {
  return String(text).replace(/[0-9]/g, (digit) => FA_DIGITS[Number(digit)]);
}

/** Digits in the given language (the page's unless told). */
export function digits(text, lang = current) {
  return lang === "fa" ? persianDigits(text) : String(text);
}

/** "-2400000" → "−2,400,000" or "−۲٬۴۰۰٬۰۰۰"; works on the string, so no amount is too large. */
export function money(rial, lang = current) {
  const text = String(rial);
  const negative = text.startsWith("-");
  const grouped = text.replace(/^-/, "").replace(/\B(?=(\d{3})+(?!\d))/g, lang === "fa" ? "٬" : ",");
  return digits((negative ? "\u2212" : "") + grouped, lang);
}

/** The sum of amounts written as strings, as a string. */
export function sumRial(amounts) {
  return amounts.reduce((sum, amount) => sum + BigInt(amount), 0n).toString();
}

const FORMATS = {
  fa: { date: { dateStyle: "long" }, dateTime: { dateStyle: "long", timeStyle: "short" } },
  en: { date: { dateStyle: "long" }, dateTime: { dateStyle: "long", timeStyle: "short" } },
};

function format(instant, style, lang) {
  const date = instant instanceof Date ? instant : new Date(instant);
  if (Number.isNaN(date.getTime())) return String(instant);
  const options = { ...FORMATS[lang][style], timeZone: "Asia/Tehran" };
  return new Intl.DateTimeFormat(lang === "fa" ? "fa-IR-u-ca-persian" : "en-GB-u-ca-gregory", options).format(date);
}

/** The day in the reader's calendar: Jalali in Persian, Gregorian in English; Tehran's day. */
export function longDate(instant, lang = current) {
  return format(instant, "date", lang);
}

/** Day and minute in the reader's calendar, Tehran's clock. */
export function dateTime(instant, lang = current) {
  return format(instant, "dateTime", lang);
}

/** The Jalali day in Latin script ("2 Azar 1405"), for English beside the Gregorian one. */
export function jalaliInEnglish(instant) {
  const date = instant instanceof Date ? instant : new Date(instant);
  const parts = new Intl.DateTimeFormat("en-GB-u-ca-persian", {
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "Asia/Tehran",
  }).formatToParts(date);
  const part = (type) => parts.find((item) => item.type === type)?.value ?? "";
  return `${part("day")} ${part("month")} ${part("year")}`;
}

/** Sorted years as ranges: [1399,1400,1402] → "1399–1400, 1402". Takes ranges [[a,b],…] as well. */
export function yearRanges(years, lang = current) {
  const ranges = [];
  for (const item of years) {
    const [from, to] = Array.isArray(item) ? item : [item, item];
    const last = ranges[ranges.length - 1];
    if (last && from === last[1] + 1) last[1] = to;
    else ranges.push([from, to]);
  }
  const word = lang === "fa" ? " تا " : "–";
  return digits(ranges.map(([from, to]) => (from === to ? `${from}` : `${from}${word}${to}`)).join(lang === "fa" ? "، " : ", "), lang);
}

/** "1404-12-29" as the reader writes it: ۱۴۰۴/۱۲/۲۹ in Persian, 1404/12/29 in English. */
export function jalaliText(jalali, lang = current) {
  return digits(String(jalali).replaceAll("-", "/"), lang);
}

/** The minute of an instant on Tehran's clock: "14:05" or "۱۴:۰۵". */
export function clock(instant, lang = current) {
  const options = { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Tehran" };
  return new Intl.DateTimeFormat(lang === "fa" ? "fa-IR" : "en-GB", options).format(new Date(instant));
}

/** Today in Tehran as the contract writes Jalali days: "1405-09-06". */
export function todayJalali(now = new Date()) {
  const options = { year: "numeric", month: "2-digit", day: "2-digit", timeZone: "Asia/Tehran" };
  const parts = new Intl.DateTimeFormat("en-US-u-ca-persian-nu-latn", options).formatToParts(now);
  const part = (type) => parts.find((item) => item.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}
