// What makes a certificate valid: the obligations of `avarez.certificates.verification`, under the same numbers,
// verdicts and reasons. 1 to 6 need nothing but the keys and, of a compromised key's certificate, the log's word; 7 to 10
// are the server's answer about its own record.
import { CoseError, base64url, parse, verify } from "./cose.js";
import { Unreadable, read } from "./link.js";
import { NewerVersion, PayloadError, decode } from "./payload.js";

const VERDICTS = ["valid", "revoked", "superseded", "tampered", "unreadable", "unknown", "cannot_tell"];
/** A status older than this says nothing about today: `STATUS_AGE_MAX` of the Python twin. */
const STATUS_AGE_MAX_MS = 26 * 3600 * 1000;

const outcome = (verdict, reason, obligation, payload = null) => ({ verdict, reason, obligation, payload });

/** Whether the log held a message before an instant (ms): true; false, it never held it; null, it cannot be told. */
const logNotSeen = async () => null;

/**
 * Obligations 1 to 6 for a whole link, a fragment or digits: `{verdict, reason, obligation, payload, page}`.
 * `signature_good` stands for "signature good, status not checked"; it is never shown as valid.
 */
export async function checkText(text, keys, loggedBefore = logNotSeen) {
  let scanned;
  try {
    scanned = read(text);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return outcome("unreadable", "text_incomplete", 1);
  }
  return { ...(await checkMessage(scanned.message, keys, loggedBefore)), page: scanned.page };
}

/** Obligations 2 to 6 for a message that a file carried; `loggedBefore(message, ms)` is asked of stolen keys' alone. */
export async function checkMessage(message, keys, loggedBefore = logNotSeen) {
  let parts;
  try {
    parts = parse(message);
  } catch (error) {
    if (!(error instanceof CoseError)) throw error;
    return outcome("unreadable", "message_malformed", 2);
  }
  if (!keys || keys.size === 0) return outcome("cannot_tell", "keys_missing", 3);
  const key = keys.get(base64url(parts.keyId));
  if (!key) return outcome("unknown", "key_unknown", 3);
  if (!(await verify(parts, key.jwk))) return outcome("tampered", "signature_bad", 4);
  let payload;
  try {
    payload = decode(parts.payload);
  } catch (error) {
    if (error instanceof NewerVersion) return outcome("cannot_tell", "version_unknown", 5);
    if (error instanceof PayloadError) return outcome("unreadable", "payload_malformed", 5);
    throw error;
  }
  if (key.status === "compromised") {
    const inTime = key.compromisedAt === null ? null : await loggedBefore(message, key.compromisedAt);
    if (inTime === null) return { ...outcome("cannot_tell", "key_compromised", 6, payload), message };
    if (!inTime) return outcome("tampered", "not_logged_before_compromise", 6, payload);
  }
  return outcome("signature_good", "signature_good_status_not_checked", 6, payload);
}

/**
 * Obligations 7 to 10 on top of a good signature: the server's answer for this id, or null when it gave none.
 * Anything but a well-formed, recent answer leaves the question open; none of them turns a bad signature good.
 */
export function withStatus(signed, answer, { now = Date.now(), fileSha256 = null } = {}) {
  if (signed.verdict !== "signature_good" || !answer) return signed;
  const { verdict, reason, certificate, status_as_of: statusAsOf, file_sha256: issuedSha256 } = answer;
  if (!VERDICTS.includes(verdict)) return signed;
  if (verdict === "valid") {
    if (!(now - Date.parse(statusAsOf) <= STATUS_AGE_MAX_MS)) return { ...signed, verdict: "cannot_tell", reason: "status_too_old", obligation: 10 };
    if (!sameCertificate(signed.payload, certificate)) return { ...signed, verdict: "tampered", reason: "message_differs", obligation: 8 };
    if (fileSha256 && issuedSha256 && fileSha256 !== issuedSha256) return { ...signed, verdict: "tampered", reason: "file_differs", obligation: 9 };
  }
  return { ...signed, verdict, reason: reason ?? verdict, obligation: 10, statusAsOf };
}

// The record must say what the paper says; the plate is masked in it and is compared by people.
function sameCertificate(payload, certificate) {
  return certificate?.certificate_id === payload.certificate_id
    && certificate.municipality === payload.municipality
    && String(certificate.amount_rial) === payload.amount_rial
    && String(certificate.years) === String(payload.years);
}
