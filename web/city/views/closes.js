// The daily closes: the list, and one of them with its account, its transfer, what came late, its proof and its files.
import { fill, h, icon } from "/common/dom.js";
import { digits, jalaliText, sumRial } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { addWords, t } from "/common/desk/words/messages.js";
import { announce, busy, loading, problemBox, retryBox } from "/common/desk/page/shell.js";
import { rial, table, verdict } from "../pieces.js";
import { CLOSES } from "../words/closes.js";
import { drawClose } from "./closes/close.js";

addWords(CLOSES);

export async function show(main, shown) {
  const { id, signal, officer } = shown;
  fill(main, loading());
  try {
    if (id) {
      const close = await call("GET", officer.here(`/settlements/${id}`));
      if (!signal.aborted) drawClose(main, close, shown);
    } else {
      const answer = await call("GET", officer.here("/settlements"));
      if (!signal.aborted) drawList(main, answer, shown);
    }
    if (!signal.aborted) main.querySelector("h1").focus({ preventScroll: true });
  } catch (problem) {
    if (!signal.aborted) fill(main, retryBox(problem, () => show(main, shown)));
  }
}

function drawList(main, answer, { officer }) {
  const heads = ["dayHead", "openingHead", "movedHead", "closingHead", "transferHead", "bankHead"].map((key) => t(key));
  const place = table(t("closesTitle"), heads, answer.settlements.map(row));
  fill(main, h("section", { class: "card" },
    h("h1", { tabindex: "-1" }, t("closesTitle")), h("p", { class: "soft" }, t("closesLead")),
    answer.settlements.length === 0 ? h("p", { class: "empty" }, t("closesNone")) : place,
    answer.cursor && moreButton(place.querySelector("tbody"), answer.cursor, officer)));
}

function row(close) {
  const moved = sumRial([close.closing_rial, close.opening_rial.startsWith("-") ? close.opening_rial.slice(1) : `-${close.opening_rial}`]);
  return h("tr", { dataset: { close: close.settlement_id } },
    h("th", { scope: "row" }, h("a", { href: `#/closes/${close.settlement_id}` }, jalaliText(close.day_jalali)),
      close.late.lines > 0 && h("small", { class: "late-mark" }, t("lateMark", { count: digits(close.late.lines) }))),
    h("td", {}, rial(close.opening_rial)), h("td", {}, rial(moved)), h("td", {}, rial(close.closing_rial)),
    h("td", {}, close.transfer_rial === "0" ? "—" : rial(close.transfer_rial)),
    h("td", {}, verdict("close", close.status)));
}

function moreButton(rows, first, officer) {
  let cursor = first;
  const button = h("button", { type: "button", class: "button", id: "more-closes" }, icon("down"), t("moreCloses"));
  button.addEventListener("click", async () => {
    try {
      const next = await busy(button, t("working"), () => call("GET", officer.here(`/settlements?cursor=${cursor}`)));
      rows.append(...next.settlements.map(row));
      announce(t("moreCloses"));
      cursor = next.cursor;
      if (!cursor) button.remove();
    } catch (problem) {
      button.before(problemBox(problem));
    }
  });
  return button;
}
