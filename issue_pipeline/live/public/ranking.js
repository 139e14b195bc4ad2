// Which issues are shown, and in what order.

import { folded } from "./folded_text.js";

const IMPACT_WEIGHT = { high: 3, medium: 2, low: 1 };
const WOULD_PAY_FACTOR = 1.5;

// Other themes are no part of the ranking: they come after the problems.
const ranked = (order) => (a, b) => isProblem(b) - isProblem(a) || order(a, b);
const byImportance = (a, b) => importance(b) - importance(a) || b.size - a.size || byId(a, b);

export const ORDERS = {
  important: ranked(byImportance),
  reports: ranked((a, b) => b.size - a.size || byImportance(a, b)),
  newest: ranked((a, b) => byDay(b, a) || byImportance(a, b)),
};

/** Whether the posts of an issue report a problem; else they share another theme. */
export const isProblem = (issue) => issue.is_problem !== false;

/** How much an issue matters; the page says the same in words. */
export function importance(issue) {
  return issue.size * (IMPACT_WEIGHT[issue.impact] ?? 1) * (issue.would_pay ? WOULD_PAY_FACTOR : 1);
}

const byDay = (a, b) => (a.issue_date < b.issue_date ? -1 : Number(a.issue_date > b.issue_date));
// Ties keep their places from one reading to the next.
const byId = (a, b) => (a.id < b.id ? -1 : 1);

/** Whether an issue passes every filter but the category, whose choices show what is left in each. */
export function matcher({ query, impact, source, pay, others }) {
  const words = folded(query).split(/\s+/).filter(Boolean);
  return (issue) =>
    (others || isProblem(issue)) &&
    (!impact || issue.impact === impact) &&
    (!source || issue.sources?.[source] > 0) &&
    (!pay || issue.would_pay === true) &&
    (words.length === 0 || words.every((word) => searchText(issue).includes(word)));
}

const searchTexts = new WeakMap();

// Folded once for each issue, not at every letter that is typed.
function searchText(issue) {
  let text = searchTexts.get(issue);
  if (text === undefined) {
    text = folded(`${issue.title} ${issue.description}`);
    searchTexts.set(issue, text);
  }
  return text;
}
