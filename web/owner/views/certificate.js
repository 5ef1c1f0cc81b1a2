// The end of the journey: the certificate to keep, to print, and to show to whoever asks.
import { call, pause } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { certificatePaper, openButton, printButton, showPaper } from "/common/desk/page/pdf.js";
import { announce, go, loading, retryBox, word } from "/common/desk/page/shell.js";
import { fill, h, icon } from "/common/dom.js";
import { drawPlate } from "/common/plate.js";
import { dateTime, digits, money, yearRanges } from "/common/text.js";
import { cityName } from "../car.js";

const CERTIFICATES = "/v1/owner/certificates";
const PREPARING_PAUSE_MS = 1_000;
const PREPARING_ATTEMPTS_MAX = 60;

export async function certificateView(main, { id, signal }) {
  if (!id) return go("car");
  fill(main, loading(t("loading")));
  let certificate;
  try {
    certificate = await read(id, main, signal);
  } catch (problem) {
    if (!signal.aborted) fill(main, h("div", { class: "column" }, retryBox(problem, () => certificateView(main, { id, signal }))));
    return undefined;
  }
  return signal.aborted ? undefined : draw(main, certificate, signal);
}

/** The record once it is no longer being made; the page says meanwhile that it is. */
async function read(id, main, signal) {
  for (let attempt = 1; ; attempt += 1) {
    const record = await call("GET", `${CERTIFICATES}/${id}`);
    if (record.status !== "preparing" || attempt >= PREPARING_ATTEMPTS_MAX || signal.aborted) return record;
    if (attempt === 1) fill(main, loading(t("error.certificate_in_preparation")));
    await pause(PREPARING_PAUSE_MS);
  }
}

function draw(main, certificate, signal) {
  const { certificate_id: id, link } = certificate;
  const message = h("div", { class: "form-message" });
  const preview = h("div", { class: "preview" });
  const file = certificatePaper(id, "a4", CERTIFICATES);
  const inForce = certificate.status === "in_force";
  const open = openButton(file, message, { id: "open-pdf", label: "openPdf" });
  open.classList.add("primary", "big");
  const print = printButton(file, preview, message, { id: "print", label: "print", signal });
  print.classList.remove("primary", "big");
  fill(main, h("div", { class: "column" }, h("section", { class: "card paper" },
    h("div", { class: `ending ${inForce ? "good" : "warn"}` }, icon(inForce ? "check" : "warn")),
    h("h1", { tabindex: "-1" }, t(inForce ? "certificateTitle" : "certificateEndedTitle")),
    h("p", { class: "soft" }, inForce ? t("keepIt") : word("paper", certificate.status)),
    h("div", { class: "plate-place" }, drawPlate(certificate.plate)),
    h("dl", { class: "facts" },
      row("city", h("span", { dataset: { city: certificate.municipality } }, cityName(certificate.municipality))),
      row("years", certificate.years?.length && yearRanges(certificate.years.map((item) => item.year))),
      row("amount", h("span", {}, h("span", { class: "number" }, money(certificate.amount_rial)), " ", t("rial"))),
      row("paidOn", certificate.paid_at && dateTime(certificate.paid_at)),
      row("reference", certificate.reference && h("bdi", {}, certificate.reference)),
      row("shortCode", certificate.short_code && h("bdi", { class: "number" }, digits(certificate.short_code))),
      row("certificateNumber", h("bdi", { class: "id", id: "certificate-id" }, id))),
    h("div", { class: "actions" }, open, print,
      h("a", { class: "button quiet", id: "verify-link", href: link ?? `/v/${id}`, target: "_blank", rel: "noopener" }, icon("shield"), t("openVerify")),
      link && h("button", { type: "button", class: "button quiet", id: "copy-link", onclick: () => copy(link, message) }, icon("copy"), t("copyLink")),
      h("a", { class: "button quiet", id: "budget-link", href: `/open#/city/${certificate.municipality}/budget`, target: "_blank", rel: "noopener" }, t("whereItGoes")),
      h("a", { class: "button quiet", id: "back", href: "#/car" }, t("myCar"))),
    message, preview)));
  announce(t("certificateTitle"));
  open.focus({ preventScroll: true });
  if (matchMedia("(min-width: 52rem)").matches) showPaper(preview, file, signal);
}

function row(label, value) {
  return value ? [h("dt", {}, t(label)), h("dd", {}, value)] : [];
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
