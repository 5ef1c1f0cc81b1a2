// Whether events reach the city: state, what to do about it, the secret, and the last attempts with what came back.
import { fill, h } from "/common/dom.js";
import { asciiDigits, clock, dateTime, digits, longDate } from "/common/text.js";
import { call } from "/common/desk/service/api.js";
import { confirmed } from "/common/desk/page/confirm.js";
import { addWords, t } from "/common/desk/words/messages.js";
import { announce, busy, loading, problemBox, retryBox } from "/common/desk/page/shell.js";
import { endpointOf, outcome } from "../endpoint.js";
import { facts, field, notice, reasonField, sendForm, shownOnce, table, verdict, when } from "../pieces.js";
import { HEALTH } from "../words/health.js";
import { ONBOARDING } from "../words/onboarding.js";
import { openOnes } from "./onboarding/changes.js";

addWords(ONBOARDING, HEALTH);

export async function show(main, shown) {
  const { signal, officer } = shown;
  const again = () => show(main, shown);
  if (!main.querySelector("#health-news")) fill(main, loading());
  try {
    const endpoint = await endpointOf(officer.here);
    if (!endpoint) {
      if (!signal.aborted) fill(main, h("section", { class: "card narrow" }, h("h1", { tabindex: "-1" }, t("healthTitle2")), h("p", {}, t("healthNoEndpoint")), h("div", { class: "actions" }, h("a", { class: "button primary", href: "#/onboarding/events", id: "register" }, t("registerAddress")))));
      return;
    }
    const [{ attempts }, { changes }] = await Promise.all([call("GET", officer.here("/webhook/attempts")), call("GET", officer.here("/changes"))]);
    if (!signal.aborted) draw(main, endpoint, attempts, openOnes(changes, ["webhook_secret", "webhook_url"], { officer, again }), { officer, again });
  } catch (problem) {
    if (!signal.aborted) fill(main, retryBox(problem, again));
  }
}

function draw(main, endpoint, attempts, open, shown) {
  const may = shown.officer.can("webhooks.write");
  fill(main,
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, t("healthTitle2")), verdict("endpoint", endpoint.status, "endpoint-state")),
    h("div", { class: "form-message", id: "health-news" }),
    h("div", { class: "columns" },
      h("section", { class: "card" }, h("h2", {}, t("stateTitle")), standing(endpoint), h("div", { class: "actions" }, actions(endpoint, may, shown))),
      h("section", { class: "card", id: "secrets" }, h("h2", {}, t("secretTitle")), secrets(endpoint), may && !endpoint.next_secret_generation && rotation(shown)),
      open.length > 0 && h("section", { class: "card" }, h("h2", {}, t("openChangesTitle")), open),
      may && endpoint.url && endpoint.head > 0 && h("section", { class: "card" }, h("h2", {}, t("replayTitle")), h("p", { class: "soft" }, t("replayLead")), replay(endpoint, shown)),
      h("section", { class: "card wide", id: "attempts" }, h("h2", {}, t("attemptsTitle")), attemptsTable(attempts))));
  main.querySelector("h1").focus({ preventScroll: true });
}

function standing(endpoint) {
  const { delivered_sequence: delivered, head, failing_since_at: since, next_try_at: next, failures } = endpoint;
  const of = t("deliveredOf", { delivered: digits(delivered), head: digits(head) });
  return [
    facts([t("address"), h("bdi", { class: "id" }, endpoint.url ?? endpoint.candidate_url)], [t("delivered"), h("span", { id: "delivered" }, of)],
      [t("failingSince"), since && h("span", {}, when(since), "، ", t("inARow", { count: digits(failures) }))],
      [t("nextTry"), next && when(next)], [t("registeredAt"), longDate(endpoint.registered_at)]),
    head > 0 && h("progress", { max: head, value: delivered, "aria-label": of }),
    delivered < head && h("p", { class: since ? "owed" : "soft" }, t("waiting", { count: digits(head - delivered) })),
  ];
}

function actions(endpoint, may, { officer, again }) {
  /** The button stays busy until the page is drawn anew: a second press in between would send it twice. */
  const thenAgain = async (path) => {
    const answer = await call("POST", officer.here(`/webhook/${path}`), { body: {} });
    await again();
    return answer;
  };
  const button = (id, label, work, kind = "") => {
    const made = h("button", { type: "button", class: `button ${kind}`, id }, t(label));
    made.addEventListener("click", async () => {
      try {
        await work(made);
      } catch (problem) {
        say(problemBox(problem));
      }
    });
    return made;
  };
  const troubled = endpoint.status !== "active" || endpoint.failures > 0;
  return [
    may && endpoint.url && troubled && button("resume", "resume", async (made) => {
      await busy(made, t("working"), () => thenAgain("resumptions"));
      say(notice("good", t("resumed")), t("resumed"));
    }, "primary"),
    may && button("test", "testMessage", async (made) => {
      const attempt = await busy(made, t("working"), () => thenAgain("tests"));
      const says = t("testTold", { what: outcome(attempt), ms: digits(attempt.elapsed_ms) });
      say(notice(attempt.status >= 200 && attempt.status < 300 ? "good" : "warn", says), says);
    }),
    button("refresh", "refreshHealth", (made) => busy(made, t("working"), again), "quiet"),
    may && endpoint.url && endpoint.status !== "stopped" && button("stop", "stop", async (made) => {
      if (!(await confirmed({ title: t("stopTitle"), text: t("stopText"), action: t("stop") }))) return made.focus();
      await busy(made, t("working"), () => thenAgain("stops"));
      return say(notice("warn", t("stopped")), t("stopped"));
    }, "quiet"),
  ];
}

function secrets(endpoint) {
  const { secret_generation: generation, next_secret_generation: next } = endpoint;
  return [
    h("p", {}, t("secretNow", { generation: digits(generation) })),
    next && h("p", {}, t("secretBoth", { next: digits(next) })),
    facts([t("secretEnds"), endpoint.next_secret_from_at && when(endpoint.next_secret_from_at)], [t("secretOverlap"), endpoint.secret_overlap_until_at && when(endpoint.secret_overlap_until_at)]),
  ];
}

function rotation({ officer, again }) {
  return h("details", { class: "more", id: "rotation" }, h("summary", {}, t("rotateDo")), h("p", { class: "soft" }, t("rotateLead")), sendForm("rotate", {
    fields: reasonField("rotate-reason"), action: t("rotateDo"), primary: false,
    // without a key: a repetition by itself would lose the secret, which is shown once
    send: async ({ reason }) => (await confirmed({ title: t("rotateTitle"), text: t("rotateText"), action: t("rotateDo") })) ? call("POST", officer.here("/webhook/rotations"), { body: { reason } }) : null,
    done: async (told) => {
      if (!told) return;
      await again();
      say(shownOnce("secret", told.secret, t("newSecret")), t("newSecret"));
    },
  }));
}

function replay(endpoint, { officer, again }) {
  const { head } = endpoint;
  const numbered = (text) => {
    const plain = asciiDigits(text);
    return /^[1-9][0-9]{0,11}$/.test(plain) && Number(plain) <= head ? Number(plain) : null;
  };
  return sendForm("replay", {
    fields: field(t("fromSequence"), h("input", { id: "from-sequence", name: "from", dir: "ltr", inputmode: "numeric", maxlength: 12, autocomplete: "off" })),
    action: t("replayDo"), primary: false,
    check: ({ from }) => numbered(from) === null ? ["from", t("needSequence", { head: digits(head) })] : null,
    send: async ({ from }) => {
      const first = numbered(from);
      const text = t("replayConfirmText", { from: digits(first), head: digits(head) });
      const wanted = await confirmed({ title: t("replayConfirmTitle", { count: digits(head - first + 1) }), text, action: t("replayDo") });
      return wanted ? { first, told: await call("POST", officer.here("/events/replay"), { body: { from_sequence: first } }) } : null;
    },
    done: async (done) => {
      if (!done) return;
      await again();
      const says = t("replayed", { from: digits(done.first) });
      say(notice("good", says), says);
    },
  });
}

function attemptsTable(attempts) {
  if (attempts.length === 0) return h("p", { class: "soft" }, t("noAttempts"));
  return table(t("attemptsTitle"), ["atHead", "eventHead", "outcomeHead", "tookHead", "toHead", "answerHead"].map((key) => t(key)), attempts.map((attempt) => {
    const good = attempt.status >= 200 && attempt.status < 300;
    return h("tr", { dataset: { attempt: attempt.event_id } },
      h("td", {}, h("time", { datetime: attempt.at, title: dateTime(attempt.at) }, longDate(attempt.at), " ", h("span", { class: "number" }, clock(attempt.at)))),
      h("td", {}, attempt.sequence ? h("span", { class: "number" }, digits(attempt.sequence)) : t("challengeOrTest")),
      h("td", {}, h("span", { class: `verdict verdict-${good ? "done" : "failed"}` }, outcome(attempt))),
      h("td", {}, t("milliseconds", { ms: digits(attempt.elapsed_ms) })),
      h("td", {}, h("bdi", { class: "id" }, attempt.address)),
      h("td", {}, attempt.answer && h("bdi", { class: "id excerpt" }, attempt.answer)));
  }));
}

/** `content` above the page as it stands now; `says` is read aloud. */
function say(content, says = null) {
  const news = document.getElementById("health-news");
  if (news) fill(news, content);
  if (says) announce(says);
}
