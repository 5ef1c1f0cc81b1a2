// The city's officers: who they are, an invitation of another one, and the removal of one.
import { fill, h } from "/common/dom.js";
import { longDate } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { confirmed } from "/common/desk/page/confirm.js";
import { t } from "/common/desk/words/messages.js";
import { announce, word } from "/common/desk/page/shell.js";
import { field, notice, reasonField, reasonMissing, sendForm, shownOnce, subpage, table } from "../../pieces.js";
import { openOnes } from "./changes.js";

export async function officersView(main, shown) {
  const { signal, officer } = shown;
  const [{ officers }, { changes }] = await Promise.all([call("GET", officer.here("/onboarding")), call("GET", officer.here("/changes"))]);
  if (signal.aborted) return;
  const news = h("div", { class: "form-message", id: "officer-news" });
  const heads = ["name", "usernameHead", "roleHead", "since"].map((key) => t(key));
  const may = officer.can("officers.write");
  const open = openOnes(changes, ["officer"], shown);
  subpage(main, "onboarding", t("backToOnboarding"), t("officersTitle"), news, h("div", { class: "columns" },
    h("section", { class: "card wide" }, table(t("officersTitle"), heads, officers.map((one) => row(one, officer))),
      may ? officers.filter((one) => one.username !== officer.username).map((one) => removal(one, shown)) : h("p", { class: "soft" }, t("headsOnly"))),
    open.length > 0 && h("section", { class: "card" }, h("h2", {}, t("openChangesTitle")), open),
    may && h("section", { class: "card" }, h("h2", {}, t("inviteTitle")), invitation(shown))));
}

function row(one, officer) {
  return h("tr", { dataset: { officer: one.username } },
    h("th", { scope: "row" }, h("bdi", {}, one.name), one.username === officer.username && h("small", { class: "soft" }, ` (${t("you")})`)),
    h("td", {}, h("bdi", { class: "id" }, one.username)), h("td", {}, word("role", one.role)), h("td", {}, longDate(one.since_at)));
}

function removal(one, { officer, again }) {
  const name = `remove-${one.username}`;
  const label = `\u2068${one.name}\u2069`;
  return h("details", { class: "more", dataset: { remove: one.username } }, h("summary", {}, `${t("removeOfficer")}: ${label}`), sendForm(name, {
    fields: reasonField(`${name}-reason`, t("removeReason", { name: label })), action: t("removeOfficer"), primary: false, check: reasonMissing,
    send: async ({ reason }) => {
      const wanted = await confirmed({ title: t("removeTitle", { name: label }), text: t("removeText"), action: t("removeOfficer") });
      return wanted ? call("POST", officer.here(`/officers/${one.username}/removals`), { body: { reason } }) : null;
    },
    done: async (gone) => {
      if (!gone) return;
      await again();
      tell(notice("good", t("removed", { name: label })), t("removed", { name: label }));
    },
  }));
}

function invitation({ officer, again }) {
  const example = `${officer.city.toLowerCase()}.ahmadi`;
  return sendForm("invite-officer", {
    fields: [
      field(t("name"), h("input", { id: "officer-name", name: "name", dir: "auto", maxlength: 100, autocomplete: "off" })),
      field(t("usernameHead"), h("input", { id: "officer-username", name: "username", dir: "ltr", maxlength: 100, autocomplete: "off", spellcheck: "false", autocapitalize: "off" }), t("inviteHint", { example: `\u2068${example}\u2069` })),
      field(t("roleHead"), h("select", { id: "officer-role", name: "role" }, ["officer", "head"].map((role) => h("option", { value: role }, word("role", role))))),
      reasonField("officer-reason"),
    ],
    action: t("inviteDo"),
    check: (values) => values.name.length < 3 ? ["name", t("needName")] : values.username.length < 4 ? ["username", t("needUser", { example: `\u2068${example}\u2069` })] : reasonMissing(values),
    // without a key: a repetition by itself would lose the code, which is shown once
    send: (values) => call("POST", officer.here("/officers"), { body: values }),
    done: async (made) => {
      await again();
      tell([shownOnce("invite-code", made.code, t("inviteCode")), h("p", {}, t("inviteNext")), h("p", {}, t("inviteLink"), ": ", h("bdi", { class: "id", id: "invite-link" }, `${location.origin}/city#/join/${made.change_id}`))], t("proposed"));
    },
  });
}

function tell(content, says) {
  const news = document.getElementById("officer-news");
  if (news) fill(news, content);
  announce(says);
}
