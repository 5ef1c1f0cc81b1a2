// The city's bank account: the one in force, the change that is open, and the proposal of another one.
import { fill, h } from "/common/dom.js";
import { asciiDigits, dateTime, digits } from "/common/text.js";
import { once } from "/common/desk/service/attempts.js";
import { call } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { announce } from "/common/desk/page/shell.js";
import { facts, field, notice, reasonField, reasonMissing, sendForm, subpage } from "../../pieces.js";
import { changeCard } from "./changes.js";

export async function accountView(main, shown) {
  const { signal, officer, again } = shown;
  const told = await call("GET", officer.here("/account"));
  if (signal.aborted) return;
  subpage(main, "onboarding", t("backToOnboarding"), t("accountTitle2"), h("div", { class: "columns" },
    h("section", { class: "card", id: "account" }, h("h2", {}, t("accountInForce")), told.account
      ? facts([t("changeIban"), h("bdi", { class: "iban" }, grouped(told.account.iban))], [t("changeHolder"), h("bdi", {}, told.account.holder)], [t("since"), dateTime(told.account.in_force_from_at)])
      : notice("warn", t("noAccount"))),
    told.open
      ? h("section", { class: "card" }, h("p", { class: "soft" }, t("changeIsOpen")), changeCard(told.open, shown))
      : officer.can("accounts.write") && h("section", { class: "card" }, h("h2", {}, t("newAccount")), proposal(officer, again))));
}

function proposal(officer, again) {
  const iban = h("input", { id: "iban", name: "iban", class: "iban", dir: "ltr", maxlength: 64, autocomplete: "off", spellcheck: "false" });
  const says = h("p", { class: "hint", id: "iban-says", role: "status" });
  const look = () => {
    const found = readIban(iban.value);
    iban.setAttribute("aria-invalid", String(found.state === "bad" || found.state === "long"));
    says.className = `hint ${{ good: "clear", bad: "owed", long: "owed" }[found.state] ?? "soft"}`;
    fill(says, found.state === "good" ? t("ibanGood") : found.state === "bad" ? t("ibanBad") : found.state === "long" ? t("ibanLong") : iban.value && t("ibanTyping", { count: digits(found.digits.length) }));
  };
  iban.addEventListener("input", look);
  const form = sendForm("propose-account", {
    fields: [
      h("div", { class: "field" }, field(t("iban"), iban, t("ibanHint")), says),
      field(t("holder"), h("input", { id: "holder", name: "holder", dir: "auto", maxlength: 100, autocomplete: "organization" })),
      reasonField("account-reason"),
    ],
    action: t("proposeDo"),
    check: (values) => readIban(values.iban).state !== "good" ? ["iban", t("ibanBad")] : values.holder.length < 3 ? ["holder", t("needHolder")] : reasonMissing(values),
    send: (values) => once("account", "PUT", officer.here("/account"), { ...values, iban: `IR${readIban(values.iban).digits}` }),
    done: () => {
      announce(t("proposed"));
      again();
    },
  });
  look();
  return form;
}

/** The digits behind IR, and whether their check holds. Source: ISO 13616; ISO 7064, mod 97-10. */
export function readIban(text) {
  const found = asciiDigits(text).toUpperCase().replace(/[^0-9A-Z]/g, "").replace(/^IR/, "");
  const state = /[A-Z]/.test(found) ? "bad" : found.length < 24 ? "typing" : found.length > 24 ? "long" : BigInt(`${found.slice(2)}1827${found.slice(0, 2)}`) % 97n === 1n ? "good" : "bad";
  return { digits: found, state };
}

/** In fours, as banks print it. */
function grouped(iban) {
  return iban.replace(/(.{4})(?=.)/g, "$1 ");
}
