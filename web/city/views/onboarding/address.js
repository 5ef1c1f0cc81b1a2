// Where the events go: the address in force, one that waits, its challenge, and the registration of one.
import { fill, h } from "/common/dom.js";
import { call } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { announce, busy, problemBox } from "/common/desk/page/shell.js";
import { endpointOf, outcome } from "../../endpoint.js";
import { facts, field, notice, reasonField, sendForm, shownOnce, subpage, verdict, when } from "../../pieces.js";
import { openOnes } from "./changes.js";

export async function addressView(main, shown) {
  const { signal, officer } = shown;
  const [endpoint, { changes }] = await Promise.all([endpointOf(officer.here), call("GET", officer.here("/changes"))]);
  if (signal.aborted) return;
  const news = h("div", { class: "form-message", id: "address-news" });
  const open = openOnes(changes, ["webhook_url"], shown);
  subpage(main, "onboarding", t("backToOnboarding"), t("addressTitle"), news, h("div", { class: "columns" },
    h("section", { class: "card", id: "address" }, h("h2", {}, t("addressInForce")), endpoint ? standing(endpoint, news, shown) : h("p", { class: "soft" }, t("noAddress"))),
    open.length > 0
      ? h("section", { class: "card" }, h("p", { class: "soft" }, t("changeIsOpen")), open)
      : officer.can("webhooks.write") && h("section", { class: "card" }, h("h2", {}, t(endpoint?.url ? "otherAddress" : "newAddress")), registration(endpoint, shown))));
}

function standing(endpoint, news, { officer, again }) {
  const unproved = endpoint.candidate_url && !endpoint.candidate_proved;
  const challenge = h("button", { type: "button", class: "button", id: "challenge" }, t("challengeAgain"));
  challenge.addEventListener("click", async () => {
    try {
      const told = await busy(challenge, t("working"), async () => {
        const answer = await call("POST", officer.here("/webhook/challenges"), { body: {} });
        await again();
        return answer;
      });
      tell(told);
    } catch (problem) {
      fill(news, problemBox(problem));
    }
  });
  return [
    facts([t("addressInForce"), endpoint.url && h("bdi", { class: "id" }, endpoint.url)],
      [t("addressWaiting"), endpoint.candidate_url && h("bdi", { class: "id" }, endpoint.candidate_url)],
      [t("addressNext"), endpoint.next_url && h("span", {}, h("bdi", { class: "id" }, endpoint.next_url), " ", when(endpoint.next_url_from_at))]),
    h("p", {}, verdict("endpoint", endpoint.status, "endpoint-state")),
    unproved && [notice("warn", t("challengeWaits")), officer.can("webhooks.write") && h("div", { class: "actions" }, challenge)],
    h("p", { class: "spaced" }, h("a", { href: "#/health" }, t("toHealth"))),
  ];
}

function registration(endpoint, { officer, again }) {
  const first = !endpoint?.url;
  return sendForm("register-address", {
    fields: [
      field(t("url"), h("input", { id: "url", name: "url", type: "url", dir: "ltr", maxlength: 1000, autocomplete: "off", placeholder: "https://" }), t("urlHint")),
      !first && reasonField("address-reason"),
    ],
    action: t(first ? "registerDo" : "proposeDo"),
    check: (values) => values.url.length < 8 ? ["url", t("needUrl")] : null,
    // without a key: a repetition by itself would lose the secret, which is shown once
    send: (values) => call("PUT", officer.here("/webhook"), { body: values }),
    done: async (told) => {
      await again();
      tell(told);
    },
  });
}

/** What came of it, above the page as it is now: the challenge's end, and a secret that is shown this once. */
function tell(told) {
  const says = told.challenge_passed ? t("challengeGood") : t("challengeBad", { what: outcome(told.challenge) });
  const news = document.getElementById("address-news");
  if (news) fill(news, notice(told.challenge_passed ? "good" : "warn", says), told.secret && shownOnce("secret", told.secret, t("secretSays")));
  announce(says);
}
