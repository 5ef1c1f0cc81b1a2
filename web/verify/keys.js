// Our public keys, by the first 8 bytes of their RFC 7638 thumbprint. The twin of `avarez.certificates.jwks`.
import { base64url } from "./cose.js";

const KEYS_MAX = 256;
const STATUSES = ["next", "active", "retired", "compromised"];

/** The document is no set of our keys; nothing can be told with it. */
export class KeysError extends Error {}

/** Map from key id to `{jwk, status, compromisedAt}`, ms or null. A `kid` that is not the key's own thumbprint is refused, as is a bad point. */
export async function readKeys(document) {
  const keys = document?.keys;
  if (!Array.isArray(keys) || keys.length > KEYS_MAX) throw new KeysError("not a set of keys");
  const found = new Map();
  for (const jwk of keys) {
    if (jwk === null || typeof jwk !== "object") throw new KeysError("a key is no object");
    if (jwk.kty !== "EC" || jwk.crv !== "P-256" || (jwk.alg ?? "ES256") !== "ES256") continue;
    const status = jwk.status ?? "active";
    if (!STATUSES.includes(status)) throw new KeysError("a key's status is unknown");
    const kid = await keyId(jwk);
    if (jwk.kid !== undefined && jwk.kid !== kid) throw new KeysError("a key's id is not its thumbprint");
    const compromisedAt = jwk.compromised_at === undefined ? null : Date.parse(jwk.compromised_at);
    if (Number.isNaN(compromisedAt)) throw new KeysError("a key's compromised_at is no time");
    found.set(kid, { jwk, status, compromisedAt });
  }
  return found;
}

async function keyId(jwk) {
  if (![jwk.x, jwk.y].every((coordinate) => /^[A-Za-z0-9_-]{43}$/.test(coordinate))) throw new KeysError("a coordinate is missing");
  const canonical = JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical));
  return base64url(new Uint8Array(digest).slice(0, 8));
}
