// One attempt, one idempotency key: kept until the service has answered, so that a repetition does nothing twice.
import { call } from "./api.js";

const waiting = new Map();

/**
 * The answer of a write that happens once, however often it is sent: the same body under the same name is the same
 * attempt until there is an answer. No answer (network, 5xx) keeps the key; a refusal (4xx) decided nothing and drops it.
 * Keys live in memory; with `lasting` the key outlives a reload of this tab, and `name` must then say nothing of a person.
 */
export async function once(name, method, path, body, { lasting = false } = {}) {
  const shelf = lasting ? stored : inMemory;
  const content = lasting ? "" : JSON.stringify(body);
  const held = shelf.get(name);
  const key = held && held.content === content ? held.key : crypto.randomUUID();
  shelf.set(name, { key, content });
  try {
    const answer = await call(method, path, { body, idempotencyKey: key });
    if (!lasting) shelf.delete(name);
    return answer;
  } catch (problem) {
    if (problem.status >= 400 && problem.status < 500) shelf.delete(name);
    throw problem;
  }
}

const inMemory = { get: (name) => waiting.get(name), set: (name, held) => waiting.set(name, held), delete: (name) => waiting.delete(name) };

const PREFIX = "avarez.attempt.";
const stored = {
  get: (name) => {
    const key = sessionStorage.getItem(PREFIX + name);
    return key ? { key, content: "" } : null;
  },
  set: (name, { key }) => sessionStorage.setItem(PREFIX + name, key),
  delete: (name) => sessionStorage.removeItem(PREFIX + name),
};

/** Every attempt whose name begins so is over: the next one is new. */
export function forget(prefix) {
  for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX + prefix)) sessionStorage.removeItem(name);
  for (const name of waiting.keys()) if (name.startsWith(prefix)) waiting.delete(name);
}
