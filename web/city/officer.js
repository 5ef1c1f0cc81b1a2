// Who is signed in, for which city, and what she may do: as her token says it. The service decides; the page only shows by it.
import { call, claims, signedIn } from "/common/desk/service/api.js";
import { language } from "/common/text.js";

/**
 * `{ username, city, here, can }`: `here("/account")` is a path of her city, `can("accounts.write")` whether her account may.
 * `city` is null for somebody who stands for none.
 */
export function officer() {
  const told = claims();
  const scopes = new Set(String(told.scope ?? "").split(" "));
  return {
    username: signedIn()?.username.toLowerCase() ?? "",
    city: told.municipality ?? null,
    here: (path) => `/v1/municipalities/${told.municipality}${path}`,
    can: (scope) => scopes.has(`avarez/${scope}`),
  };
}

let city = null;

/** The city's names are known from any answer that has them (`name_fa`, `name_en`). */
export function learnCity(answer) {
  city = answer;
  showCityName();
}

export function forgetCity() {
  city = null;
}

/** The names are asked for where no answer has told them yet; they are a comfort, and the code stands in meanwhile. */
export async function askCityName(here) {
  if (city) return;
  try {
    learnCity(await call("GET", here("/onboarding")));
  } catch {
    // the next view asks again
  }
}

/** The city's name, in the page's language, wherever it is to stand. */
export function showCityName() {
  const name = (city && (language() === "fa" ? city.name_fa : city.name_en)) || officer().city || "";
  for (const node of document.querySelectorAll("[data-city-name]")) node.textContent = name;
}
