// The certificate as a link: `{origin}/v#` and base-10 digits. The twin of `avarez.certificates.link`.
import { MAX_BYTES } from "./cbor.js";

const GROUP_BYTES = 7;
const GROUP_DIGITS = 17;
const LAST_GROUP_BYTES = { 3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6 };
const MAX_CHARACTERS = 4096;
const SPACING = /[\s\x1c-\x1f\x85]|\p{Cf}/u;
const MATHEMATICAL_DIGITS = [0x1d7ce, 0x1d7ff];

/** The text does not hold the whole of a certificate's digits. */
export class Unreadable extends Error {}

/** The message that `text` (0-9 only) spells; any other spelling throws Unreadable. */
export function fromDigits(text) {
  if (!/^[0-9]+$/.test(text)) throw new Unreadable("there is something other than digits");
  const rest = text.length % GROUP_DIGITS;
  if (rest && !LAST_GROUP_BYTES[rest]) throw new Unreadable("some digits are missing");
  if (Math.floor(text.length / GROUP_DIGITS) * GROUP_BYTES > MAX_BYTES) throw new Unreadable("too many digits");
  const message = [];
  for (let start = 0; start < text.length; start += GROUP_DIGITS) {
    const group = text.slice(start, start + GROUP_DIGITS);
    const size = group.length === GROUP_DIGITS ? GROUP_BYTES : LAST_GROUP_BYTES[group.length];
    const number = BigInt(group);
    if (number >> BigInt(8 * size)) throw new Unreadable("a group of digits is too large");
    for (let place = size - 1; place >= 0; place -= 1) message.push(Number((number >> BigInt(8 * place)) & 0xffn));
  }
  return Uint8Array.from(message);
}

/**
 * `{message, page}` of a whole link, of what follows its `#`, or of the digits alone; `page` is the address before
 * the `#`, or null. Persian and Arabic digits, white space and invisible marks do no harm.
 */
export function read(text) {
  const characters = [...text];
  if (characters.length > MAX_CHARACTERS) throw new Unreadable("the text is longer than any link");
  const mark = characters.lastIndexOf("#");
  const fragment = characters.slice(mark + 1).filter((character) => !SPACING.test(character));
  const address = characters.slice(0, Math.max(mark, 0)).filter((character) => !SPACING.test(character)).join("");
  return { message: fromDigits(fragment.map(asciiDigit).join("")), page: address || null };
}

// A decimal digit of any script: they stand in tens that begin at a code point ending in 0 or in 6.
function asciiDigit(character) {
  if (!/^\p{Nd}$/u.test(character)) throw new Unreadable("there is something other than digits");
  const code = character.codePointAt(0);
  if (code >= MATHEMATICAL_DIGITS[0] && code <= MATHEMATICAL_DIGITS[1]) return String((code - MATHEMATICAL_DIGITS[0]) % 10);
  const place = code & 0xf;
  return String(/^\p{Nd}$/u.test(String.fromCodePoint(code - place)) ? place : place - 6);
}
