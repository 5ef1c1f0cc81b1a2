// A guarded change: what it would change, who took which step, and what this officer may do with it.
import { fill, h } from "/common/dom.js";
import { dateTime, digits } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { once } from "/common/desk/service/attempts.js";
import { confirmed } from "/common/desk/page/confirm.js";
import { t } from "/common/desk/words/messages.js";
import { announce, busy, problemBox, word } from "/common/desk/page/shell.js";
import { facts, reasonField, reasonMissing, sendForm, verdict, when } from "../../pieces.js";

export function isOpen(change) {
  return change.status === "proposed" || (change.status === "approved" && new Date(change.in_force_from_at).getTime() > Date.now());
}

/** What a change is about, in a line; names and numbers never turn the text around them. */
export function summary(change) {
  const { subject, value } = change;
  const isolated = (text) => `\u2068${text}\u2069`;
  if (subject === "account") return isolated(value.iban);
  if (subject === "webhook_url") return isolated(value.url);
  if (subject === "webhook_secret") return t("changeSecret", { generation: digits(value.generation) });
  return `${t(value.action === "remove" ? "changeRemove" : "changeInvite")} ${isolated(value.name)} (${isolated(value.username)})`;
}

function values({ subject, value }) {
  if (subject === "account") return facts([t("changeIban"), h("bdi", { class: "id" }, value.iban)], [t("changeHolder"), h("bdi", {}, value.holder)]);
  if (subject === "webhook_url") return facts([t("changeUrl"), h("bdi", { class: "id" }, value.url)]);
  if (subject === "webhook_secret") return h("p", {}, summary({ subject, value }));
  return facts([t(value.action === "remove" ? "changeRemove" : "changeInvite"), h("bdi", {}, value.name)], [t("usernameHead"), h("bdi", { class: "id" }, value.username)], [t("roleHead"), word("role", value.role)]);
}

function stepsTaken(change) {
  return h("ol", { class: "taken", "aria-label": t("stepsTaken") }, change.steps.map((step) => h("li", {},
    h("b", {}, word("did", step.what)), " · ", step.by === "system" ? t("byClock") : h("bdi", {}, step.by), " · ", dateTime(step.at),
    step.reason && h("span", { class: "soft block" }, h("bdi", {}, step.reason)))));
}

/** An open change with what can be done about it; `again` draws the page anew afterwards. */
export function changeCard(change, { officer, again }) {
  const mine = change.steps[0].by === officer.username;
  const message = h("div", { class: "form-message" });
  const path = officer.here(`/changes/${change.change_id}`);
  const approve = h("button", { type: "button", class: "button primary", dataset: { approve: change.change_id } }, t("approveChange"));
  approve.addEventListener("click", async () => {
    fill(message);
    if (!(await confirmed({ title: t("approveTitle"), text: t("approveText", { what: summary(change) }), action: t("approveChange") }))) return approve.focus();
    try {
      await busy(approve, t("working"), () => once(`approve.${change.change_id}`, "POST", `${path}/approvals`, {}));
      announce(word("change", "approved"));
      return again();
    } catch (problem) {
      if (problem.code === "change_conflict") return again(); // decided meanwhile, perhaps by this very press whose answer was lost
      return fill(message, problemBox(problem));
    }
  });
  const waits = change.status === "proposed";
  const name = `cancel-${change.change_id}`;
  return h("article", { class: "change", dataset: { change: change.change_id } },
    h("div", { class: "head" }, h("h3", {}, word("subject", change.subject)), verdict("change", change.status)),
    values(change),
    !waits && facts([t("inForceFrom"), when(change.in_force_from_at)]),
    stepsTaken(change),
    waits && mine && h("p", { class: "soft" }, t("yoursToWait")),
    message,
    h("div", { class: "actions" }, waits && !mine && officer.can("accounts.approve") && approve),
    officer.can("accounts.write") && h("details", { class: "more" }, h("summary", {}, t("cancelChange")), sendForm(name, {
      fields: reasonField(`${name}-reason`), action: t("cancelDo"), primary: false, check: reasonMissing,
      send: ({ reason }) => call("POST", `${path}/cancellations`, { body: { reason } }),
      done: () => {
        announce(word("change", "cancelled"));
        again();
      },
    })));
}

/** A change that is over, in a line with its steps. */
export function changeRow(change) {
  return h("li", { class: "row past" }, h("b", {}, word("subject", change.subject)), h("span", {}, summary(change)), verdict("change", change.status === "approved" ? "in_force" : change.status), stepsTaken(change));
}

/** Those of the open changes that are of one of these subjects, as cards, or nothing. */
export function openOnes(changes, subjects, shown) {
  return changes.filter((change) => subjects.includes(change.subject) && isOpen(change)).map((change) => changeCard(change, shown));
}
