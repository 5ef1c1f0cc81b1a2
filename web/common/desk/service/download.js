// A file of the service as a file of the reader's: fetched with the token, then saved under its name.
import { h } from "/common/dom.js";
import { call } from "./api.js";

/** The answer of `path` is saved, under the name that the service gives it, else under `name`. */
export async function download(path, name) {
  const { blob, name: given } = await call("GET", path, { file: true, accept: "*/*" });
  save(blob, given ?? name);
}

/** `blob` is saved under `name`. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = h("a", { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}

/** Long enough for the browser to have taken the file over. */
const KEPT_MS = 60_000;
