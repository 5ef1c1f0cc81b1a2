// The ways to show a certificate besides its link: the camera, a file (chosen or dropped), a short code with its plate.
import { Unreadable, read } from "../link.js";
import { PROOF_BYTES_MAX, isProof } from "../log.js";
import { cameraIsThere, textInPicture, watch } from "./camera.js";
import { NoMessage, PDF_BYTES_MAX, fileHash, messageInPdf } from "./document.js";

const SAYS = {
  looking: ["رمزینهٔ گواهی را درون قاب بگیرید.", "Hold the certificate’s code inside the frame."],
  other: ["این رمزینهٔ گواهی نیست؛ رمزینهٔ گواهی را بگیرید.", "This is not a certificate’s code. Aim at the certificate’s."],
  refused: ["دوربین در دسترس نیست؛ اجازهٔ دوربین را بدهید، یا عکس یا فایل گواهی را انتخاب کنید.", "No camera. Allow it, or choose a picture or the certificate’s file."],
};

const button = document.getElementById("scan");
const box = document.getElementById("camera");
const video = document.getElementById("camera-video");
const hint = document.getElementById("camera-hint");
const file = document.getElementById("file");

let stop = null;
let taken = 0; // the file that was shown last is the one that counts, however long an earlier one takes to read

/**
 * Connects the page's inputs. `onText(text)`, `onMessage(message, sha256)`, `onCode(code, plate)` check what was
 * shown; `onProof(text)` takes a proof file of the log; `onNothing()` says that a file holds no certificate.
 */
export function listen({ onText, onMessage, onProof, onCode, onNothing }) {
  button.hidden = !cameraIsThere();
  button.addEventListener("click", () => (stop ? close() : open(onText)));
  document.getElementById("camera-close").addEventListener("click", close);
  file.addEventListener("change", () => {
    if (file.files.length) take([...file.files], { onText, onMessage, onProof, onNothing });
    file.value = "";
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const dropped = [...(event.dataTransfer?.files ?? [])];
    if (dropped.length) take(dropped, { onText, onMessage, onProof, onNothing });
  });
  document.getElementById("code-form").addEventListener("submit", (event) => {
    event.preventDefault();
    onCode(document.getElementById("code").value.trim(), document.getElementById("code-plate").value.trim());
  });
}

async function open(onText) {
  box.hidden = false;
  say("looking");
  try {
    stop = await watch(video, (text) => {
      if (!isCertificate(text)) return say("other");
      close();
      return onText(text);
    });
  } catch {
    say("refused");
  }
}

function close() {
  stop?.();
  stop = null;
  box.hidden = true;
  button.focus();
}

/** A certificate, its proof file, or both at once. */
async function take(files, { onText, onMessage, onProof, onNothing }) {
  const proofs = files.filter((one) => one.name.endsWith(".tlog-proof") || one.type === "text/plain");
  for (const proof of proofs) {
    const text = proof.size > PROOF_BYTES_MAX ? "" : await proof.text();
    if (isProof(text)) onProof(text);
    else onNothing();
  }
  const certificate = files.find((one) => !proofs.includes(one));
  return certificate ? takeCertificate(certificate, { onText, onMessage, onNothing }) : undefined;
}

async function takeCertificate(shown, { onText, onMessage, onNothing }) {
  if (stop) close();
  taken += 1;
  const turn = taken;
  if (shown.size > PDF_BYTES_MAX * 4) return onNothing();
  const bytes = new Uint8Array(await shown.arrayBuffer());
  try {
    const message = await messageInPdf(bytes);
    const sha256 = await fileHash(bytes);
    return turn === taken ? onMessage(message, sha256) : undefined;
  } catch (error) {
    if (!(error instanceof NoMessage)) throw error;
  }
  const text = await textInPicture(shown);
  if (turn !== taken) return undefined;
  return text === null ? onNothing() : onText(text);
}

function isCertificate(text) {
  try {
    read(text);
    return true;
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
}

function say(what) {
  const [persian, english] = SAYS[what];
  const other = document.createElement("span");
  other.lang = "en";
  other.dir = "ltr";
  other.textContent = english;
  hint.replaceChildren(persian, other);
}
