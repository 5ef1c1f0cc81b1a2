// One objection: what is said, on which evidence, against which quote, what was done, and the decision.
import { h } from "/common/dom.js";
import { drawPlate } from "/common/plate.js";
import { dateTime, digits, yearRanges } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { has, t } from "/common/desk/words/messages.js";
import { word } from "/common/desk/page/shell.js";
import { facts, rial, subpage, table, verdict, when } from "../../pieces.js";
import { decision, told } from "./decision.js";

export async function objectionView(main, { id, signal, officer, again }) {
  const one = await call("GET", `/v1/objections/${id}`);
  const quote = await call("GET", `/v1/assessments/${one.assessment_id}`);
  if (signal.aborted) return;
  const open = one.status === "open";
  subpage(main, "objections", t("backToObjections"), t("objectionOf"), h("div", { class: "columns" },
    h("section", { class: "card" },
      h("div", { class: "head" }, drawPlate(quote.plate), verdict("casestate", one.status, "objection-status")),
      open && new Date(one.due_at) < Date.now() && h("p", { class: "owed" }, t("overdue")),
      said(one), h("h2", { class: "spaced" }, t("stepsTitle")), steps(one)),
    open ? officer.can("objections.decide") && h("section", { class: "card", id: "decision" }, h("h2", {}, t("decideTitle")),
      one.created_by === officer.username ? h("p", { class: "soft" }, t("ownObjection")) : decision(one, quote.vehicle, again))
      : h("section", { class: "card", id: "outcome" }, h("h2", {}, t("decidedTitle")), outcome(one)),
    h("section", { class: "card wide" }, h("details", {}, h("summary", {}, h("b", {}, t("quoteTitle")), " · ", rial(quote.owed_rial)), lines(quote)))));
}

function said(one) {
  const evidence = one.evidence.length === 0 ? t("noEvidence") : h("ul", { id: "evidence" }, one.evidence.map((proof) =>
    h("li", {}, h("b", {}, has(`evidence.${proof.kind}`) ? t(`evidence.${proof.kind}`) : h("bdi", {}, proof.kind)), ": ", h("bdi", {}, proof.reference))));
  return facts(
    [t("whatIsWrong"), word("objection", one.reason)],
    [t("inWords"), h("bdi", { class: "words" }, one.text)],
    [t("evidence"), evidence],
    [t("years"), yearRanges(one.years)],
    [t("owedThen"), rial(one.owed_rial)],
    [t("filedBy"), h("bdi", {}, one.created_by)],
    [t("filedAt"), dateTime(one.created_at)],
    [t("decideBy"), one.status === "open" && when(one.due_at)],
    [t("escalated"), one.status === "open" && one.level > 0 && word("level", one.level)]);
}

/** The steps as they are kept ("rejected: why") in the reader's words. */
function steps(one) {
  return h("ol", { class: "taken" }, one.events.map((event) => {
    const [, what, why] = /^(filed|withdrawn|accepted|rejected|escalated)(?:: | to level )?([\s\S]*)$/.exec(event.did) ?? [null, "", event.did];
    const told = what ? t(`objdid.${what}`, { why: `\u2068${what === "escalated" ? digits(why) : why}\u2069` }) : why;
    return h("li", {}, h("b", {}, told), " · ", event.by === "sweep" ? t("bySweep") : h("bdi", {}, event.by), " · ", dateTime(event.at));
  }));
}

function outcome(one) {
  const { recomputed, superseded } = one;
  return facts(
    [t("decidedBy"), one.decided_at && h("span", {}, h("bdi", {}, one.decided_by), " · ", dateTime(one.decided_at))],
    [t("why"), one.decision_reason && h("bdi", { class: "words" }, one.decision_reason)],
    [t("factsTitle"), one.corrected && h("ul", {}, Object.entries(one.corrected).map(([name, value]) => h("li", {}, word("fact", name), ": ", h("bdi", {}, told(name, value)))))],
    [t("newTotal"), recomputed && rial(recomputed.owed_rial)],
    [t("difference"), recomputed && rial(recomputed.difference_rial)],
    [t("overpaid"), recomputed && rial(recomputed.overpaid_rial)],
    [t("newPapers"), superseded?.length > 0 && digits(superseded.length)],
    [t("task"), one.task_id && h("bdi", { class: "id" }, one.task_id)]);
}

function lines(quote) {
  return table(t("quoteTitle"), ["yearHead", "lineHead", "amountHead"].map((key) => t(key)), quote.lines.map((line) =>
    h("tr", {}, h("td", {}, line.year ? digits(line.year) : ""), h("td", {}, word("kind", line.kind)), h("td", {}, rial(line.amount_rial)))));
}
