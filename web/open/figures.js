// The published files, and sums over their rows. Amounts are BigInt: no rial is lost on the way.
import { digits, language } from "/common/text.js";

const kept = new Map();

async function fetched(path) {
  if (!kept.has(path)) {
    const asked = fetch(path, { headers: { accept: "application/json" } }).then((answer) => {
      if (!answer.ok) throw Object.assign(new Error(path), { status: answer.status });
      return answer.json();
    });
    kept.set(path, asked);
    asked.catch(() => kept.delete(path));
  }
  return kept.get(path);
}

/** The publication that stands; null before the first one. */
export async function publication() {
  try {
    return await fetched("/v1/open");
  } catch (fault) {
    if (fault.status === 404) return null;
    throw fault;
  }
}

export const definitions = () => fetched("/v1/open/definitions").then((answer) => answer.definitions);

/** A city's forecast, curves and ages; null where there are none yet. */
export async function planning(code) {
  try {
    return await fetched(`/v1/open/planning/${encodeURIComponent(code)}`);
  } catch (fault) {
    if (fault.status === 404) return null;
    throw fault;
  }
}

/** Before and after a day; a refusal carries what the service `said` of it in the reader's language. */
export async function effects(code, day, days, against) {
  const path = ["/v1/open/effects", code, day, days, against].map((part, place) => (place ? encodeURIComponent(part) : part)).join("/");
  const answer = await fetch(path, { headers: { accept: "application/json", "accept-language": language() } });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(path), { said: body.errors?.[0]?.message ?? body.detail ?? body.title });
  return body;
}

/** What a city published of its budgets; null where there is no such city. */
export async function budgets(code) {
  try {
    return await fetched(`/v1/open/budgets/${encodeURIComponent(code)}`);
  } catch (fault) {
    if (fault.status === 422) return null;
    throw fault;
  }
}

/** The rows of these cities as objects. */
export async function rowsOf(cities) {
  const files = await Promise.all(cities.map((city) => fetched(city.files.json.href)));
  return files.flatMap((file) => file.rows.map((row) => {
    const named = Object.fromEntries(file.columns.map((column, place) => [column, row[place]]));
    return { ...named, municipality: file.municipality, rial: BigInt(named.rial) };
  }));
}

/** What these cities are owed, row by row, and what each city's years rest on; of cities that have told something. */
export async function owedOf(cities) {
  const files = await Promise.all(cities.filter((city) => city.owed).map((city) => fetched(city.owed.files.json.href)));
  const rows = files.flatMap((file) => file.rows.map((row) => {
    const named = Object.fromEntries(file.columns.map((column, place) => [column, row[place]]));
    return { ...named, municipality: file.municipality, rial: BigInt(named.rial) };
  }));
  return { rows, cities: files.map((file) => file.municipality), days: files.flatMap((file) => file.years.map((year) => year.as_of_jalali)) };
}

export const money = (rows) => rows.filter((row) => row.figure !== "certified");
export const sum = (rows) => rows.reduce((total, row) => total + row.rial, 0n);
export const count = (rows) => rows.reduce((total, row) => total + row.count, 0);

/** [value, rows] for each value of a column. */
export function by(rows, column) {
  const groups = new Map();
  for (const row of rows) {
    const key = typeof column === "function" ? column(row) : row[column];
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups];
}

/** "12.3" of whole billions and tenths of them; exact but for what is cut off. */
export function billions(rial) {
  const tenths = (rial < 0n ? -rial : rial) / 100_000_000n;
  const whole = String(tenths / 10n).replace(/\B(?=(\d{3})+(?!\d))/g, language() === "fa" ? "٬" : ",");
  return digits(`${rial < 0n ? "\u2212" : ""}${whole}${language() === "fa" ? "٫" : "."}${tenths % 10n}`);
}

/** A share in per cent with one decimal, of two whole numbers. */
export function percent(part, whole) {
  if (!whole) return "–";
  const tenths = Number((BigInt(part) * 1000n) / BigInt(whole));
  const sign = language() === "fa" ? "٪" : "%";
  return digits(`${Math.trunc(tenths / 10)}${language() === "fa" ? "٫" : "."}${Math.abs(tenths % 10)}`) + sign;
}
