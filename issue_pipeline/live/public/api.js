// Reading the two collections over PocketBase's API.

const TIMEOUT_MS = 15_000;
const PAGE_RECORDS = 500;
// Days that the picker offers; older ones open through their address (`?day=`).
const MAX_DAYS = 400;
const ID = /^[a-z0-9]{15}$/;

/** All issues of a day. */
export async function issuesOfDay(day) {
  const issues = [];
  for (let page = 1; ; page += 1) {
    const { items } = await list("issues", {
      filter: `issue_date = '${day}'`,
      sort: "id",
      page,
      perPage: PAGE_RECORDS,
      skipTotal: 1,
    });
    issues.push(...items);
    if (items.length < PAGE_RECORDS) return issues;
  }
}

/** One page of an issue's evidence, most voted first: `{items, totalItems}`. */
export function evidencePage(issueId, page, perPage) {
  if (!ID.test(issueId)) throw new Error(`Not a record id: ${issueId}`);
  return list("issue_evidence", {
    filter: `issue = '${issueId}'`,
    sort: "-votes,-comments,id",
    page,
    perPage,
  });
}

/**
 * The days that have issues, newest first, in portions.
 *
 * There is no "distinct" in the API. A full page of dates either covers many small days or shows
 * that one day is large; either way the next request starts before the last day seen.
 */
export async function* daysWithIssues() {
  let found = 0;
  let before = "";
  while (found < MAX_DAYS) {
    const { items } = await list("issues", {
      filter: before && `issue_date < '${before}'`,
      sort: "-issue_date",
      fields: "issue_date",
      perPage: PAGE_RECORDS,
      skipTotal: 1,
    });
    if (items.length === 0) return;
    const days = [...new Set(items.map((item) => item.issue_date))];
    yield days;
    if (items.length < PAGE_RECORDS) return;
    found += days.length;
    before = days.at(-1);
  }
}

async function list(collection, query) {
  const address = `/api/collections/${collection}/records?${new URLSearchParams(query)}`;
  const reply = await fetch(address, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    cache: "no-store",
  });
  if (!reply.ok) throw new Error(`The server answered ${reply.status} for ${collection}.`);
  return reply.json();
}
