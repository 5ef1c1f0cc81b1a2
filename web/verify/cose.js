// COSE_Sign1 with ES256, in the one spelling that certificates use: 18([{1: -7, 4: kid}, {}, payload, r || s]).
// Source: RFC 9052, sections 4.2 and 4.4; RFC 9053, section 2.1. The twin of `avarez.certificates.cose`.
import { CborError, decode, encode } from "./cbor.js";

const TAG_SIGN1 = 0xd2;
const KEY_ID_BYTES = 8;
const SIGNATURE_BYTES = 64;
const ES256 = -7;
/** The order of the group P-256. Source: SP 800-186, section 3.2.1.3. */
const GROUP_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The bytes are no certificate message: they cannot be read, whoever signed them. */
export class CoseError extends Error {}

/** `{keyId, payload, signature, protectedHeader}` of `message`; nothing about the signature is known yet. */
export function parse(message) {
  if (message[0] !== TAG_SIGN1) throw new CoseError("not a COSE_Sign1 message");
  const content = readCbor(message.slice(1));
  if (!Array.isArray(content) || content.length !== 4) throw new CoseError("a COSE_Sign1 message has four parts");
  const [protectedHeader, unprotected, payload, signature] = content;
  if (![protectedHeader, payload, signature].every((part) => part instanceof Uint8Array)) {
    throw new CoseError("header, payload and signature are byte strings");
  }
  if (!(unprotected instanceof Map) || unprotected.size !== 0) throw new CoseError("unprotected headers are not used");
  if (signature.length !== SIGNATURE_BYTES) throw new CoseError("the signature is not r || s of 64 bytes");
  return { keyId: keyIdOf(protectedHeader), payload, signature, protectedHeader };
}

/** Whether the JWK `key` signed `message`. */
export function verify(message, key) {
  return signatureHolds(message.signature, signingInput(message.protectedHeader, message.payload), key);
}

/** The bytes that are signed. Source: RFC 9052, section 4.4. */
export const signingInput = (protectedHeader, payload) => encode(["Signature1", protectedHeader, new Uint8Array(), payload]);

/** Whether `signature` is r || s with both in range, s in the lower half, and the curve's equation holds for `signed`. */
export async function signatureHolds(signature, signed, key) {
  if (signature.length !== SIGNATURE_BYTES || !signatureInRange(signature)) return false;
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const jwk = { kty: key.kty, crv: key.crv, x: key.x, y: key.y };
  const publicKey = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, publicKey, signature, signed);
}

/** Base64url without padding, as JWK key ids are written. */
export function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function readCbor(bytes) {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof CborError) throw new CoseError(error.message);
    throw error;
  }
}

function keyIdOf(protectedHeader) {
  const header = readCbor(protectedHeader);
  const keyId = header instanceof Map && header.size === 2 && header.get(1) === ES256 ? header.get(4) : null;
  if (!(keyId instanceof Uint8Array) || keyId.length !== KEY_ID_BYTES) {
    throw new CoseError("the protected header is not {algorithm ES256, key id of 8 bytes}");
  }
  return keyId;
}

function signatureInRange(signature) {
  const r = number(signature.slice(0, 32));
  const s = number(signature.slice(32));
  return r >= 1n && r < GROUP_ORDER && s >= 1n && s <= GROUP_ORDER / 2n;
}

function number(bytes) {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
