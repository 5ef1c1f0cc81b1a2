// Whether a certificate ended, from a signed status list that was kept: obligation 10 without a network. The twin of
// `avarez.certificates.status_list` and `avarez.certificates.offline.listed`.
import { CborError, decode } from "./cbor.js";
import { base64url, signingInput, signatureHolds } from "./cose.js";

const TYPE = "application/statuslist+cwt";
const LIST_PATH = "/.well-known/avarez/status";
const LIST_BYTES_MAX = 16 * 1024 * 1024;
const SHARD_PLACES = 2 ** 20;
const SKEW_MS = 5 * 60 * 1000;
const STATUS_AGE_MAX_MS = 26 * 3600 * 1000;
const SECONDS_MAX = 2 ** 40;
const [SUBJECT, EXPIRES, ISSUED, STATUS_LIST, TTL] = [2, 4, 6, 65_533, 65_534];
/** By the two bits; a suspended certificate counts as revoked. */
const VERDICTS = [["valid", "in_force"], ["revoked", "revoked"], ["revoked", "revoked"], ["superseded", "superseded"]];

/** The bytes are no status list of ours, or one that is not to be used. */
export class StatusListError extends Error {}

/** `{subject, issuedAt, expiresAt, packed}` (ms) of a list that a key of ours signed which is not stolen. */
export async function readList(token, keys, now = Date.now()) {
  const content = token[0] === 0xd2 ? decoded(token.subarray(1)) : null;
  if (!Array.isArray(content) || content.length !== 4) throw new StatusListError("not a COSE_Sign1 message");
  const [protectedHeader, unprotected, payload, signature] = content;
  const isForm = [protectedHeader, payload, signature].every((part) => part instanceof Uint8Array) && unprotected instanceof Map && unprotected.size === 0;
  const header = isForm ? decoded(protectedHeader) : null;
  if (!(header instanceof Map) || header.size !== 3 || header.get(1) !== -7 || header.get(16) !== TYPE || !(header.get(4) instanceof Uint8Array)) {
    throw new StatusListError("the protected header is not {ES256, key id, statuslist+cwt}");
  }
  const key = keys.get(base64url(header.get(4)));
  if (!key || key.status === "compromised") throw new StatusListError("no key of ours that may be trusted signed this list");
  if (!(await signatureHolds(signature, signingInput(protectedHeader, payload), key.jwk))) throw new StatusListError("the signature is not good");
  const list = claimsOf(decoded(payload));
  if (list.issuedAt > now + SKEW_MS) throw new StatusListError("the list is not of this time");
  return list;
}

/**
 * Obligation 10 on top of a good signature, by the lists at hand; the one that was issued last decides. An end is for
 * good, however old the list; "in force" holds for 26 hours, then nothing can be told since it was issued.
 */
export async function withLists(signed, tokens, keys, now = Date.now()) {
  if (signed.verdict !== "signature_good") return signed;
  const decided = (verdict, reason, at = null) => ({ ...signed, verdict, reason, obligation: 10, statusAsOf: at && new Date(at).toISOString() });
  const index = signed.payload.status_index;
  let refused = false;
  let last = null;
  for (const token of index === null ? [] : tokens) {
    try {
      const list = await readList(token, keys, now);
      const value = await valueIn(list, index);
      if (value !== null && !(last?.issuedAt >= list.issuedAt)) last = { ...list, value };
    } catch (error) {
      if (!(error instanceof StatusListError)) throw error;
      refused = true;
    }
  }
  if (last === null) return decided("cannot_tell", refused ? "status_list_refused" : "status_not_listed");
  const isFresh = now < last.expiresAt && now - last.issuedAt <= STATUS_AGE_MAX_MS;
  if (last.value === 0 && !isFresh) return decided("cannot_tell", "status_too_old", last.issuedAt);
  return decided(...VERDICTS[last.value], last.issuedAt);
}

/** The two bits at this index; null where the list is of other certificates, or does not reach. */
async function valueIn({ subject, packed }, index) {
  const path = URL.canParse(subject) ? new URL(subject).pathname : "";
  if (path === LIST_PATH) return bitsAt(packed, index);
  return path === `${LIST_PATH}/${Math.floor(index / SHARD_PLACES)}` ? bitsAt(packed, index % SHARD_PLACES) : null;
}

/** Unpacks as far as the place lies and no further: the list of the whole fleet is megabytes long. */
async function bitsAt(packed, place) {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  let before = Math.floor(place / 4);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return null;
      if (before < value.length) return (value[before] >> (2 * (place % 4))) & 3;
      before -= value.length;
    }
  } catch {
    throw new StatusListError("the list cannot be unpacked");
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function claimsOf(claims) {
  const names = [SUBJECT, EXPIRES, ISSUED, STATUS_LIST, TTL];
  const list = claims instanceof Map && claims.size === names.length ? claims.get(STATUS_LIST) : null;
  if (!claims?.has?.(SUBJECT)) throw new StatusListError("a claim is missing");
  const times = [EXPIRES, ISSUED, TTL].map((name) => claims.get(name));
  if (!(list instanceof Map) || list.size !== 2 || list.get("bits") !== 2 || !(list.get("lst") instanceof Uint8Array)) throw new StatusListError("not a list of two bits a place");
  if (!times.every((value) => Number.isInteger(value) && value >= 0 && value < SECONDS_MAX)) throw new StatusListError("a number is missing or out of bounds");
  return { subject: String(claims.get(SUBJECT)), issuedAt: times[1] * 1000, expiresAt: times[0] * 1000, packed: list.get("lst") };
}

function decoded(bytes) {
  try {
    return decode(bytes, { bytesMax: LIST_BYTES_MAX, textKeys: true });
  } catch (error) {
    if (error instanceof CborError) throw new StatusListError(error.message);
    throw error;
  }
}
