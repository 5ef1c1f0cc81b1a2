// Deterministic CBOR, in the few types a certificate uses. Source: RFC 8949, section 4.2.1.
// The same obligations as `avarez.certificates.cbor`: whatever could be written in two ways is refused.

/** Longest message looked at, and how deep it may nest: as in `avarez.certificates.cbor`. */
export const MAX_BYTES = 1024;
const MAX_DEPTH = 4;
const [UNSIGNED, NEGATIVE, BYTES, TEXT, LIST, MAP] = [0, 1, 2, 3, 4, 5];

/** The bytes are no deterministic CBOR of the types used here. */
export class CborError extends Error {}

/**
 * The value that all of `bytes` stands for: number (bigint beyond 2^53-1), Uint8Array, string, array, or Map with
 * integer keys; with keys of text as well where `textKeys` is said. Throws CborError for anything else.
 */
export function decode(bytes, { bytesMax = MAX_BYTES, textKeys = false } = {}) {
  if (bytes.length > bytesMax) throw new CborError("longer than what is read here");
  const [value, end] = item(bytes, 0, MAX_DEPTH, textKeys);
  if (end !== bytes.length) throw new CborError("bytes follow the value");
  return value;
}

/** The encoding of a byte string, text or list of these: all that the signing input of COSE needs. */
export function encode(value) {
  if (value instanceof Uint8Array) return concat(head(BYTES, value.length), value);
  if (typeof value === "string") {
    const text = new TextEncoder().encode(value);
    return concat(head(TEXT, text.length), text);
  }
  if (Array.isArray(value)) return concat(head(LIST, value.length), ...value.map(encode));
  throw new CborError("not used in a signing input");
}

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

function head(major, argument) {
  const first = major << 5;
  if (argument < 24) return Uint8Array.of(first | argument);
  if (argument < 0x100) return Uint8Array.of(first | 24, argument);
  if (argument < 0x10000) return Uint8Array.of(first | 25, argument >> 8, argument & 0xff);
  return Uint8Array.of(first | 26, argument >>> 24, (argument >> 16) & 0xff, (argument >> 8) & 0xff, argument & 0xff);
}

function readHead(bytes, start) {
  if (start >= bytes.length) throw new CborError("the bytes end early");
  const major = bytes[start] >> 5;
  const code = bytes[start] & 31;
  if (major > MAP) throw new CborError("a tag, a float or a simple value is not used in certificates");
  if (code < 24) return [major, BigInt(code), start + 1];
  if (code > 27) throw new CborError("an indefinite or reserved length");
  const size = 1 << (code - 24);
  const end = start + 1 + size;
  if (end > bytes.length) throw new CborError("the bytes end early");
  let argument = 0n;
  for (let index = start + 1; index < end; index += 1) argument = (argument << 8n) | BigInt(bytes[index]);
  if (argument < 24n || (size > 1 && argument < 1n << BigInt(4 * size))) {
    throw new CborError("a number is not written in its shortest form");
  }
  return [major, argument, end];
}

function item(bytes, start, depth, textKeys) {
  const [major, argument, position] = readHead(bytes, start);
  if (major === UNSIGNED) return [plain(argument), position];
  if (major === NEGATIVE) return [plain(-1n - argument), position];
  if (argument > BigInt(bytes.length - position)) throw new CborError("the bytes end early");
  const length = Number(argument);
  if (major === BYTES || major === TEXT) {
    const content = bytes.slice(position, position + length);
    return [major === BYTES ? content : text(content), position + length];
  }
  if (depth === 0) throw new CborError("nested too deep");
  return (major === LIST ? list : map)(bytes, position, length, depth - 1, textKeys);
}

function list(bytes, start, length, depth, textKeys) {
  const items = [];
  let position = start;
  for (let index = 0; index < length; index += 1) {
    const [value, end] = item(bytes, position, depth, textKeys);
    items.push(value);
    position = end;
  }
  return [items, position];
}

function map(bytes, start, length, depth, textKeys) {
  const entries = new Map();
  let position = start;
  let previous = new Uint8Array();
  for (let index = 0; index < length; index += 1) {
    const [key, keyEnd] = item(bytes, position, 0, textKeys);
    if (typeof key !== "number" && typeof key !== "bigint" && !(textKeys && typeof key === "string")) throw new CborError("map keys are integers");
    const encodedKey = bytes.slice(position, keyEnd);
    if (compare(encodedKey, previous) <= 0) throw new CborError("map keys are out of order or repeated");
    previous = encodedKey;
    const [value, end] = item(bytes, keyEnd, depth, textKeys);
    entries.set(key, value);
    position = end;
  }
  return [entries, position];
}

function compare(left, right) {
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    if (left[index] !== right[index]) return left[index] - right[index];
  }
  return left.length - right.length;
}

function plain(integer) {
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

function text(content) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new CborError("text is not UTF-8");
  }
}
