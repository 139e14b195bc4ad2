// What the list of problems shows, and where a problem is found, as they stand in the address.

export const SPANS = {
  7: { field: "posts_7d", name: "The last 7 days", inWords: "in 7 days" },
  30: { field: "posts_30d", name: "The last 30 days", inWords: "in 30 days" },
  all: { field: "posts", name: "All days", inWords: "in all" },
};
export const ORDERS = {
  reports: "Most reports",
  growth: "Grown most",
  newest: "Newest first",
};
// Of `first_seen`, not of `state`: what the newest day brought that was not there before.
export const SINCE_YESTERDAY = "since-yesterday";

const DEFAULTS = {
  span: "7",
  state: "",
  category: "",
  impact: "",
  source: "",
  pay: false,
  query: "",
  order: "reports",
};
const FILTERS = ["state", "category", "impact", "source", "pay", "query"];

/** No filter set; span and order are none. */
export const noFilters = () => Object.fromEntries(FILTERS.map((name) => [name, DEFAULTS[name]]));

/** How many filters are set. */
export const filtersSet = (view, names = FILTERS) =>
  names.filter((name) => view[name] !== DEFAULTS[name]).length;

/** Those that stand behind the button of a narrow screen. */
export const foldedFilters = (view) =>
  filtersSet(view, ["state", "category", "impact", "source", "pay"]);

/** Read a view from the query within a fragment. */
export function readProblems(text) {
  const query = new URLSearchParams(text);
  const [span, order] = [query.get("span"), query.get("order")];
  const view = { ...DEFAULTS, query: query.get("q") ?? "", pay: query.get("pay") === "yes" };
  for (const name of ["state", "category", "impact", "source"]) view[name] = query.get(name) ?? "";
  if (Object.hasOwn(SPANS, span)) view.span = span;
  if (Object.hasOwn(ORDERS, order)) view.order = order;
  return view;
}

/** The address of a view, without the host. */
export function addressOfProblems(view) {
  const query = new URLSearchParams();
  for (const name of ["span", "state", "category", "impact", "source", "order"])
    if (view[name] !== DEFAULTS[name]) query.set(name, view[name]);
  if (view.pay) query.set("pay", "yes");
  if (view.query.trim()) query.set("q", view.query.trim());
  const text = String(query);
  return `${location.pathname}#/problems${text && `?${text}`}`;
}

/** The address of one problem, relative to the page's. */
export const addressOfProblem = (id) => `./#/problem/${id}`;
