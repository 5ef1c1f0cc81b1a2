// The console's sections in the order of the bar: one row for each, and nothing else names them.

/**
 * `load` brings the module; its `show(main, { id, signal, officer })` draws the section into `main` and may be called again at any
 * time. `id` is what the address names (`#/closes/st_…`), `signal` is aborted when the reader goes elsewhere, `officer` is who
 * asks ([officer.js](officer.js)). A module brings its own words by `addWords`. `style` is a sheet that it needs besides, if any.
 */
export const SECTIONS = [
  { name: "overview", label: "navOverview", load: () => import("./views/overview.js") },
  { name: "closes", label: "navCloses", load: () => import("./views/closes.js") },
  { name: "receivables", label: "navReceivables", load: () => import("./views/receivables.js"), style: "/city/figures.css" },
  { name: "tariff", label: "navTariff", load: () => import("./views/tariff.js"), style: "/city/figures.css" },
  { name: "roll", label: "navRoll", load: () => import("./views/roll.js"), style: "/city/figures.css" },
  { name: "onboarding", label: "navOnboarding", load: () => import("./views/onboarding.js") },
  { name: "health", label: "navHealth", load: () => import("./views/health.js") },
  { name: "refunds", label: "navRefunds", load: () => import("./views/refunds.js") },
  { name: "objections", label: "navObjections", load: () => import("./views/objections.js") },
  { name: "budget", label: "navBudget", load: () => import("./views/budget.js") },
];
