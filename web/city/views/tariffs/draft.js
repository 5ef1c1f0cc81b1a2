// One draft: its rows, its check, its simulation, its publication by a second person, and who did what when.
import { fill, h, icon } from "/common/dom.js";
import { dateTime, digits } from "/common/text.js";
import { call, pause } from "/common/desk/service/api.js";
import { confirmed } from "/common/desk/page/confirm.js";
import { has, t } from "/common/desk/words/messages.js";
import { announce, busy, loading, problemBox, retryBox } from "/common/desk/page/shell.js";
import { field, notice, verdict } from "../../pieces.js";
import { findingText, inForce } from "./reading.js";
import { begun } from "./row-form.js";
import { drawRows } from "./rows.js";
import { drawSimulation } from "./simulation.js";

const POLL_MS = 1_200;
const EDITABLE = ["draft", "checked", "simulating", "simulated"];
const DONE = ["simulated", "published", "superseded"];
const STEPS = [["stepWrite", []], ["stepCheck", ["draft"]], ["stepSimulate", ["checked", "simulating"]], ["stepApprove", ["simulated"]]];
/** What the last check of each draft found, while the page is open. */
const found = new Map();

export async function showDraft(main, shown) {
  const { id, signal } = shown;
  fill(main, loading());
  try {
    const desk = await read(shown);
    if (signal.aborted) return;
    draw(main, desk);
    main.querySelector("h1").focus({ preventScroll: true });
    if (desk.draft.status === "simulating") await awaitSimulation(main, desk);
  } catch (problem) {
    if (!signal.aborted) fill(main, retryBox(problem, () => showDraft(main, { ...shown, id })));
  }
}

/** The draft with its files, the laws that its rows may cite, and its simulation where there is one. */
async function read(shown) {
  const path = `/v1/tariffs/${shown.id}`;
  const [draft, current] = await Promise.all([call("GET", path), inForce()]);
  const names = draft.files;
  const contents = await Promise.all(names.map((name) => call("GET", `${path}/files/${name}`)));
  const files = Object.fromEntries(names.map((name, place) => [name, contents[place]]));
  const simulation = DONE.includes(draft.status) ? await call("GET", `${path}/simulation`) : null;
  const laws = [...current.laws, ...contents.flatMap((file) => file.laws ?? [])];
  return { path, draft, files, laws: [...new Map(laws.map((law) => [law.id, law])).values()], simulation, shown, open: null };
}

/** Draws all of it; `message` stays in sight at the top. */
export function draw(main, desk, message = null) {
  const { draft, shown } = desk;
  const writes = shown.officer.can("tariffs.write") && draft.authority === shown.officer.city && EDITABLE.includes(draft.status);
  const findings = found.get(draft.tariff_id) ?? [];
  const place = h("div", { class: "form-message", id: "draft-message" }, message);
  const redraw = (words) => draw(main, desk, words);
  fill(main,
    h("p", { class: "back" }, h("a", { href: "#/tariff" }, t("backToTariffs"))),
    h("div", { class: "head" }, h("div", {}, h("h1", { tabindex: "-1" }, h("bdi", {}, draft.title)), stepBar(draft)), verdict("tariff", draft.status, "tariff-status")),
    place,
    findings.length > 0 && allFindings(findings, desk),
    h("section", { class: "card", id: "next" }, next(main, desk, writes, place)),
    desk.simulation && h("section", { class: "card bars", id: "simulation" }, drawSimulation(desk.simulation)),
    h("section", { class: "card", id: "rows" }, h("h2", {}, t("rowsTitle")), drawRows(desk, { writes, findings, save: (change, words) => save(main, desk, change, words), redraw })),
    h("section", { class: "card" }, h("h2", {}, t("historyTitle")), history(draft)));
}

function stepBar(draft) {
  const at = STEPS.findIndex(([, statuses]) => statuses.includes(draft.status));
  const now = at < 0 ? STEPS.length : at;
  return h("ol", { class: "step-bar" }, STEPS.map(([label], place) =>
    h("li", { class: place < now ? "done" : null, "aria-current": place === now ? "step" : null }, place < now && icon("check"), t(label))));
}

function allFindings(findings, desk) {
  return notice("bad", h("p", {}, t("checkedBad", { count: digits(findings.length) })), h("ul", { id: "findings" }, findings.map((one) => {
    const row = rowOf(one, desk);
    return h("li", {}, row && [h("a", { href: `#row-${row}`, onclick: (event) => { event.preventDefault(); document.getElementById(`row-${row}`)?.scrollIntoView(); document.getElementById(`row-${row}`)?.focus(); } }, h("bdi", {}, row)), ": "], findingText(one));
  })));
}

/** The row that a finding is about: its pointer is `/file/row/member`, or `/row/member` where no file is known. */
function rowOf(one, desk) {
  const parts = one.pointer.split("/");
  return Object.values(desk.files).flatMap((file) => file.rows ?? []).map((row) => row.id).find((id) => parts.includes(id)) ?? null;
}

/** What can be done now, with the one thing that leads on first. */
function next(main, desk, writes, place) {
  const { draft, shown } = desk;
  const button = (id, kind, label, task) => acting(id, kind, label, task, place);
  if (!writes) return h("p", { class: "soft" }, DONE.slice(1).includes(draft.status) ? t("published") : t(`tariff.${draft.status}`));
  if (desk.open ?? begun(draft.tariff_id)) return h("p", { class: "soft" }, t("rowOpen"));
  const check = button("check", draft.status === "draft" ? "primary" : "quiet", t("check"), () => checkDraft(main, desk));
  const simulate = (label, kind) => button("simulate", kind, label, () => simulateDraft(main, desk));
  const ways = {
    draft: () => [check],
    checked: () => [simulate(t("simulate"), "primary")],
    simulating: () => [loading(t("simulatingText"))],
    simulated: () => [wrote(draft, shown.officer.username) ? null : button("approve", "primary", t("approve"), () => approveDraft(main, desk)), simulate(t("simulateAgain"), "quiet")],
  }[draft.status]();
  return [
    draft.status === "simulated" && wrote(draft, shown.officer.username) && notice("warn", t("secondNeeded")),
    h("div", { class: "actions" }, ways),
    withdrawal(main, desk),
  ];
}

/** Whether somebody made or changed the draft: the service refuses her approval, so the page does not offer it. */
function wrote(draft, username) {
  return draft.events.some((event) => event.by.toLowerCase() === username && /^(created|file )/.test(event.did));
}

function acting(id, kind, label, task, place) {
  const button = h("button", { type: "button", class: `button ${kind}`, id }, label);
  button.addEventListener("click", async () => {
    if (button.disabled) return;
    fill(place);
    try {
      await busy(button, t("working"), task);
    } catch (problem) {
      fill(place, problemBox(problem));
    }
  });
  return button;
}

async function checkDraft(main, desk) {
  const told = await call("POST", `${desk.path}/checks`, { body: {} });
  found.set(desk.draft.tariff_id, told.findings);
  desk.draft = told.tariff;
  desk.simulation = null;
  if (desk.shown.signal.aborted) return;
  draw(main, desk, told.publishable ? notice("good", t("checkedGood")) : null);
  announce(told.publishable ? t("checkedGood") : t("checkedBad", { count: digits(told.findings.length) }));
}

async function simulateDraft(main, desk) {
  desk.draft = await call("POST", `${desk.path}/simulations`, { body: {} });
  desk.simulation = null;
  if (desk.shown.signal.aborted) return;
  draw(main, desk);
  await awaitSimulation(main, desk);
}

async function awaitSimulation(main, desk) {
  const { signal } = desk.shown;
  while (desk.draft.status === "simulating") {
    await pause(POLL_MS);
    if (signal.aborted) return;
    desk.draft = await call("GET", desk.path);
  }
  if (DONE.includes(desk.draft.status)) desk.simulation = await call("GET", `${desk.path}/simulation`);
  if (signal.aborted) return;
  draw(main, desk);
  announce(t(`tariff.${desk.draft.status}`));
}

async function approveDraft(main, desk) {
  if (!(await confirmed({ title: t("approveTitle"), text: t("approveText"), action: t("approve") }))) return;
  desk.draft = await call("POST", `${desk.path}/approvals`, { body: {} });
  if (desk.shown.signal.aborted) return;
  draw(main, desk, notice("good", t("published")));
  announce(t("published"));
}

function withdrawal(main, desk) {
  const message = h("div", { class: "form-message" });
  const reason = h("input", { id: "withdraw-reason", maxlength: 500, autocomplete: "off" });
  const button = h("button", { type: "submit", class: "button", id: "withdraw" }, t("withdraw"));
  const form = h("form", { novalidate: true }, field(t("withdrawReason"), reason), message, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!reason.value.trim()) return reason.focus();
    if (button.disabled) return;
    try {
      desk.draft = await busy(button, t("working"), () => call("POST", `${desk.path}/withdrawals`, { body: { reason: reason.value.trim() } }));
      draw(main, desk, notice("good", t("withdrawn")));
    } catch (problem) {
      fill(message, problemBox(problem));
    }
  });
  return h("details", { class: "more" }, h("summary", {}, t("withdraw")), form);
}

/** The files with a change, one of them written; what was found of the changed row holds no longer. */
async function save(main, desk, { name, content, row }, words) {
  desk.draft = await call("PUT", `${desk.path}/files/${name}`, { body: content });
  desk.files = { ...desk.files, [name]: content };
  desk.simulation = null;
  found.set(desk.draft.tariff_id, (found.get(desk.draft.tariff_id) ?? []).filter((one) => !one.pointer.split("/").includes(row)));
  if (desk.shown.signal.aborted) return;
  draw(main, desk, notice("good", words));
  announce(words);
}

const DID = [
  [/^created$/, "created"],
  [/^file .* written$/, "written"],
  [/^file .* removed$/, "removed"],
  [/^checked: (?<count>\d+)/, "checked"],
  [/^simulation asked$/, "asked"],
  [/^simulated$/, "simulated"],
  [/^approved and published$/, "published"],
  [/^withdrawn: (?<reason>.*)$/s, "withdrawn"],
];

function history(draft) {
  return h("ol", { class: "rows", id: "history" }, draft.events.map((event) => {
    const [pattern, name] = DID.find(([of]) => of.test(event.did)) ?? [null, null];
    const values = pattern?.exec(event.did).groups ?? {};
    const did = name ? t(`did.${name}`, { ...values, count: digits(values.count ?? "") }) : event.did;
    const by = has(`by.${event.by}`) ? t(`by.${event.by}`) : event.by;
    return h("li", { class: "row" }, h("b", {}, h("bdi", {}, by)), h("span", {}, did), h("span", { class: "soft" }, dateTime(event.at)));
  }));
}
