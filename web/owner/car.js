// What the views share of the car: its standing, the quote, the names of cities. In memory only.
import { begin, call, askUnsigned } from "/common/desk/service/api.js";
import { language } from "/common/text.js";

/** Where the tab keeps the id of the payment that is under way; an id says nothing of a person. */
export const PAYMENT_KEY = "avarez.owner.payment";

export const car = { standing: null, quote: null, notice: null, cities: new Map() };

/** Begins a session for the car of this plate and this id. Throws Problem. */
export async function showThatItIsMine(plate, nationalId) {
  clearCar();
  await begin("POST", "/v1/owner/sessions", { plate, national_id: nationalId },
    (answer) => ({ access: answer.owner_token, until: Date.parse(answer.expires_at) }));
}

/** Nothing is known of any car. */
export function clearCar() {
  Object.assign(car, { standing: null, quote: null, notice: null });
}

export function cityName(code) {
  const city = car.cities.get(code);
  return city ? city[language() === "fa" ? "name_fa" : "name_en"] ?? code : code;
}

let asked = null;
/** The names of cities; codes stand in until they are here. */
export function loadCities() {
  asked ??= askUnsigned("GET", "/v1/municipalities").then((answer) => {
    car.cities = new Map(answer.municipalities.map((city) => [city.code, city]));
    for (const node of document.querySelectorAll("[data-city]")) node.textContent = cityName(node.dataset.city);
  }, () => {
    asked = null;
  });
  return asked;
}

export async function readStanding() {
  car.standing ??= await call("GET", "/v1/owner/standing");
  return car.standing;
}
