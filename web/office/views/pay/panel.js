// Choosing how to pay: the channels, what each needs to know, the one button, and a way on from every refusal.
import { lockedBox } from "/common/desk/duty/gateway.js";
import { fill, h, icon } from "/common/dom.js";
import { asciiDigits, digits, money } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { once } from "/common/desk/service/attempts.js";
import { busy, go, problemBox, state } from "../../shell.js";
import { t } from "../../messages.js";
import { cancelPayment, startPayment } from "./paying.js";

const CHANNELS = [["gateway", "channelGateway", "pay"], ["pos", "channelPos", "payPos"], ["bill", "channelBill", "payBill"]];
const INSTALMENTS = ["instalments", "channelInstalments", "askInstalments"];

/**
 * The panel that pays `target` for `amountRial`: `channels` is the choice, `bar` the total and the button. Several quotes at
 * once are paid at a gateway alone. `instalments` are the city's terms, or nothing. `onRequote(problem)` may replace the quote
 * and then returns true; `onPaid(button)` looks again at a duty that was paid meanwhile.
 */
export function payPanel({ target, amountRial, instalments = null, onlyGateway = false, signal, onRequote = () => false, onPaid = null }) {
  const message = h("div", { class: "pay-message" });
  const options = h("div", { class: "channel-options" });
  const button = h("button", { type: "button", class: "button primary big", id: "pay" });
  const offered = onlyGateway ? CHANNELS.slice(0, 1) : instalments ? [...CHANNELS, INSTALMENTS] : CHANNELS;
  const panel = { target, amountRial, instalments, signal, onRequote, onPaid, message, button, channel: "gateway", input: null };
  const choose = (channel) => {
    if (!onlyGateway) state.channel = channel;
    panel.channel = channel;
    panel.input = channel === "pos" ? terminalInput() : channel === "instalments" ? partsInput(instalments) : null;
    fill(options, panel.input?.node, channel !== "gateway" && h("p", { class: "soft hint" }, t(`hint.${channel}`)));
    fill(button, icon(channel === "bill" ? "print" : "card"), t(offered.find(([name]) => name === channel)[2]));
    fill(message);
  };
  button.addEventListener("click", () => pay(panel));
  const first = offered.some(([name]) => name === state.channel) ? state.channel : "gateway";
  choose(first);
  const channels = offered.length > 1 && h("div", { class: "channel-choice" },
    h("fieldset", { class: "segments channels" }, h("legend", { class: "visually-hidden" }, t("payBy")),
      offered.map(([name, label]) => h("label", {},
        h("input", { type: "radio", name: "channel", value: name, checked: name === first, onchange: () => choose(name) }), h("span", {}, t(label))))),
    options);
  const bar = h("div", { class: "total" },
    message,
    h("div", {}, h("span", {}, t("total")), h("strong", { id: "owed" }, h("span", { class: "number" }, money(amountRial)), " ", h("small", {}, t("rial")))),
    button);
  return { channels, bar, focus: () => button.focus({ preventScroll: true }) };
}

function terminalInput() {
  const field = h("input", { id: "terminal", name: "terminal", dir: "ltr", maxlength: 32, autocomplete: "off", spellcheck: "false", list: "terminals" });
  const listed = h("datalist", { id: "terminals" });
  const told = () => {
    fill(listed, state.terminals.map((one) => h("option", { value: one.terminal_id })));
    field.value ||= state.terminal;
  };
  told();
  loadTerminals().then(told); // on a slow line the list comes after the choice
  field.addEventListener("input", () => {
    state.terminal = asciiDigits(field.value).trim().toUpperCase();
  });
  const node = h("label", { class: "inline-field" }, h("span", {}, t("terminal")), field, listed);
  return { node, missing: () => !state.terminal && "needTerminal", focus: () => field.focus() };
}

function partsInput(terms) {
  const field = h("select", { id: "parts", name: "parts" },
    Array.from({ length: Math.max(1, terms.parts_max - 1) }, (_, index) => h("option", { value: index + 2 }, t("partsMany", { parts: digits(index + 2) }))));
  return { node: h("label", { class: "inline-field" }, h("span", {}, t("parts")), field), missing: () => null, focus: () => field.focus(), value: () => Number(field.value) };
}

async function pay(panel, { supersedeBill = false } = {}) {
  const { message, button, channel, signal } = panel;
  fill(message);
  const missing = panel.input?.missing();
  if (missing) {
    fill(message, h("p", { class: "notice notice-bad", role: "alert" }, t(missing)));
    return panel.input.focus();
  }
  try {
    if (channel === "instalments") return await busy(button, t("working"), () => askForInstalments(panel));
    const options = { supersedeBill, terminal: channel === "pos" ? state.terminal : "" };
    return await busy(button, t(channel === "gateway" ? "paying" : "working"), () => startPayment(panel.target, channel, options));
  } catch (problem) {
    if (signal.aborted) return undefined;
    const shown = refusal(panel, problem);
    if (!shown) return undefined;
    fill(message, ...shown);
    message.querySelector("button")?.focus();
    return message.scrollIntoView({ block: "nearest" });
  }
}

async function askForInstalments({ target, input }) {
  const body = { assessment_id: target.assessment_id, parts: input.value() };
  const agreement = await once(`agreement.${target.assessment_id}`, "POST", "/v1/instalment-agreements", body);
  return go("agreement", agreement.agreement_id);
}

// Each refusal of a payment leads somewhere: wait, resume, look again, give up the bill, or a fresh quote already in place.
function refusal(panel, problem) {
  const { message, button, signal } = panel;
  const freed = (text) => {
    fill(message, h("div", { class: "notice notice-good", role: "status" }, icon("check"), h("p", {}, t(text))));
    button.focus();
  };
  if (problem.code === "duty_locked") {
    const cancel = (id, pressed) => busy(pressed, t("working"), () => cancelPayment(id)).then(() => freed("cancelled"), (other) => fill(message, problemBox(other)));
    return [lockedBox(problem, { signal, onFree: () => button.focus(), onCancel: cancel })];
  }
  if (problem.code === "duty_paid" && panel.onPaid) {
    return [h("div", { class: "notice notice-warn", role: "alert" }, icon("check"),
      h("div", {}, h("p", {}, h("b", {}, t("paidTitle"))), h("p", {}, t("paidText"))),
      h("div", { class: "actions" }, action("refreshStanding", (event) => panel.onPaid(event.currentTarget, message))))];
  }
  if (problem.code === "bill_open") {
    const open = problem.body.payment_id;
    return [h("div", { class: "notice notice-warn", role: "alert", id: "bill-open" }, icon("warn"),
      h("div", {}, h("p", {}, h("b", {}, t("billOpenTitle"))), h("p", {}, t("billOpenText"))),
      h("div", { class: "actions" },
        action("supersedeBill", () => pay(panel, { supersedeBill: true })),
        open && h("button", { type: "button", class: "button quiet", onclick: () => go("payment", open) }, t("showBill"))))];
  }
  if (problem.code === "duty_by_instalments" && problem.body.agreement_id) {
    return [problemBox(problem, action("showAgreement", () => go("agreement", problem.body.agreement_id)))];
  }
  if (panel.onRequote(problem)) return null;
  return [problemBox(problem, action("retry", () => pay(panel)))];
}

function action(label, onclick) {
  return h("button", { type: "button", class: "button", onclick }, t(label));
}

/** Loads the office's terminals once a shift, so that the clerk chooses instead of typing. */
export async function loadTerminals() {
  if (state.terminals.length) return;
  asked ??= readTerminals().finally(() => {
    asked = null;
  });
  await asked;
}

let asked = null;
async function readTerminals() {
  try {
    const answer = await call("GET", "/v1/terminals");
    state.terminals = answer.terminals;
    state.terminal ||= state.terminals[0]?.terminal_id ?? "";
  } catch {
    // the list is a comfort: the number can be typed
  }
}
