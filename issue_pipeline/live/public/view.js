// What the view of days shows: a span of days and filters, as they stand in the address.

import { isId } from "./api.js";
import { isDay } from "./format.js";
import { ORDERS } from "./ranking.js";

const DAY_MS = 86_400_000;
const NO_FILTERS = { query: "", category: "", impact: "", source: "", pay: false };
const OTHERS = "others"; // lets more through, so it is no filter
const NAMES = [
  "day",
  "from",
  "to",
  "category",
  "impact",
  "source",
  "pay",
  OTHERS,
  "q",
  "order",
  "issue",
];

export const noFilters = () => ({ ...NO_FILTERS });

/** Whether any filter is set; the order is none. */
export function isFiltered(view) {
  return Object.keys(NO_FILTERS).some((name) => view[name] !== NO_FILTERS[name]);
}

/** How many filters are set, not counting the search. */
export const filtersSet = (view) =>
  Object.keys(NO_FILTERS).filter((name) => name !== "query" && view[name] !== NO_FILTERS[name])
    .length + Number(view.others);

/** Read a view from an address; days are null where it names none. */
export function readView(search) {
  const query = new URLSearchParams(search);
  const day = query.get("day");
  let [from, to] = [query.get("from") ?? day, query.get("to") ?? day];
  if (!isDay(to)) to = null;
  if (!isDay(from) || to === null) from = to;
  if (from > to) [from, to] = [to, from];
  const order = query.get("order");
  const issue = query.get("issue") ?? "";
  return {
    from,
    to,
    query: query.get("q") ?? "",
    category: query.get("category") ?? "",
    impact: query.get("impact") ?? "",
    source: query.get("source") ?? "",
    pay: query.get("pay") === "yes",
    others: query.get(OTHERS) === "yes",
    order: Object.hasOwn(ORDERS, order) ? order : "important",
    issue: isId(issue) ? issue : "",
  };
}

/** Whether an address names anything of this view. */
export function namesDays(search) {
  const query = new URLSearchParams(search);
  return NAMES.some((name) => query.has(name));
}

/** The address of a view, without the host. */
export function addressOf(view) {
  const query = new URLSearchParams();
  if (view.from !== view.to) {
    query.set("from", view.from);
    query.set("to", view.to);
  } else if (view.to !== null) query.set("day", view.to);
  for (const name of ["category", "impact", "source"]) if (view[name]) query.set(name, view[name]);
  if (view.pay) query.set("pay", "yes");
  if (view.others) query.set(OTHERS, "yes");
  if (view.query.trim()) query.set("q", view.query.trim());
  if (view.order !== "important") query.set("order", view.order);
  if (view.issue) query.set("issue", view.issue);
  const text = String(query);
  return location.pathname + (text && `?${text}`);
}

/** The address of one issue on its day. */
export function addressOfIssue(issue) {
  return `?${new URLSearchParams({ day: issue.issue_date, issue: issue.id })}`;
}

/** How many days a span has. */
export const spanDays = ({ from, to }) => (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;

const FIRST_DAY = new Date("2000-01-01");

/** The first day of a span that ends on a day; none is before 2000, as in the field for it. */
export function spanStart(to, days) {
  const first = new Date(Date.parse(to) - (days - 1) * DAY_MS);
  return first < FIRST_DAY ? "2000-01-01" : first.toISOString().slice(0, 10);
}
