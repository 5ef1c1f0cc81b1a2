// The verifier's page: reads the fragment, checks the signature here, then asks for the status by number alone.
import { fill, h, icon } from "/common/dom.js";
import { drawPlate, plateText } from "/common/plate.js";
import { asciiDigits, dateTime, jalaliInEnglish, longDate, money, yearRanges } from "/common/text.js";
import { readKeys } from "./keys.js";
import { hex, isBefore, loggedAt, readLogKey, sha256 } from "./log.js";
import { listen } from "./shown/inputs.js";
import { readList, withLists } from "./status.js";
import { checkMessage, checkText, withStatus } from "./verification.js";
import { KINDS, REASONS, VERDICTS } from "./words.js";

const STATUS_TIMEOUT_MS = 8_000;
const STATUS_LIST = "/.well-known/avarez/status";
/** While the page is open, what it keeps for later is asked for again so often. */
const REFRESH_EVERY_MS = 10 * 60 * 1000;
const CERTIFICATE_ID = /^ce_[0-9a-hjkmnp-tv-z]{36}$/;

const verdictBox = document.getElementById("verdict");
const certificateBox = document.getElementById("certificate");
const pasteBox = document.getElementById("paste");
const pasteText = document.getElementById("paste-text");

let latest = 0;
let repeat = null;
let names = null;
let keysAsOf = null;
let statusAsOf = null;
let shownProof = null; // the proof file that was shown last: it speaks for its own certificate alone

/** Checks whatever the address holds: a fragment before an id before nothing. */
function start() {
  const id = decodeURIComponent(location.pathname.replace(/^\/v\/?/, ""));
  if (location.hash.length > 1) checkPayload(location.hash.slice(1));
  else if (id) checkNumber(id);
  else {
    pasteBox.open = true;
    show({ verdict: "idle" });
  }
}

function checkPayload(text) {
  return checkSigned((keys) => checkText(text, keys, loggedBefore), { again: () => checkPayload(text) });
}

/** A file's message, and the hash of the whole file, which must be the one that was issued. */
function checkFile(message, fileSha256) {
  return checkSigned((keys) => checkMessage(message, keys, loggedBefore), { again: () => checkFile(message, fileSha256), fileSha256 });
}

async function checkSigned(check, { again, fileSha256 = null }) {
  const turn = begin(again);
  if (!globalThis.crypto?.subtle) return finish(turn, { verdict: "cannot_tell", reason: "insecure" });
  const keys = await loadKeys();
  const signed = await check(keys);
  if (signed.verdict !== "signature_good") return finish(turn, signed);
  if (turn === latest) show({ ...signed, verdict: "checking", reason: "signature_good_status_not_checked" }, signed.payload, "full");
  const asked = withStatus(signed, await askStatus(signed.payload.certificate_id), { fileSha256 });
  return finish(turn, asked.verdict === "signature_good" ? await byKeptList(asked, keys) : asked);
}

/** Without the register's word the list that was kept decides; without one the status stays unchecked. */
async function byKeptList(signed, keys) {
  const token = await loadStatusList();
  return token === null ? signed : withLists(signed, [token], keys);
}

/** A short code with its plate: the register's word alone, as with a number. */
async function checkCode(code, plate) {
  const turn = begin(() => checkCode(code, plate));
  const answer = await getJson("/v1/verify", { code, plate }).catch(() => null);
  if (!answer || !VERDICTS[answer.verdict]) return finish(turn, { verdict: "cannot_tell", reason: "network" });
  const certificate = answer.certificate && { ...answer.certificate, plate: answer.certificate.plate.key };
  return finish(turn, { ...answer, statusAsOf: answer.status_as_of, payload: certificate });
}

async function checkNumber(id) {
  const turn = begin(() => checkNumber(id));
  if (!CERTIFICATE_ID.test(id)) return finish(turn, { verdict: "unreadable", reason: "not_a_certificate" });
  const answer = await askStatus(id);
  if (!answer || !VERDICTS[answer.verdict]) return finish(turn, { verdict: "cannot_tell", reason: "network" });
  return finish(turn, { ...answer, statusAsOf: answer.status_as_of, payload: answer.certificate, masked: true });
}

function begin(again) {
  latest += 1;
  repeat = again;
  show({ verdict: "checking" });
  return latest;
}

function finish(turn, result) {
  if (turn !== latest) return; // another check was started meanwhile
  show(result, result.payload, result.masked ? "masked" : "full");
}

/** Our public keys, or null when they are neither to be had nor kept: then nothing can be told. */
async function loadKeys() {
  try {
    const response = await ask("/.well-known/jwks.json");
    const keys = await readKeys(await response.json());
    keysAsOf = response.headers.get("date");
    showFreshness();
    return keys;
  } catch {
    return null;
  }
}

/** A proof file lets whatever is shown be judged anew: it may be of a stolen key's certificate. */
function takeProof(text) {
  shownProof = text;
  repeat?.();
}

/** Obligation 6: by the proof file that was shown, else by the log itself, which answers 404 for what it never held. */
async function loggedBefore(message, instant) {
  let log;
  try {
    log = await readLogKey(await (await ask("/.well-known/avarez/log/key")).text());
  } catch {
    return null;
  }
  if (shownProof && (await isProven(message, shownProof, log, instant))) return true;
  try {
    const response = await ask(`/.well-known/avarez/log/proof/${hex(await sha256(message))}`, null, [200, 404]);
    if (response.status === 404) return (await response.json()).code === "log_entry_not_found" ? false : null;
    return (await isProven(message, await response.text(), log, instant)) || null;
  } catch {
    return null;
  }
}

/** Whatever is wrong with a proof, or with a browser that lacks Ed25519: it proves nothing then. */
async function isProven(message, proof, log, instant) {
  return loggedAt(message, proof, log).then((at) => isBefore(at, instant), () => false);
}

/** The status list of the whole fleet, as fresh as the network allows; null when it was never had. */
async function loadStatusList() {
  try {
    return new Uint8Array(await (await ask(STATUS_LIST)).arrayBuffer());
  } catch {
    return null;
  }
}

/** Fetches what a later check without a network needs; the service worker keeps it. */
async function refresh() {
  const [keys, token] = await Promise.all([loadKeys(), loadStatusList()]);
  const list = keys && token && (await readList(token, keys).catch(() => null));
  statusAsOf = list ? new Date(list.issuedAt).toISOString() : null;
  showFreshness();
}

/** The server's answer for this number, or null when there is none. */
async function askStatus(id) {
  try {
    return await getJson(`/v1/verify/${encodeURIComponent(id)}`);
  } catch {
    return null;
  }
}

async function getJson(path, body = null) {
  return (await ask(path, body)).json();
}

async function ask(path, body = null, statuses = [200]) {
  const response = await fetch(path, {
    method: body ? "POST" : "GET",
    headers: { accept: "application/json", ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
    cache: "no-cache",
    credentials: "omit",
    signal: AbortSignal.timeout(STATUS_TIMEOUT_MS),
  });
  if (!statuses.includes(response.status)) throw new Error(`status ${response.status}`);
  return response;
}

// --- drawing ---------------------------------------------------------------------------------------------

const both = ([persian, english], tag = "p", className = "") =>
  h(tag, { class: className }, persian, h("span", { lang: "en", dir: "ltr" }, english));

function show(result, certificate = null, form = "full") {
  const words = VERDICTS[result.verdict] ?? VERDICTS.cannot_tell;
  const reason = REASONS[result.reason];
  const settled = !["checking", "idle"].includes(result.verdict);
  verdictBox.className = `verdict tone-${words.tone}`;
  verdictBox.dataset.verdict = result.verdict;
  verdictBox.dataset.reason = result.reason ?? "";
  const since = result.verdict === "cannot_tell" && result.statusAsOf;
  fill(verdictBox,
    h("div", { class: "badge" }, icon(words.icon)),
    both(words.says, "h2"),
    since && both([`از ${dateTime(since, "fa")} به بعد`, `since ${dateTime(since, "en")}`], "p", "since"),
    reason && both(reason, "p", "reason"),
    words.advice[0] && both(result.verdict === "valid" && form === "masked"
      ? ["برای دیدن پلاک کامل، رمزینهٔ روی گواهی را بخوانید.", "Scan the code on the certificate to see the whole plate."]
      : words.advice),
    settled && ["signature_good", "cannot_tell", "unreadable"].includes(result.verdict)
      && h("button", { type: "button", class: "button again", onclick: () => repeat?.() }, "بررسی دوباره ", h("span", { lang: "en", dir: "ltr" }, "Check again")));
  document.title = `${words.says[0]} | ${words.says[1]}`;
  showCertificate(result, certificate, form);
}

function showCertificate(result, certificate, form) {
  certificateBox.hidden = !certificate;
  if (!certificate) return fill(certificateBox);
  const plate = certificate.plate;
  return fill(certificateBox,
    drawPlate(plate, { size: "huge" }),
    form === "full"
      ? both(compare(certificate.kind).map((words, place) => `${plateText(plate, place ? "en" : "fa")} — ${words}`), "p", "compare")
      : both(["بخشی از پلاک پوشیده است", "Part of the plate is hidden"], "p", "compare"),
    foreign(result.page) && both([`پیوند چسبانده‌شده از نشانی دیگری است: ${foreign(result.page)}`, "The pasted link is of another site; trust only what you see here."], "p", "alarm"),
    h("dl", { class: "facts" },
      fact(["نوع", "Kind"], KINDS[certificate.kind] ?? [certificate.kind, ""]),
      [both(["شهر", "City"], "dt"), cityElement(certificate.municipality)],
      fact(["سال‌ها", "Years"], [yearRanges(certificate.years, "fa"), yearRanges(certificate.years, "en")], "years"),
      fact(["مبلغ پرداختی", "Amount paid"], [`${money(certificate.amount_rial, "fa")} ریال`, `${money(certificate.amount_rial, "en")} rial`]),
      fact(["تاریخ پرداخت", "Paid on"], dateBoth(`${certificate.paid_on}T08:00:00Z`, longDate)),
      fact(["زمان صدور", "Issued"], dateBoth(certificate.issued_at, dateTime)),
      result.statusAsOf && fact(["وضعیت در", "Status as of"], dateBoth(result.statusAsOf, dateTime)),
      [h("dt", {}, "شمارهٔ گواهی", h("span", { lang: "en", dir: "ltr" }, "Number")), h("dd", { class: "id" }, certificate.certificate_id)]));
}

/** A city certifies its years under the plate that it knew; a clearance is of the plate of today. */
function compare(kind) {
  return kind === "payment"
    ? ["همین پلاک روی خودرو باشد، یا هنگام سکونت در این شهر بوده باشد", "the car must carry this plate, or have carried it while it was of this city"]
    : ["همین پلاک روی خودرو باشد", "the car must carry this plate"];
}

function fact(label, value, name = "") {
  return [both(label, "dt"), both(value, "dd", name)];
}

function dateBoth(instant, write) {
  return [write(instant, "fa"), `${write(instant, "en")} (${jalaliInEnglish(instant)})`];
}

function foreign(page) {
  if (!page) return null;
  try {
    const url = new URL(page.includes("://") ? page : `https://${page}`);
    return url.host === location.host ? null : url.host;
  } catch {
    return page;
  }
}

// City names come from the public list when there is a network; the signed code stands alone otherwise.
function cityElement(code) {
  const element = both([code, ""], "dd");
  names ??= getJson("/v1/municipalities").then((answer) => new Map(answer.municipalities.map((city) => [city.code, city])));
  names.then((known) => {
    const city = known.get(code);
    if (city) element.replaceWith(both([city.name_fa, city.name_en], "dd"));
  }).catch(() => {
    names = null;
  });
  return element;
}

/** Since when keys and status list at hand are known: kept ones are as old as the last visit with a network. */
function showFreshness() {
  const keysAt = new Date(keysAsOf ?? "");
  const known = [
    !Number.isNaN(keysAt.getTime()) && [["کلیدهای بررسی", "Keys as of"], keysAt.toISOString()],
    statusAsOf && [["فهرست وضعیت", "Status list as of"], statusAsOf],
  ].filter(Boolean);
  fill(document.getElementById("freshness"), known.map(([[persian, english], at]) => h("span", { class: "known" },
    `${persian}: ${dateTime(at, "fa")} `, h("span", { lang: "en", dir: "ltr" }, `${english} ${dateTime(at, "en")}`))));
}

// --- the page --------------------------------------------------------------------------------------------

function toVerdict() {
  verdictBox.focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

document.getElementById("host").textContent = location.host;
document.getElementById("paste-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = pasteText.value.trim();
  const number = /(ce_[0-9a-z]{36})\/?$/i.exec(asciiDigits(text).replace(/\s+/g, ""));
  if (number && !text.includes("#")) checkNumber(number[1].toLowerCase());
  else checkPayload(text);
  toVerdict();
});
listen({
  onText: (text) => toVerdict(checkPayload(text)),
  onMessage: (message, fileSha256) => toVerdict(checkFile(message, fileSha256)),
  onProof: (text) => toVerdict(takeProof(text)),
  onCode: (code, plate) => toVerdict(checkCode(code, plate)),
  onNothing: () => toVerdict(finish(begin(null), { verdict: "unreadable", reason: "no_message_in_file" })),
});
addEventListener("hashchange", start);
addEventListener("online", () => {
  if (["signature_good", "cannot_tell"].includes(verdictBox.dataset.verdict)) repeat?.();
});
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/verify/sw.js", { scope: "/v", updateViaCache: "none" })
    .then((worker) => worker.periodicSync?.register("keep-fresh", { minInterval: 3600 * 1000 })).catch(() => undefined);
}
setInterval(() => document.visibilityState === "visible" && refresh(), REFRESH_EVERY_MS);
addEventListener("online", refresh);
refresh();
start();
