// Large amounts in few digits, for charts: exact but for what is cut off.
import { digits, language } from "/common/text.js";
import { t } from "/common/desk/words/messages.js";

const BILLION = 1_000_000_000n;
const MILLION = 1_000_000n;

/** The unit in which the largest of the amounts (BigInt) reads well, and how an amount is written in it, with one decimal. */
export function scaled(amounts) {
  const most = amounts.reduce((top, amount) => (abs(amount) > top ? abs(amount) : top), 0n);
  const [size, name] = most >= 10n * BILLION ? [BILLION, "billions"] : [MILLION, "millions"];
  return { unit: t(name), text: (amount) => written(amount, size) };
}

function abs(amount) {
  return amount < 0n ? -amount : amount;
}

function written(amount, size) {
  const tenths = (abs(amount) * 10n) / size;
  const [comma, point] = language() === "fa" ? ["٬", "٫"] : [",", "."];
  const whole = String(tenths / 10n).replace(/\B(?=(\d{3})+(?!\d))/g, comma);
  return digits(`${amount < 0n ? "\u2212" : ""}${whole}${tenths % 10n ? point + (tenths % 10n) : ""}`);
}
