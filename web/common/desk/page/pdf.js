// A paper as a PDF: shown, printed, opened. One file is fetched once, whoever of the three asks first.
import { fill, h, icon } from "/common/dom.js";
import { call, pause } from "../service/api.js";
import { busy, problemBox } from "./shell.js";
import { t } from "../words/messages.js";

const PDF_ATTEMPTS_MAX = 8;

/** A paper that one of our functions makes when asked: `/v1/payments/{id}/receipt.pdf` and its like. */
export function madePaper(path) {
  return paper(async () => ({ blob: (await call("GET", path, { accept: "application/pdf" })).pdf, url: null }));
}

/** The certificate's own file, kept in object storage, on A4 or A5; `at` is where the caller reads certificates. */
export function certificatePaper(id, format = "a4", at = "/v1/certificates") {
  return paper(async () => kept(await askForFile(`${at}/${id}`, format)));
}

/** A paper kept in object storage, whose `path` says where: the statement of a close and its like. */
export function keptPaper(path) {
  return paper(async () => kept(await call("GET", path)));
}

async function kept(answer) {
  if (answer.pdf) return { blob: answer.pdf, url: null };
  const response = await fetch(answer.url, { credentials: "omit", referrerPolicy: "no-referrer" }).catch(() => null);
  const blob = response?.ok ? new Blob([await response.arrayBuffer()], { type: "application/pdf" }) : null;
  return { blob, url: answer.url };
}

async function askForFile(certificate, format) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call("GET", `${certificate}/pdf?redirect=false${format === "a4" ? "" : `&format=${format}`}`);
    } catch (problem) {
      if (problem.code !== "certificate_in_preparation" || attempt >= PDF_ATTEMPTS_MAX) throw problem;
      await pause((problem.retryAfter ?? 2) * 1000);
    }
  }
}

function paper(read) {
  let loading = null;
  return {
    load() {
      loading ??= read().catch((problem) => {
        loading = null;
        throw problem;
      });
      return loading;
    },
  };
}

/** Shows the paper in `place`; quietly nothing where that cannot be, since the buttons say what is wrong. */
export async function showPaper(place, shown, signal) {
  if (!navigator.pdfViewerEnabled) return;
  let blob;
  try {
    ({ blob } = await shown.load());
  } catch {
    return;
  }
  if (signal.aborted || !blob) return;
  const address = URL.createObjectURL(blob);
  signal.addEventListener("abort", () => URL.revokeObjectURL(address));
  fill(place, h("iframe", { src: `${address}#toolbar=0&view=Fit`, title: t("preview") }));
}

/** A button that prints what `place` shows, or opens the file where the browser keeps its viewer apart. */
export function printButton(printed, place, message, { id, label, signal }) {
  const button = h("button", { type: "button", class: "button primary big", id }, icon("print"), t(label));
  button.addEventListener("click", async () => {
    fill(message);
    if (!place.querySelector("iframe")) await busy(button, t("working"), () => showPaper(place, printed, signal));
    const frame = place.querySelector("iframe");
    if (frame) {
      try {
        frame.contentWindow.focus();
        return frame.contentWindow.print();
      } catch {
        // this browser keeps its PDF viewer apart: open the file instead
      }
    }
    return open(button, printed, message);
  });
  return button;
}

/** A button that opens the paper in a tab of its own. */
export function openButton(opened, message, { id, label, quiet = false, name = "open" }) {
  const button = h("button", { type: "button", class: `button ${quiet ? "quiet" : ""}`, id }, icon(name), t(label));
  button.addEventListener("click", () => open(button, opened, message));
  return button;
}

async function open(button, opened, message) {
  const tab = window.open("", "_blank"); // at once, while the press still counts as the reader's wish
  if (tab) tab.opener = null;
  try {
    const { blob, url } = await busy(button, t("working"), () => opened.load());
    const address = blob ? URL.createObjectURL(blob) : url;
    if (tab) tab.location.replace(address);
    else location.assign(address);
  } catch (problem) {
    tab?.close();
    fill(message, problemBox(problem));
  }
}
