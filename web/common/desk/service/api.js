// The contract's calls, with the token, the language, time limits, and one place where a lost session is mended.
import { language } from "/common/text.js";
import { has, t } from "../words/messages.js";

/** Each kind of session has its own: an owner at his page does not sign a clerk out in the same tab. */
const SESSION_KEY = document.documentElement.dataset.session ?? "avarez.session";
const TIMEOUT_MS = 30_000;
/** Refresh this long before the access token ends. */
const REFRESH_MARGIN_MS = 60_000;
/** Reads are repeated after these pauses when the service is busy or a connection breaks; writes with a key when it breaks. */
const READ_RETRY_MS = [300, 1200];

/** A refusal or failure; `message` reads in the page's current language as far as we know it. */
export class Problem extends Error {
  constructor({ status = 0, code = "unknown", body = null, retryAfter = null }) {
    super(code);
    this.status = status;
    this.code = code;
    this.body = body ?? {};
    this.retryAfter = retryAfter;
    this.spokenIn = language();
  }

  /** The sentence to show: the server's own when it is in this language, else ours for the code. */
  text() {
    const theirs = this.body.detail ?? this.body.title;
    if (theirs && this.spokenIn === language()) return theirs;
    return has(`error.${this.code}`) ? t(`error.${this.code}`) : theirs ?? t("error.unknown");
  }

  /** The server's sentences about single fields: `[{pointer, code, message}]`. */
  get fields() {
    return Array.isArray(this.body.errors) ? this.body.errors : [];
  }
}

let session = readSession();
let mend = () => Promise.reject(new Problem({ status: 401, code: "unauthorized" }));
let refreshing = null;

function readSession() {
  try {
    return JSON.parse(sessionStorage.getItem(SESSION_KEY));
  } catch {
    return null;
  }
}

function keep(next) {
  session = next;
  if (next) sessionStorage.setItem(SESSION_KEY, JSON.stringify(next));
  else sessionStorage.removeItem(SESSION_KEY);
}

/** `{username}` of who is signed in, or null. */
export function signedIn() {
  return session;
}

/** What the access token says of its bearer, to show by; the service alone decides. Empty where there is none to read. */
export function claims() {
  try {
    const bytes = Uint8Array.from(atob(session.access.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}

/** `again` is called when a session is beyond refreshing; it resolves once somebody has signed in again. */
export function onSessionLost(again) {
  mend = again;
}

export async function signIn(username, password) {
  const answer = await send("POST", "/v1/tokens", { body: { username, password }, anonymous: true });
  keepTokens(username, answer);
}

/** A session without an account, which `method path` gives for `body`: its token, and until when. */
export async function begin(method, path, body, session) {
  const answer = await send(method, path, { body, anonymous: true });
  keep({ username: "", refresh: null, ...session(answer) });
}

/** The answer to somebody who has not signed in. */
export function askUnsigned(method, path, body) {
  return send(method, path, { body, anonymous: true });
}

export function signOut() {
  keep(null);
}

function keepTokens(username, answer) {
  keep({
    username,
    access: answer.access_token,
    refresh: answer.refresh_token ?? session?.refresh ?? null,
    until: Date.now() + Number(answer.expires_in ?? 3600) * 1000,
  });
}

async function refresh() {
  refreshing ??= (async () => {
    const { username, refresh: token } = session;
    try {
      keepTokens(username, await send("POST", "/v1/tokens", { body: { refresh_token: token }, anonymous: true }));
      return true;
    } catch (problem) {
      if (problem.status >= 400 && problem.status < 500) keep({ ...session, refresh: null });
      return false;
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}

/** The parsed answer of `method path`; throws Problem. A 401 asks for a new sign-in and then goes on. */
export async function call(method, path, options = {}) {
  if (!session) await mend();
  if (session.refresh && Date.now() > session.until - REFRESH_MARGIN_MS) await refresh();
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await send(method, path, options);
    } catch (problem) {
      if (problem.status === 401) {
        if (!(attempt === 0 && session?.refresh && (await refresh()))) await mend();
      } else {
        const again = method === "GET" ? [0, 429, 503].includes(problem.status) : options.idempotencyKey && problem.code === "network";
        if (!again || attempt >= READ_RETRY_MS.length) throw problem;
        await pause(READ_RETRY_MS[attempt]);
      }
    }
  }
}

async function send(method, path, { body, idempotencyKey, anonymous = false, accept = "application/json", file = false } = {}) {
  const headers = { accept, "accept-language": language() };
  if (!anonymous && session) headers.authorization = `Bearer ${session.access}`;
  if (idempotencyKey) headers["idempotency-key"] = idempotencyKey;
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new Problem({ code: error.name === "TimeoutError" ? "timeout" : "network" });
  }
  if (response.ok && file) return { blob: await response.blob(), name: fileName(response) };
  const type = response.headers.get("content-type") ?? "";
  if (response.ok && type.startsWith("application/pdf")) return { pdf: await response.blob() };
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer ?? {};
  throw new Problem({
    status: response.status,
    code: answer?.code ?? codeOf(response.status),
    body: answer?.code ? answer : null,
    retryAfter: Number(response.headers.get("retry-after")) || null,
  });
}

function fileName(response) {
  return /filename="([^"/\\]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? null;
}

// The API's own answers (authorizer, throttling) carry no code of ours: go by the status.
function codeOf(status) {
  if (status === 403) return "forbidden";
  if (status === 429 || status === 503) return "busy";
  return "unknown";
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
