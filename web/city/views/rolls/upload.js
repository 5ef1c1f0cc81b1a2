// A new file: chosen, sent straight to object storage with its progress, then checked by the service.
import { fill, h, icon } from "/common/dom.js";
import { digits } from "/common/text.js";
import { once } from "/common/desk/service/attempts.js";
import { Problem } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { announce, busy, go, problemBox } from "/common/desk/page/shell.js";
import { notice } from "../../pieces.js";

const BYTES_MAX = 2 * 1024 ** 3;
/** A place for the upload is good for an hour; a file that is sent again within it goes to the same roll. */
const places = new Map();

export function newFile(municipality) {
  const message = h("div", { class: "form-message" });
  const told = h("p", { class: "soft", id: "file-told" });
  const progress = h("progress", { max: 1, value: 0, hidden: true, id: "sent", "aria-label": t("sending") });
  const input = h("input", { type: "file", id: "roll-file", accept: ".csv,text/csv", class: "visually-hidden" });
  const choose = h("label", { class: "button file", for: "roll-file" }, icon("open"), t("chooseFile"), input);
  const send = h("button", { type: "submit", class: "button primary", id: "send-roll", disabled: true }, t("sendFile"));
  const form = h("form", { class: "stack", id: "roll-form", novalidate: true }, h("p", { class: "hint soft" }, t("fileHint")), choose, told, progress, message,
    h("div", { class: "actions" }, send));
  input.addEventListener("change", () => {
    const [file] = input.files;
    const fault = !file ? null : file.size === 0 ? t("fileEmpty") : file.size > BYTES_MAX ? t("fileLarge") : null;
    fill(told, file && t("fileChosen", { name: "\u2068" + file.name + "\u2069", size: sizeText(file.size) }));
    fill(message, fault && notice("bad", fault));
    send.disabled = !file || fault !== null;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [file] = input.files;
    if (!file || send.disabled) return;
    fill(message);
    try {
      const roll = await busy(send, t("sending"), () => sendFile(municipality, file, (sent) => tellSent(progress, told, sent, file.size)));
      go("roll", roll.roll_id);
    } catch (problem) {
      progress.hidden = true;
      fill(message, problem instanceof Problem ? problemBox(problem) : notice("bad", t("sendStopped")));
    }
  });
  return form;
}

/** One press makes one roll, and so does a second press after a broken line: the file goes where it was to go. */
async function sendFile(municipality, file, tell) {
  const name = `${municipality} ${file.name} ${file.size} ${file.lastModified}`;
  const roll = places.get(name) ?? await once(`roll ${name}`, "POST", "/v1/rolls", { municipality });
  places.set(name, roll);
  await put(roll.upload, file, tell);
  places.delete(name);
  return roll;
}

/** XMLHttpRequest, since fetch does not tell how much has been sent; without the token, which is none of storage's business. */
function put({ url, method }, file, tell) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.setRequestHeader("content-type", "text/csv");
    request.upload.addEventListener("progress", (event) => tell(event.loaded));
    request.addEventListener("load", () => (request.status < 300 ? resolve() : reject(new Error(`upload ${request.status}`))));
    for (const name of ["error", "abort", "timeout"]) request.addEventListener(name, () => reject(new Error(name)));
    request.send(file);
  });
}

function tellSent(progress, told, sent, size) {
  progress.hidden = false;
  progress.max = size;
  progress.value = sent;
  const text = t("sentPart", { sent: sizeText(sent), size: sizeText(size) });
  fill(told, text);
  if (sent === size) announce(text);
}

function sizeText(bytes) {
  const [unit, of] = bytes < 1024 ? ["bytes", bytes] : bytes < 1024 ** 2 ? ["kilobytes", Math.ceil(bytes / 1024)] : ["megabytes", Math.ceil(bytes / 1024 ** 2)];
  return t(unit, { size: digits(of) });
}
