// The signed message inside a certificate's PDF. The twin of `avarez.certificates.document`, with the same bounds:
// a stream always stands outside of compressed objects, so the attached file is found by its own type.
// Source: ISO 32000-2, sections 7.3.8, 7.5.7 and 7.11.4.
import { MAX_BYTES } from "../cbor.js";

export const PDF_BYTES_MAX = 4 * 1024 * 1024;
const ATTACHMENTS_MAX = 64;
const REACH = 2048;
const TAG_SIGN1 = 0xd2;

/** The file holds no certificate message: it is no PDF, or none of ours. */
export class NoMessage extends Error {}

/** The COSE message attached to the PDF in `bytes`; nothing about its signature is known yet. */
export async function messageInPdf(bytes) {
  const text = new TextDecoder("windows-1252").decode(bytes); // one character a byte: places are the same in both
  if (bytes.length > PDF_BYTES_MAX || !text.slice(0, 1024).includes("%PDF-")) throw new NoMessage("not a PDF of a certificate's size");
  const found = new Map();
  for (const content of await attachments(bytes, text)) {
    if (content.length > 0 && content.length <= MAX_BYTES && content[0] === TAG_SIGN1) found.set(String(content), content);
  }
  if (found.size !== 1) throw new NoMessage("the file carries no certificate, or several");
  return [...found.values()][0];
}

/** The SHA-256 of the whole file, as the register keeps it. */
export async function fileHash(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function attachments(bytes, text) {
  const found = [];
  const types = [...text.matchAll(/\/Type[\x09-\x0d ]*\/EmbeddedFile(?![A-Za-z0-9])/g)];
  if (types.length > ATTACHMENTS_MAX) throw new NoMessage("more attachments than any certificate has");
  for (const type of types) {
    const after = type.index + type[0].length;
    const before = text.slice(Math.max(0, type.index - REACH), type.index);
    const begin = before.lastIndexOf("obj");
    const stream = /stream\r?\n/.exec(text.slice(after, after + REACH));
    if (begin < 0 || !stream) continue;
    const start = after + stream.index + stream[0].length;
    const dictionary = before.slice(begin) + text.slice(type.index, after + stream.index);
    const content = await contentOf(dictionary, bytes, text, start);
    if (content) found.push(content);
  }
  return found;
}

async function contentOf(dictionary, bytes, text, start) {
  const length = /\/Length[\x09-\x0d ]+([0-9]{1,7})(?![0-9])(?![\x09-\x0d ]+[0-9]+[\x09-\x0d ]+R)/.exec(dictionary);
  const encoding = /\/Filter[\x09-\x0d ]*(?:\[[\x09-\x0d ]*)?\/([A-Za-z0-9]+)/.exec(dictionary);
  const end = length ? start + Number(length[1]) : text.indexOf("endstream", start);
  const raw = bytes.slice(start, Math.max(start, end));
  if (!encoding) return raw.slice(0, MAX_BYTES + 1);
  return encoding[1] === "FlateDecode" ? inflated(raw) : null;
}

/** At most MAX_BYTES + 1 bytes of what `raw` unpacks to; null when it is damaged before that. */
async function inflated(raw) {
  const reader = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const parts = [];
  let size = 0;
  try {
    while (size <= MAX_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      size += value.length;
    }
  } catch {
    return null;
  } finally {
    reader.cancel().catch(() => undefined);
  }
  const whole = new Uint8Array(await new Blob(parts).arrayBuffer());
  return whole.slice(0, MAX_BYTES + 1);
}
