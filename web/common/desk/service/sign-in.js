// Signing in: a page of its own at first, a dialog over the work when a session ends in the middle of it.
import { fill, h } from "/common/dom.js";
import { signIn, signedIn } from "./api.js";
import { busy, problemBox } from "../page/shell.js";
import { t } from "../words/messages.js";

export function signInView(main, { done }) {
  fill(main, h("section", { class: "card sign-in" },
    h("h1", {}, t("signInTitle")),
    h("p", { class: "soft" }, t("signInLead")),
    form("", done)));
  main.querySelector("input").focus();
}

let pending = null;

/** Resolves once somebody has signed in; the work underneath stays as it was. */
export function signInDialog() {
  pending ??= new Promise((resolve) => {
    const dialog = h("dialog", { class: "card sign-in", "aria-labelledby": "again-title", oncancel: (event) => event.preventDefault() },
      h("h2", { id: "again-title" }, t("signInTitle")),
      h("p", { class: "soft" }, t("signInAgain")),
      form(signedIn()?.username ?? "", () => {
        dialog.close();
        dialog.remove();
        pending = null;
        resolve();
      }));
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector(signedIn()?.username ? "[type=password]" : "input").focus();
  });
  return pending;
}

function form(username, done) {
  const message = h("div", { class: "form-message" });
  const name = h("input", { id: "username", name: "username", autocomplete: "username", dir: "ltr", spellcheck: "false", autocapitalize: "off", required: true, value: username });
  const password = h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", dir: "ltr", required: true });
  const button = h("button", { class: "button primary big", id: "sign-in" }, t("signIn"));
  const submit = async (event) => {
    event.preventDefault();
    if (!name.value.trim() || !password.value) return fill(message, h("p", { class: "notice notice-bad", role: "alert" }, t("needUsername")));
    try {
      await busy(button, t("working"), () => signIn(name.value.trim(), password.value));
      return done();
    } catch (problem) {
      fill(message, problemBox(problem));
      if (problem.status === 401) password.value = ""; // a broken connection takes nothing from the clerk
      return password.focus();
    }
  };
  return h("form", { onsubmit: submit, novalidate: true },
    h("label", { for: "username" }, t("username")), name,
    h("label", { for: "password" }, t("password")), password,
    message, button);
}

