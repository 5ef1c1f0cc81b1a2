// A question before something that cannot be taken back.
import { h } from "/common/dom.js";
import { t } from "../words/messages.js";

/** Whether the reader wants it: a dialog with the question, what will come of it, and the two answers. Escape is no. */
export function confirmed({ title, text, action }) {
  return new Promise((resolve) => {
    const answer = (wanted) => {
      dialog.close();
      dialog.remove();
      resolve(wanted);
    };
    const dialog = h("dialog", { class: "card question", "aria-labelledby": "question-title", oncancel: (event) => { event.preventDefault(); answer(false); } },
      h("h2", { id: "question-title" }, title),
      h("p", {}, text),
      h("div", { class: "actions" },
        h("button", { type: "button", class: "button primary", id: "confirm", onclick: () => answer(true) }, action),
        h("button", { type: "button", class: "button quiet", id: "decline", onclick: () => answer(false) }, t("notNow"))));
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("#decline").focus();
  });
}
