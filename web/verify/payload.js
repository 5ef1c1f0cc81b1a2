// What a certificate says. The twin of `avarez.certificates.payload`, with the same bounds.
import { CborError, decode as decodeCbor } from "./cbor.js";

const [FIRST_VERSION, VERSION] = [1, 2];
const CLEARANCE = "clearance";
const KINDS = { 1: "payment", 2: "clearance" };
const [YEAR_MIN, YEAR_MAX, YEAR_RANGES_MAX] = [1300, 1499, 32];
const STATUS_INDEX_MAX = 2 ** 32 - 1;
const AMOUNT_MAX_RIAL = 10 ** 15;
const DAYS_MAX = 200_000;
const DAY_SECONDS = 86_400;
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's base 32
const ID_CHARACTERS = 36;
const MUNICIPALITY = /^[A-Z0-9-]{1,64}$/;
const PLATE = /^[A-Z0-9._/-]{1,48}$/;

/** The bytes are no certificate payload. */
export class PayloadError extends Error {}

/** A payload of a later version than this page knows: it can be genuine all the same. */
export class NewerVersion extends PayloadError {}

/** The certificate's fields, each within its bounds, named as in the answers of `/v1/verify`. */
export function decode(bytes) {
  const content = readCbor(bytes);
  if (!(content instanceof Map)) throw new PayloadError("a payload is a map");
  const version = integer(content.get(1), FIRST_VERSION, 65_536);
  if (version > VERSION) throw new NewerVersion(`version ${version}`);
  const kind = KINDS[integer(content.get(3), 1, 255)];
  if (!kind) throw new PayloadError("an unknown kind");
  const first = version === FIRST_VERSION;
  const fields = first ? 11 : kind === CLEARANCE ? 13 : 12;
  const complete = content.size === fields && Array.from({ length: fields }, (_, index) => index + 1).every((key) => content.has(key));
  if (!complete) throw new PayloadError("a field is missing or unknown");
  return {
    certificate_id: idOf(byteString(content.get(2), 23)),
    kind,
    municipality: text(content.get(4), MUNICIPALITY),
    plate: text(content.get(5), PLATE),
    years: first ? yearsOfPairs(content.get(6)) : years(content.get(6), kind),
    amount_rial: String(integer(content.get(7), 0, AMOUNT_MAX_RIAL)),
    paid_on: day(integer(content.get(8), 0, DAYS_MAX)),
    issued_at: instant(integer(content.get(9), 0, DAYS_MAX * DAY_SECONDS)),
    vehicle_fingerprint: hex(byteString(content.get(10), first ? 8 : 6)),
    trace_prefix: hex(byteString(content.get(11), first ? 16 : 8)),
    status_index: first ? null : integer(content.get(12), 0, STATUS_INDEX_MAX),
    paid_through_year: content.has(13) ? integer(content.get(13), YEAR_MIN, YEAR_MAX) : null,
  };
}

function readCbor(bytes) {
  try {
    return decodeCbor(bytes);
  } catch (error) {
    if (error instanceof CborError) throw new PayloadError(error.message);
    throw error;
  }
}

function integer(value, least, most) {
  if (typeof value !== "number" || value < least || value > most) throw new PayloadError("a number is missing or out of bounds");
  return value;
}

function byteString(value, size) {
  if (!(value instanceof Uint8Array) || value.length !== size) throw new PayloadError("a byte string is missing or of another size");
  return value;
}

function text(value, form) {
  if (typeof value !== "string" || !form.test(value)) throw new PayloadError("a text is missing or malformed");
  return value;
}

// Version 2: `[from, how many, …]`; only a clearance may name no year.
function years(numbers, kind) {
  if (!Array.isArray(numbers) || numbers.length % 2 || (numbers.length === 0 && kind !== CLEARANCE)) throw new PayloadError("no years, or half a range of them");
  const ranges = [];
  for (let place = 0; place < numbers.length; place += 2) {
    const first = integer(numbers[place], YEAR_MIN, YEAR_MAX);
    ranges.push([first, first + integer(numbers[place + 1], 1, YEAR_MAX) - 1]);
  }
  return spread(ranges);
}

// Version 1: `[[from, to], …]`.
function yearsOfPairs(pairs) {
  if (!Array.isArray(pairs) || pairs.length === 0) throw new PayloadError("no years");
  return spread(pairs.map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw new PayloadError("a range of years has two ends");
    return pair.map((end) => integer(end, YEAR_MIN, YEAR_MAX));
  }));
}

function spread(ranges) {
  if (ranges.length > YEAR_RANGES_MAX) throw new PayloadError("too many ranges of years");
  const found = [];
  for (const [first, last] of ranges) {
    if (last < first || last > YEAR_MAX || (found.length > 0 && first <= found[found.length - 1] + 1)) throw new PayloadError("ranges of years ascend and do not touch");
    for (let year = first; year <= last; year += 1) found.push(year);
  }
  return found;
}

function idOf(bytes) {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  if (value >> BigInt(5 * ID_CHARACTERS)) throw new PayloadError("a malformed id");
  let characters = "";
  for (let place = ID_CHARACTERS - 1; place >= 0; place -= 1) characters += ALPHABET[Number((value >> BigInt(5 * place)) & 31n)];
  return `ce_${characters}`;
}

function day(days) {
  return new Date(days * DAY_SECONDS * 1000).toISOString().slice(0, 10);
}

function instant(seconds) {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

function hex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
