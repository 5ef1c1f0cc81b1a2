// The end of the journey: the certificate on the screen, one key away from the printer.
import { fill, h, icon } from "/common/dom.js";
import { drawPlate } from "/common/plate.js";
import { dateTime, money, yearRanges } from "/common/text.js";
import { call, pause } from "../api.js";
import { announce, busy, cityName, go, newSearch, problemBox, state } from "../shell.js";
import { t } from "../messages.js";

/** The PDF is asked for this often while it is being made; each question waits some seconds on the server itself. */
const PDF_ATTEMPTS_MAX = 8;

export async function certificateView(main, { id, signal }) {
  if (!id) return go("search");
  if (state.certificate?.certificate_id !== id) {
    fill(main, h("p", { class: "loading", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), t("loading")));
    try {
      state.certificate = await call("GET", `/v1/certificates/${id}`);
    } catch (problem) {
      if (!signal.aborted) fill(main, problemBox(problem, h("button", { type: "button", class: "button", onclick: () => certificateView(main, { id, signal }) }, t("retry"))));
      return undefined;
    }
    if (signal.aborted) return undefined;
  }
  return draw(main, state.certificate, signal);
}

function draw(main, certificate, signal) {
  const message = h("div", { class: "form-message" });
  const preview = h("div", { class: "preview" });
  const document_ = { url: null, blob: null };
  const print = h("button", { type: "button", class: "button primary big", id: "print" }, icon("print"), t("print"));
  const open = h("button", { type: "button", class: "button", id: "open-pdf" }, icon("open"), t("openPdf"));
  const link = certificate.link ?? certificate.verify_url ?? null;
  print.addEventListener("click", () => printPdf(print, message, preview, document_, certificate));
  open.addEventListener("click", () => openPdf(open, message, document_, certificate));
  fill(main, h("div", { class: "desk certificate" },
    h("section", { class: "card side" },
      h("div", { class: "ending good" }, icon("check")),
      h("h1", { tabindex: "-1" }, t("certificateTitle")),
      h("p", { class: "soft" }, t("certificateLead")),
      h("div", { class: "actions column" }, print, open,
        link && h("button", { type: "button", class: "button quiet", id: "copy-link", onclick: () => copy(link, message) }, icon("copy"), t("copyLink")),
        h("a", { class: "button quiet", id: "verify-link", href: link ?? `/v/${certificate.certificate_id}`, target: "_blank", rel: "noopener" }, icon("shield"), t("openVerify")),
        h("button", { type: "button", class: "button quiet", id: "next", onclick: newSearch }, icon("search"), t("nextVehicle"))),
      message),
    h("section", { class: "card paper" },
      certificate.plate && h("div", { class: "plate-place" }, drawPlate(certificate.plate)),
      h("dl", { class: "facts" },
        row("city", h("span", { dataset: { city: certificate.municipality } }, cityName(certificate.municipality))),
        row("years", certificate.years && yearRanges(certificate.years.map((item) => (typeof item === "object" && !Array.isArray(item) ? item.year : item)))),
        row("amount", h("span", {}, h("span", { class: "number" }, money(certificate.amount_rial)), " ", t("rial"))),
        row("paidOn", certificate.paid_at && dateTime(certificate.paid_at)),
        row("reference", certificate.reference && h("bdi", {}, certificate.reference)),
        row("certificateNumber", h("bdi", { class: "id", id: "certificate-id" }, certificate.certificate_id))),
      preview)));
  announce(t("certificateTitle"));
  print.focus({ preventScroll: true });
  if (navigator.pdfViewerEnabled) showPreview(preview, document_, certificate, signal);
}

function row(label, value) {
  return value ? [h("dt", {}, t(label)), h("dd", {}, value)] : [];
}

/** Fills `document_.url`, and `document_.blob` where the store lets this page read it (CORS). */
async function load(document_, certificate) {
  if (document_.blob) return document_;
  const answer = await ask(certificate.certificate_id);
  document_.url = answer.url ?? null;
  document_.blob = answer.pdf ?? null;
  if (!document_.blob) {
    const response = await fetch(document_.url, { credentials: "omit", referrerPolicy: "no-referrer" }).catch(() => null);
    if (response?.ok) document_.blob = new Blob([await response.arrayBuffer()], { type: "application/pdf" });
  }
  return document_;
}

async function ask(id) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call("GET", `/v1/certificates/${id}/pdf?redirect=false`);
    } catch (problem) {
      if (problem.code !== "certificate_in_preparation" || attempt >= PDF_ATTEMPTS_MAX) throw problem;
      await pause((problem.retryAfter ?? 2) * 1000);
    }
  }
}

async function showPreview(preview, document_, certificate, signal) {
  try {
    await load(document_, certificate);
  } catch {
    return; // the buttons say what is wrong when they are used
  }
  if (signal.aborted || !document_.blob) return;
  const address = URL.createObjectURL(document_.blob);
  signal.addEventListener("abort", () => URL.revokeObjectURL(address));
  fill(preview, h("iframe", { src: `${address}#toolbar=0&view=Fit`, title: t("preview") }));
}

async function printPdf(button, message, preview, document_, certificate) {
  const frame = preview.querySelector("iframe");
  if (frame) {
    try {
      frame.contentWindow.focus();
      return frame.contentWindow.print();
    } catch {
      // this browser keeps its PDF viewer apart: open the file instead
    }
  }
  return openPdf(button, message, document_, certificate);
}

async function openPdf(button, message, document_, certificate) {
  const tab = window.open("", "_blank"); // at once, while the press still counts as the reader's wish
  if (tab) tab.opener = null;
  try {
    const { blob, url } = await busy(button, t("working"), () => load(document_, certificate));
    const address = blob ? URL.createObjectURL(blob) : url;
    if (tab) tab.location.replace(address);
    else location.assign(address);
  } catch (problem) {
    tab?.close();
    fill(message, problemBox(problem));
  }
}

async function copy(link, message) {
  try {
    await navigator.clipboard.writeText(link);
    fill(message, h("p", { class: "notice notice-good", role: "status" }, t("copied")));
  } catch {
    const field = h("input", { class: "identifier", dir: "ltr", readonly: true, value: link, "aria-label": t("copyLink") });
    fill(message, field);
    field.select();
  }
}
