// The end of the journey: the certificate on the screen, one key away from the printer.
import { fill, h, icon } from "/common/dom.js";
import { drawPlate } from "/common/plate.js";
import { dateTime, digits, money, yearRanges } from "/common/text.js";
import { call, pause } from "/common/desk/service/api.js";
import { once } from "/common/desk/service/attempts.js";
import { announce, busy, cityName, go, loading, newSearch, problemBox, state, word } from "../../shell.js";
import { t } from "../../messages.js";
import { tellOwner } from "../desk/tell.js";
import { certificatePaper, madePaper, openButton, printButton, showPaper } from "/common/desk/page/pdf.js";

const REISSUE_REASONS = ["lost", "damaged", "stolen", "never_received"];
const PREPARING_PAUSE_MS = 700;
const PREPARING_ATTEMPTS_MAX = 60;

export async function certificateView(main, { id, signal }) {
  if (!id) return go("search");
  if (state.certificate?.certificate_id !== id || state.certificate.status === "preparing") {
    fill(main, loading(t("loading")));
    try {
      state.certificate = await read(id, main, signal);
    } catch (problem) {
      if (!signal.aborted) fill(main, problemBox(problem, h("button", { type: "button", class: "button", onclick: () => certificateView(main, { id, signal }) }, t("retry"))));
      return undefined;
    }
    if (signal.aborted) return undefined;
  }
  return draw(main, state.certificate, signal);
}

/** The record once it is no longer being made; the page says meanwhile that it is. */
async function read(id, main, signal) {
  for (let attempt = 1; ; attempt += 1) {
    const record = await call("GET", `/v1/certificates/${id}`);
    if (record.status !== "preparing" || attempt >= PREPARING_ATTEMPTS_MAX || signal.aborted) return record;
    if (attempt === 1) fill(main, loading(t("error.certificate_in_preparation")));
    await pause(PREPARING_PAUSE_MS);
  }
}

function draw(main, certificate, signal) {
  const message = h("div", { class: "form-message" });
  const preview = h("div", { class: "preview" });
  const { certificate_id: id, payment_id: paymentId } = certificate;
  const file = certificatePaper(id);
  const inForce = (certificate.status ?? "in_force") === "in_force";
  const print = printButton(file, preview, message, { id: "print", label: "print", signal });
  const link = certificate.link ?? null;
  const title = !inForce ? "certificateEndedTitle" : certificate.kind === "clearance" ? "clearanceTitle" : "certificateTitle";
  fill(main, h("div", { class: "desk certificate" },
    h("section", { class: "card side" },
      h("div", { class: `ending ${inForce ? "good" : "warn"}` }, icon(inForce ? "check" : "warn")),
      h("h1", { tabindex: "-1" }, t(title)),
      h("p", { class: "soft" }, inForce ? t("certificateLead") : word("certificate", certificate.status)),
      h("div", { class: "actions column" }, print,
        openButton(file, message, { id: "open-pdf", label: "openPdf" }),
        openButton(certificatePaper(id, "a5"), message, { id: "open-a5", label: "openA5", quiet: true, name: "print" }),
        paymentId && openButton(madePaper(`/v1/payments/${paymentId}/receipt.pdf`), message, { id: "receipt", label: "receipt", quiet: true, name: "print" }),
        link && h("button", { type: "button", class: "button quiet", id: "copy-link", onclick: () => copy(link, message) }, icon("copy"), t("copyLink")),
        h("a", { class: "button quiet", id: "verify-link", href: link ?? `/v/${id}`, target: "_blank", rel: "noopener" }, icon("shield"), t("openVerify")),
        h("button", { type: "button", class: "button quiet", id: "next", onclick: newSearch }, icon("search"), t("nextVehicle"))),
      message,
      inForce && certificate.plate && tellOwner(certificate.plate, certificate.municipality),
      inForce && reissueForm(certificate),
      certificate.municipality && h("p", {}, h("a", { href: `/open#/city/${certificate.municipality}/budget`, id: "budget-link", target: "_blank", rel: "noopener" }, t("whereItGoes"))),
      paymentId && h("p", {}, h("a", { href: `#/refund/${paymentId}`, id: "ask-refund" }, t("askRefund")))),
    h("section", { class: "card paper" },
      certificate.plate && h("div", { class: "plate-place" }, drawPlate(certificate.plate)),
      h("dl", { class: "facts" },
        row("city", h("span", { dataset: { city: certificate.municipality } }, cityName(certificate.municipality))),
        certificate.paid_through_year
          ? row("paidThroughAll", digits(certificate.paid_through_year))
          : row("years", certificate.years?.length && yearRanges(certificate.years.map((item) => (typeof item === "object" && !Array.isArray(item) ? item.year : item)))),
        row("amount", h("span", {}, h("span", { class: "number" }, money(certificate.amount_rial)), " ", t("rial"))),
        row("paidOn", certificate.paid_at && dateTime(certificate.paid_at)),
        row("reference", certificate.reference && h("bdi", {}, certificate.reference)),
        row("shortCode", certificate.short_code && h("bdi", { class: "number" }, digits(certificate.short_code))),
        row("certificateNumber", h("bdi", { class: "id", id: "certificate-id" }, id))),
      preview)));
  announce(t(title));
  print.focus({ preventScroll: true });
  showPaper(preview, file, signal);
}

function row(label, value) {
  return value ? [h("dt", {}, t(label)), h("dd", {}, value)] : [];
}

/** Another paper for a lost one: the old one is superseded, so the reason is asked for first. */
function reissueForm(certificate) {
  const message = h("div", { class: "form-message" });
  const reason = h("select", { name: "reason", id: "reissue-reason" }, REISSUE_REASONS.map((value) => h("option", { value }, word("reissue", value))));
  const button = h("button", { class: "button", id: "reissue" }, t("reissueDo"));
  const submit = async (event) => {
    event.preventDefault();
    const id = certificate.certificate_id;
    fill(message);
    try {
      const made = await busy(button, t("working"), () => once(`reissue.${id}`, "POST", `/v1/certificates/${id}/reissues`, { reason: reason.value }));
      state.certificate = null;
      go("certificate", made.certificate_id);
    } catch (problem) {
      const next = problem.body.superseded_by;
      fill(message, problemBox(problem, next && h("button", { type: "button", class: "button", onclick: () => go("certificate", next) }, t("showSuccessor"))));
    }
  };
  return h("details", { class: "more" }, h("summary", {}, t("reissueTitle")),
    h("form", { onsubmit: submit },
      h("p", { class: "soft" }, t("reissueText")),
      h("label", { class: "inline-field" }, h("span", {}, t("reason")), reason), message, button));
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
