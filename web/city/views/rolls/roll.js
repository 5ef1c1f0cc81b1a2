// One roll: how far its check is, what it would change, its commit and its way back.
import { fill, h, icon } from "/common/dom.js";
import { dateTime, digits, language, money } from "/common/text.js";
import { plateText } from "/common/plate.js";
import { call, pause, Problem } from "/common/desk/service/api.js";
import { confirmed } from "/common/desk/page/confirm.js";
import { t } from "/common/desk/words/messages.js";
import { announce, busy, loading, problemBox, retryBox, word } from "/common/desk/page/shell.js";
import { notice, table, verdict } from "../../pieces.js";

const POLL_MS = 1_200;
const GOING_ON = ["awaiting_upload", "checking"];
/** The service needs a moment from the file's arrival to the first word of its check. */
const AWAITED_MS = 20_000;

export async function showRoll(main, shown) {
  const { id, signal } = shown;
  fill(main, loading());
  const since = Date.now();
  try {
    for (;;) {
      const roll = await call("GET", `/v1/rolls/${id}`);
      if (signal.aborted) return;
      drawRoll(main, roll, shown, roll.status === "awaiting_upload" && Date.now() - since > AWAITED_MS);
      if (!GOING_ON.includes(roll.status)) break;
      await pause(POLL_MS);
      if (signal.aborted) return;
    }
    announce(main.querySelector("#roll-status").textContent);
  } catch (problem) {
    if (!signal.aborted) fill(main, retryBox(problem, () => showRoll(main, shown)));
  }
}

function drawRoll(main, roll, shown, late) {
  const message = h("div", { class: "form-message" });
  fill(main,
    h("p", { class: "back" }, h("a", { href: "#/roll" }, t("backToRolls"))),
    h("div", { class: "head" },
      h("div", {}, h("h1", { tabindex: "-1" }, t("rollOf", { day: dateTime(roll.created_at) })), steps(roll)),
      verdict("roll", roll.status, "roll-status")),
    h("section", { class: "card" }, content(roll, late), message, actions(roll, shown, main, message)));
}

/** Who did what when. */
function steps(roll) {
  const who = (name) => "\u2068" + name + "\u2069";
  return h("p", { class: "soft" },
    roll.committed_at && t("committedBy", { who: who(roll.committed_by), at: dateTime(roll.committed_at) }),
    roll.rolled_back_at && ` · ${t("takenBackBy", { who: who(roll.rolled_back_by), at: dateTime(roll.rolled_back_at) })}`);
}

function content(roll, late) {
  if (roll.status === "awaiting_upload") return late ? notice("warn", t("awaiting")) : loading(t("loading"));
  if (roll.status === "checking") return checking(roll);
  if (roll.status === "failed") return notice("bad", h("h2", {}, t("failedTitle")), h("p", {}, language() === "fa" ? roll.fault.detail_fa : roll.fault.detail_en), h("p", { class: "code" }, h("bdi", {}, roll.fault.code)));
  return preview(roll);
}

function checking(roll) {
  const { chunks_done: done, chunks_total: all } = roll.progress;
  return [
    h("progress", all ? { max: all, value: done, "aria-label": t("roll.checking") } : { "aria-label": t("roll.checking") }),
    h("p", { role: "status" }, t("checkingText", { rows: money(roll.rows_read), done: digits(done), all: all ? digits(all) : "…" })),
    h("p", { class: "soft" }, t("leaveIt")),
  ];
}

function preview(roll) {
  const tile = (name, kind) => h("div", { class: kind && roll[name] ? kind : null }, h("dt", {}, t(name)), h("dd", { id: `count-${name}` }, money(roll[name])));
  const codes = Object.entries(roll.refused_by_code ?? {}).toSorted(([, one], [, other]) => other - one);
  return [
    h("h2", {}, t("previewTitle")),
    h("p", { class: "soft" }, t("rowsRead", { rows: money(roll.rows_read) })),
    h("dl", { class: "sums" }, tile("added"), tile("changed"), tile("unchanged"), tile("refused", "up")),
    roll.added + roll.changed === 0 && notice("warn", t("nothingNew")),
    codes.length > 0 && [
      h("h2", {}, t("refusedTitle")), h("p", { class: "soft" }, t("refusedLead")),
      table(t("refusedTitle"), [t("codeHead"), t("rowsHead")], codes.map(([code, count]) => h("tr", { dataset: { code } }, h("th", { scope: "row" }, word("refusal", code)), h("td", {}, money(count))))),
      roll.refused_rows_url && h("p", { class: "actions" }, h("a", { class: "button", id: "refused-file", href: roll.refused_rows_url, rel: "noreferrer" }, icon("down"), t("refusedFile"))),
    ],
  ];
}

function actions(roll, shown, main, message) {
  if (!shown.officer.can("rolls.write")) return null;
  if (roll.status === "previewed") {
    const values = { added: money(roll.added), changed: money(roll.changed), refused: money(roll.refused) };
    const question = { title: t("commitTitle"), text: t("commitText", values), action: t("commit") };
    return h("div", { class: "actions" }, acting("commit", "primary", question, "commit", roll, shown, main, message));
  }
  if (roll.status === "committed") {
    const question = { title: t("takeBackTitle"), text: t("takeBackText"), action: t("takeBack") };
    return h("div", { class: "actions" }, acting("take-back", "quiet", question, "rollback", roll, shown, main, message));
  }
  return null;
}

/** A button that asks first; the service does each step once, however often it is asked. */
function acting(id, kind, question, path, roll, shown, main, message) {
  const button = h("button", { type: "button", class: `button ${kind}`, id }, question.action);
  button.addEventListener("click", async () => {
    fill(message);
    if (!(await confirmed(question))) return button.focus();
    try {
      const done = await busy(button, t("working"), () => call("POST", `/v1/rolls/${roll.roll_id}/${path}`, { body: {}, idempotencyKey: `${path}-${roll.roll_id}` }));
      if (shown.signal.aborted) return;
      drawRoll(main, { ...roll, ...done, refused_rows_url: done.refused_rows_url ?? roll.refused_rows_url }, shown, false);
      const words = t(path === "commit" ? "committed" : "takenBack");
      main.querySelector(".card").prepend(notice("good", words));
      announce(words);
    } catch (problem) {
      fill(message, problemBox(problem), problem instanceof Problem && problem.code === "roll_in_use" && resting(problem.body));
    }
  });
  return button;
}

function resting({ duties = [], duties_total: total = duties.length }) {
  return [
    h("p", {}, t("inUse", { count: digits(total) })),
    h("ul", { class: "rows" }, duties.map((duty) => h("li", { class: "row" }, h("bdi", {}, duty.plate && plateText(duty.plate)), h("span", {}, digits(duty.year))))),
  ];
}
