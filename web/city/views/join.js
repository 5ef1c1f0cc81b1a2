// An invited officer makes her account with the invitation's code, and is signed in with it.
import { fill, h } from "/common/dom.js";
import { askUnsigned, signIn } from "/common/desk/service/api.js";
import { addWords, t } from "/common/desk/words/messages.js";
import { busy, problemBox } from "/common/desk/page/shell.js";
import { field, notice } from "../pieces.js";
import { JOIN } from "../words/onboarding.js";

addWords(JOIN);

/** Draws the form for the invitation `id` into `main`; `done` once she is signed in. Nothing of it is kept as a draft. */
export function show(main, { id, done }) {
  const input = (name, autocomplete, more = {}) => h("input", { id: `join-${name}`, name, dir: "ltr", autocomplete, spellcheck: "false", autocapitalize: "off", maxlength: 256, ...more });
  const message = h("div", { class: "form-message" });
  const button = h("button", { class: "button primary", id: "join-send" }, t("joinDo"));
  const submit = async (event) => {
    event.preventDefault();
    const typed = Object.fromEntries(new FormData(form));
    const body = { ...typed, municipality: typed.municipality.trim().toUpperCase(), username: typed.username.trim().toLowerCase(), code: typed.code.trim(), change_id: id };
    if (Object.values(body).some((value) => !value)) return fill(message, notice("bad", t("joinIncomplete")));
    fill(message);
    try {
      await busy(button, t("working"), async () => {
        await askUnsigned("POST", "/v1/officer-activations", body);
        await signIn(body.username, body.password);
      });
      return done();
    } catch (problem) {
      return fill(message, problemBox(problem));
    }
  };
  const form = h("form", { class: "stack", id: "join", novalidate: true, onsubmit: submit },
    field(t("cityCode"), input("municipality", "off"), t("cityCodeHint")),
    field(t("username"), input("username", "username")),
    field(t("joinCode"), input("code", "one-time-code")),
    field(t("newPassword"), input("password", "new-password", { type: "password" }), t("passwordHint")),
    message, h("div", { class: "actions" }, button, h("a", { class: "button quiet", href: "#/" }, t("signInInstead"))));
  fill(main, h("section", { class: "card narrow" }, h("h1", { tabindex: "-1" }, t("joinTitle")), h("p", { class: "soft" }, t("joinLead")), form));
  form.elements.municipality.focus();
}
