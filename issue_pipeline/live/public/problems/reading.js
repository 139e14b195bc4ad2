// Reading problems: what is asked of the server, and no more.

import { PAGE_RECORDS, countOf, list, newestDay, recordOf } from "../api.js";
import { folded } from "../folded_text.js";
import { CATEGORIES, IMPACTS, SOURCES } from "../format.js";
import { SINCE_YESTERDAY, SPANS } from "./address.js";
import { STATES } from "./states.js";

const ROW_FIELDS = [
  "id",
  "title",
  "description",
  "category",
  "impact",
  "would_pay",
  "state",
  "first_seen",
  "last_seen",
  "days_seen",
  "posts",
  "posts_7d",
  "posts_30d",
  "posts_week_before",
  "comparable",
  "reach",
  "days",
].join();
const ISSUE_FIELDS = "id,issue_date,title,size,complete";
const MAX_ISSUES = 5 * PAGE_RECORDS;
const MAX_WORDS = 6;
const MAX_WORD = 60;
const POSTS = "issues_via_problem.issue_evidence_via_issue";

/**
 * The condition of a view, as PocketBase's filter.
 *
 * Every word must stand in title or description, or in one and the same post. Words are folded; so is
 * `search`, which records have whose text is not ASCII alone.
 */
function conditionOf(view, newest) {
  const { span, state, category, impact, source, pay, query } = view;
  const conditions = [`${SPANS[span].field} > 0`];
  if (state === SINCE_YESTERDAY) conditions.push(`first_seen = '${newest}'`);
  else if (state) conditions.push(equals("state", state, STATES));
  if (category) conditions.push(equals("category", category, CATEGORIES));
  if (impact) conditions.push(equals("impact", impact, IMPACTS));
  if (source) conditions.push(Object.hasOwn(SOURCES, source) ? `sources.${source} > 0` : NOTHING);
  if (pay) conditions.push("would_pay = true");
  for (const word of wordsOf(query))
    conditions.push(
      `(title ~ "${word}" || description ~ "${word}" || search ~ "${word}"` +
        ` || ${POSTS}.title ?~ "${word}" || ${POSTS}.snippet ?~ "${word}"` +
        ` || ${POSTS}.search ?~ "${word}")`,
    );
  return conditions.join(" && ");
}

// What an address names and nobody knows matches nothing.
const NOTHING = "id = ''";
const equals = (field, value, known) =>
  Object.hasOwn(known, value) ? `${field} = '${value}'` : NOTHING;

// Quotes and backslashes would end the text in a filter, and "%" stands for anything.
const wordsOf = (query) =>
  [...new Set(folded(query).split(/[\s"\\%\u0000-\u001f]+/).filter(Boolean))]
    .slice(0, MAX_WORDS)
    .map((word) => word.slice(0, MAX_WORD));

/** The first `rows` problems of a view, in its order. */
export async function problemsOf(view, newest, rows) {
  const filter = conditionOf(view, newest);
  const { field } = SPANS[view.span];
  const sort = {
    reports: `-${field},-posts,id`,
    growth: `-growth,-${field},-posts,id`,
    newest: `-first_seen,-${field},id`,
  }[view.order];
  const { items } = await list("problems", {
    filter,
    sort,
    perPage: rows,
    fields: ROW_FIELDS,
    skipTotal: 1,
  });
  return items;
}

/** How many problems a view has in all, and in the states that stand above the list. */
export async function countsOf(view, newest, states) {
  const [all, ...counts] = await Promise.all(
    [view.state, ...states].map((state) =>
      countOf("problems", conditionOf({ ...view, state }, newest)),
    ),
  );
  return { all, byState: new Map(states.map((state, place) => [state, counts[place]])) };
}

/** Whether there is any problem at all; none where the server knows of no such collection. */
export async function hasProblems() {
  try {
    const { items } = await list("problems", { perPage: 1, fields: "id", skipTotal: 1 });
    return items.length > 0;
  } catch (error) {
    if (error.status === 404) return false;
    throw error;
  }
}

/** The first day of all problems, or null. */
export async function firstDay() {
  const query = { sort: "first_seen", perPage: 1, fields: "first_seen", skipTotal: 1 };
  return (await list("problems", query)).items[0]?.first_seen ?? null;
}

/** Days from one to another that lack a source, in order; the newest thousand issues say it. */
export async function incompleteDays(first, last) {
  const { items } = await list("issues", {
    filter: `complete = false && issue_date >= '${first}' && issue_date <= '${last}'`,
    sort: "-issue_date",
    fields: "issue_date",
    perPage: PAGE_RECORDS,
    skipTotal: 1,
  });
  return [...new Set(items.map((issue) => issue.issue_date))].sort();
}

/** A problem, or the one that an old id lives on in, or null. */
export async function problemOf(id) {
  const problem = await recordOf("problems", id);
  if (problem !== null) return problem;
  const alias = await recordOf("problem_aliases", id);
  return alias && recordOf("problems", alias.problem);
}

/** A problem's issues, newest day first, the largest of a day first. */
export async function issuesOf(id) {
  const issues = [];
  for (let page = 1; issues.length < MAX_ISSUES; page += 1) {
    const { items } = await list("issues", {
      filter: `problem = '${id}'`,
      sort: "-issue_date,-size,id",
      fields: ISSUE_FIELDS,
      page,
      perPage: PAGE_RECORDS,
      skipTotal: 1,
    });
    issues.push(...items);
    if (items.length < PAGE_RECORDS) break;
  }
  return issues;
}

export { newestDay };
