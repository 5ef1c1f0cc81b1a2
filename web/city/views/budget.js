// The city's plan and actuals of a fiscal year: read, changed and published as the next version.
import { fill, h } from "/common/dom.js";
import { asciiDigits, dateTime, digits, language, money, sumRial, todayJalali } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { addWords, t } from "/common/desk/words/messages.js";
import { announce, loading, retryBox } from "/common/desk/page/shell.js";
import { field, notice, sendForm } from "../pieces.js";
import { BUDGET } from "../words/budget.js";

addWords(BUDGET);
const PARTS = ["plan", "actual"];

export async function show(main, shown) {
  const year = /^\d{4}$/.test(shown.id ?? "") ? shown.id : todayJalali().slice(0, 4);
  fill(main, loading());
  try {
    const told = await call("GET", shown.officer.here(`/budgets/${year}`));
    if (!shown.signal.aborted) draw(main, told, shown);
  } catch (problem) {
    if (!shown.signal.aborted) fill(main, retryBox(problem, () => show(main, shown)));
  }
}

function draw(main, told, shown, news = null) {
  const now = Number(todayJalali().slice(0, 4));
  const years = [...new Set([now + 1, now, now - 1, now - 2, now - 3, now - 4, told.year])].sort((a, b) => b - a);
  const pick = h("select", { id: "budget-year", onchange: (event) => { location.hash = `#/budget/${event.target.value}`; } },
    years.map((year) => h("option", { value: year, selected: year === told.year }, digits(year))));
  fill(main, h("section", { class: "card" },
    h("h1", { tabindex: "-1" }, t("budgetTitle")), h("p", { class: "soft" }, t("budgetLead")),
    field(t("budgetYear"), pick), h("div", { id: "budget-news" }, news),
    shown.officer.can("budgets.write") && form(main, told, shown, now),
    history(told)));
  main.querySelector("h1").focus({ preventScroll: true });
}

const amount = (text) => asciiDigits(text).replace(/[\s٬,،_]/g, "");

function form(main, told, shown, now) {
  const before = (part, code) => told.budget?.[part]?.lines.find((line) => line.category === code);
  const parts = PARTS.filter((part) => part === "plan" || told.year <= now);
  const totals = new Map(parts.map((part) => [part, h("td", {}, "")]));
  const grouped = (event) => {
    const plain = amount(event.target.value);
    if (/^\d+$/.test(plain)) event.target.value = money(plain);
  };
  const cell = (part, of) => h("td", {}, h("input", {
    onchange: grouped,
    name: `${part}.${of.code}`, id: `${part}-${of.code}`, inputmode: "numeric", dir: "ltr", autocomplete: "off", maxlength: 30, class: "rial",
    "aria-label": `${title(of)}، ${t(part === "plan" ? "budgetPlan" : "budgetActual")}`, value: money(before(part, of.code)?.rial ?? ""),
  }));
  const note = (of) => {
    const name = `text_${language()}`;
    const text = [before("actual", of.code), before("plan", of.code)].find((line) => line?.[name])?.[name] ?? "";
    return h("td", {}, h("input", { name: `text.${of.code}`, dir: "auto", maxlength: 200, autocomplete: "off", "aria-label": `${title(of)}، ${t("budgetText")}`, value: text }));
  };
  const rows = told.categories.map((of) => h("tr", {}, h("th", { scope: "row" }, title(of)), parts.map((part) => cell(part, of)), note(of)));
  const grid = h("div", { class: "table-place", tabindex: "0", role: "region", "aria-label": t("budgetTitle") }, h("table", { class: "table budget" },
    h("caption", { class: "visually-hidden" }, t("budgetTitle")),
    h("thead", {}, h("tr", {}, [t("budgetCategory"), ...parts.map((part) => t(part === "plan" ? "budgetPlan" : "budgetActual")), t("budgetText")].map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, rows),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, t("budgetTotal")), parts.map((part) => totals.get(part)), h("td", {})))));
  const made = sendForm(`budget-${told.year}`, {
    fields: [grid], action: t("budgetPublish"),
    check: (values) => wrong(values, told, parts),
    send: (values) => call("PUT", shown.officer.here(`/budgets/${told.year}`), { body: body(values, told, parts) }),
    done: (answer) => {
      const said = t("budgetPublished", { version: digits(answer.version) });
      draw(main, answer, shown, notice("good", said, " ", h("a", { href: `/open#/city/${answer.municipality}/budget` }, t("budgetSee"))));
      announce(said);
    },
  });
  const count = () => parts.forEach((part) => {
    const filled = told.categories.map((of) => amount(made.elements[`${part}.${of.code}`].value)).filter((text) => /^\d+$/.test(text));
    fill(totals.get(part), h("span", { class: "number" }, money(sumRial(filled))));
  });
  made.addEventListener("input", count);
  count();
  return made;
}

const title = (of) => (language() === "fa" ? of.title_fa : of.title_en);

function wrong(values, told, parts) {
  for (const part of parts) {
    const bad = told.categories.find((of) => !/^\d{0,17}$/.test(amount(values[`${part}.${of.code}`])));
    if (bad) return [`${part}.${bad.code}`, t("budgetNotNumber")];
  }
  const first = told.categories[0].code;
  return told.categories.some((of) => values[`plan.${of.code}`] !== "") ? null : [`plan.${first}`, t("budgetEmpty")];
}

/** What is sent; a note of the other language stays as it was. */
function body(values, told, parts) {
  const [mine, other] = language() === "fa" ? ["text_fa", "text_en"] : ["text_en", "text_fa"];
  const lines = (part) => told.categories.filter((of) => values[`${part}.${of.code}`] !== "").map((of) => {
    const kept = told.budget?.[part]?.lines.find((line) => line.category === of.code)?.[other] ?? "";
    return { category: of.code, rial: String(BigInt(amount(values[`${part}.${of.code}`]))), [mine]: values[`text.${of.code}`], [other]: kept };
  });
  const told_of = (part) => {
    const listed = parts.includes(part) ? lines(part) : [];
    return listed.length ? { total_rial: sumRial(listed.map((line) => line.rial)), lines: listed } : null;
  };
  return { replaces: told.version, plan: told_of("plan"), actual: told_of("actual") };
}

function history(told) {
  const items = told.versions.slice().reverse().map((of) => h("li", {}, h("a", { href: of.files.json }, digits(of.version)), " – ",
    dateTime(of.published_at), " – ", h("bdi", {}, of.by)));
  return h("section", { class: "versions" }, h("h2", {}, t("budgetVersions")), items.length ? h("ul", {}, items) : h("p", { class: "empty" }, t("budgetNone")));
}
