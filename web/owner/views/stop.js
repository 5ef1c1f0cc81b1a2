// The end of all messages: the link of any of them opens this, without a plate, an id or a session.
import { askUnsigned } from "/common/desk/service/api.js";
import { t } from "/common/desk/words/messages.js";
import { announce, busy, problemBox } from "/common/desk/page/shell.js";
import { fill, h, icon } from "/common/dom.js";

export function stopView(main, { id: token, signal }) {
  const message = h("div", { class: "form-message" });
  const button = h("button", { type: "button", class: "button primary big", id: "stop" }, t("stopDo"));
  const box = h("section", { class: "card progress" },
    h("h1", { tabindex: "-1" }, t("stopTitle")), h("p", {}, t("stopLead")), message, h("div", { class: "actions" }, button));
  button.addEventListener("click", async () => {
    fill(message);
    try {
      await busy(button, t("working"), () => askUnsigned("POST", "/v1/reminders/stops", { token: token ?? "" }));
      if (signal.aborted) return;
      announce(t("stopped"));
      fill(box, h("div", { class: "ending good" }, icon("check")), h("h1", { id: "stopped", tabindex: "-1" }, t("stopped")), h("p", { class: "soft" }, t("stoppedLead")));
      box.querySelector("h1").focus();
    } catch (problem) {
      fill(message, problemBox(problem));
    }
  });
  fill(main, h("div", { class: "column" }, box));
  button.focus();
}
