// That a certificate stood in the transparency log before an instant, from its proof file and the log's key. The twin
// of `avarez.transparency` (note, checkpoint, proof, merkle); formats: C2SP signed-note, tlog-checkpoint, tlog-proof.

export const PROOF_BYTES_MAX = 48 * 1024;
const NOTE_BYTES_MAX = 32 * 1024;
const SIGNATURES_MAX = 64;
const PATH_MAX = 64;
const HEAD = "c2sp.org/tlog-proof@v1";
const [NOTE, COSIGNATURE] = [1, 4];
const FIELD_PRIME = (1n << 255n) - 19n;
/** The y of every Ed25519 point whose order divides 8. Source: RFC 7748, section 6.1. */
const SMALL_ORDER_Y = [0n, 1n, FIELD_PRIME - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n];

const utf8 = new TextEncoder();

/** The text is no proof, no checkpoint of this log, or no key of a log. */
export class LogError extends Error {}

/** Whether a file is meant to be a proof. */
export const isProof = (text) => text.startsWith(`${HEAD}\n`);

/** `{origin, publicKey, ids}` of the key that a log publishes, `name+id+key`. Throws LogError for a weak one. */
export async function readLogKey(text) {
  const [origin, id, ...rest] = text.trim().split("+");
  const content = base64(rest.join("+"));
  const publicKey = content.slice(1);
  if (content[0] !== NOTE || publicKey.length !== 32 || !isName(origin) || isWeak(publicKey)) throw new LogError("no key of a log");
  const ids = { [NOTE]: await keyId(origin, NOTE, publicKey), [COSIGNATURE]: await keyId(origin, COSIGNATURE, publicKey) };
  if (hex(ids[NOTE]) !== id) throw new LogError("the key's id is not its own");
  return { origin, publicKey, ids };
}

/** When the log signed a tree that holds `message`, in ms; throws LogError when `proof` does not show that. */
export async function loggedAt(message, proof, log) {
  const { index, path, checkpoint } = readProof(proof);
  const { size, root, note } = readCheckpoint(checkpoint, log.origin);
  const own = byKey(note, log.origin, log.ids[NOTE]);
  const body = utf8.encode(note.text);
  if (own.length === 0 || !(await every(own, (signature) => signedBy(log.publicKey, signature, body)))) throw new LogError("not signed by this log");
  const at = await signedAt(note, log);
  const leaf = await sha256(Uint8Array.of(0), await sha256(message));
  if (!(await isIncluded(leaf, index, size, path, root))) throw new LogError("not in this tree");
  return at;
}

/** Whether `at` surely lies before `instant`: times of checkpoints are whole seconds, cut off. */
export const isBefore = (at, instant) => at + 1000 <= instant;

function readProof(text) {
  if (utf8.encode(text).length > PROOF_BYTES_MAX) throw new LogError("too long for a proof");
  const split = text.indexOf("\n\n");
  const lines = text.slice(0, Math.max(split, 0)).split("\n");
  if (split < 0 || lines[0] !== HEAD) throw new LogError("no proof");
  if (lines[1]?.startsWith("extra ")) lines.splice(1, 1);
  const index = /^index (0|[1-9][0-9]{0,18})$/.exec(lines[1] ?? "");
  if (!index || lines.length - 2 > PATH_MAX) throw new LogError("a proof has an index and at most 64 hashes");
  return { index: BigInt(index[1]), path: lines.slice(2).map(hash), checkpoint: text.slice(split + 2) };
}

function readCheckpoint(text, origin) {
  const note = readNote(text);
  const lines = note.text.slice(0, -1).split("\n");
  if (lines.length < 3 || lines.includes("") || !/^(0|[1-9][0-9]{0,18})$/.test(lines[1])) throw new LogError("no checkpoint");
  if (lines[0] !== origin) throw new LogError("another log's");
  return { size: BigInt(lines[1]), root: hash(lines[2]), note };
}

function readNote(text) {
  if (utf8.encode(text).length > NOTE_BYTES_MAX || /[\x00-\x09\x0b-\x1f]/.test(text)) throw new LogError("no note");
  const split = text.lastIndexOf("\n\n");
  const below = text.slice(split + 2);
  if (split < 0 || !below.endsWith("\n")) throw new LogError("a note has a text, an empty line and signatures");
  const signatures = below.slice(0, -1).split("\n").map((line) => {
    const [, name, content] = /^— ([^ ]+) (.+)$/.exec(line) ?? [];
    const bytes = base64(content ?? "");
    if (!isName(name) || bytes.length <= 4) throw new LogError("no signature's line");
    return { name, id: bytes.slice(0, 4), content: bytes.slice(4) };
  });
  if (signatures.length > SIGNATURES_MAX) throw new LogError("more signatures than are taken");
  return { text: text.slice(0, split + 1), signatures };
}

/** The earliest time that the log signed for; every line under its key must be true. */
async function signedAt(note, log) {
  const times = [];
  for (const content of byKey(note, log.origin, log.ids[COSIGNATURE])) {
    if (content.length !== 72) throw new LogError("a signed time is malformed");
    const seconds = content.slice(0, 8).reduce((value, byte) => value * 256n + BigInt(byte), 0n);
    const signed = utf8.encode(`cosignature/v1\ntime ${seconds}\n${note.text}`);
    if (seconds >= 253_402_300_800n || !(await signedBy(log.publicKey, content.slice(8), signed))) throw new LogError("a signed time is bad");
    times.push(Number(seconds) * 1000);
  }
  if (times.length === 0) throw new LogError("no signed time");
  return Math.min(...times);
}

/** Source: RFC 9162, section 2.1.3.2. */
async function isIncluded(leaf, index, size, path, root) {
  if (index >= size) return false;
  let [below, last, reached] = [index, size - 1n, leaf];
  for (const sibling of path) {
    if (last === 0n) return false;
    if (below & 1n || below === last) {
      reached = await sha256(Uint8Array.of(1), sibling, reached);
      while (below && !(below & 1n)) [below, last] = [below >> 1n, last >> 1n];
    } else reached = await sha256(Uint8Array.of(1), reached, sibling);
    [below, last] = [below >> 1n, last >> 1n];
  }
  return last === 0n && hex(reached) === hex(root);
}

async function signedBy(publicKey, signature, signed) {
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, signed);
}

async function every(items, holds) {
  for (const item of items) if (!(await holds(item))) return false;
  return true;
}

function isWeak(publicKey) {
  const y = publicKey.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n) & ((1n << 255n) - 1n);
  return y >= FIELD_PRIME || SMALL_ORDER_Y.includes(y);
}

const isName = (name) => Boolean(name) && name.length <= 200 && !/[+\s\x00-\x1f]/.test(name);
const byKey = (note, name, id) => note.signatures.filter((one) => one.name === name && hex(one.id) === hex(id)).map((one) => one.content);
const keyId = async (name, kind, key) => (await sha256(utf8.encode(`${name}\n`), Uint8Array.of(kind), key)).slice(0, 4);

/** Lower-case hexadecimal. */
export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** SHA-256 over the parts, one after another. */
export async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
}

function hash(line) {
  const raw = base64(line);
  if (raw.length !== 32) throw new LogError("a hash has 32 bytes");
  return raw;
}

function base64(text) {
  let raw;
  try {
    raw = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new LogError("not base64");
  }
  if (btoa(String.fromCharCode(...raw)) !== text) throw new LogError("base64 is not spelt in its one way");
  return raw;
}
