// Reading the collections over PocketBase's API.

const TIMEOUT_MS = 15_000;
export const PAGE_RECORDS = 1000; // the most that the server gives at once
// Days that the picker offers; older ones open through their address (`?day=`).
const MAX_DAYS = 400;
const MAX_DAY_REQUESTS = 60;
const ID = /^[a-z0-9]{15}$/;

export const isId = (text) => ID.test(text);

/**
 * All issues of the days `from` to `to`, in portions, largest first.
 *
 * Each portion starts after the last issue seen and not at a page number, so that nothing is skipped
 * when issues come and go meanwhile.
 */
export async function* issuesBetween(from, to) {
  const days = `issue_date >= '${from}' && issue_date <= '${to}'`;
  for (let last = null; ; ) {
    const rest = last && ` && (size < ${last.size} || (size = ${last.size} && id > '${last.id}'))`;
    const { items } = await list("issues", {
      filter: days + (rest ?? ""),
      sort: "-size,id",
      perPage: PAGE_RECORDS,
      skipTotal: 1,
    });
    yield items;
    if (items.length < PAGE_RECORDS) return;
    last = items.at(-1);
  }
}

// The posts in the middle of an issue say best what it is about, whatever their votes.
const EVIDENCE_ORDERS = {
  nearest: "distance,-votes,id",
  votes: "-votes,-comments,distance,id",
};

/** One page of an issue's evidence, in the order `nearest` or `votes`: `{items, totalItems}`. */
export function evidencePage(issueId, page, perPage, order) {
  if (!isId(issueId)) throw new Error(`Not a record id: ${issueId}`);
  return list("issue_evidence", {
    filter: `issue = '${issueId}'`,
    sort: EVIDENCE_ORDERS[order],
    page,
    perPage,
  });
}

/** The newest day that has issues, or null. */
export async function newestDay() {
  const { items } = await list("issues", daysQuery("", 1));
  return items[0]?.issue_date ?? null;
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
  for (let request = 0; request < MAX_DAY_REQUESTS && found < MAX_DAYS; request += 1) {
    const { items } = await list("issues", daysQuery(before, PAGE_RECORDS));
    if (items.length === 0) return;
    const days = [...new Set(items.map((item) => item.issue_date))];
    yield days;
    if (items.length < PAGE_RECORDS) return;
    found += days.length;
    before = days.at(-1);
  }
}

function daysQuery(before, perPage) {
  return {
    filter: before && `issue_date < '${before}'`,
    sort: "-issue_date",
    fields: "issue_date",
    perPage,
    skipTotal: 1,
  };
}

/** A page of records: `{items, totalItems}`. */
export function list(collection, query) {
  return read(`${collection}/records?${new URLSearchParams(query)}`);
}

/** How many records pass a filter. */
export async function countOf(collection, filter) {
  return (await list(collection, { filter, perPage: 1, fields: "id" })).totalItems;
}

/** One record, or null where there is none of this id. */
export async function recordOf(collection, id) {
  if (!isId(id)) return null;
  try {
    return await read(`${collection}/records/${id}`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** The server answered, but not with what was asked for; `status` is that of HTTP. */
class RefusedError extends Error {
  constructor(status, address) {
    super(`The server answered ${status} for ${address.replace(/\?.*/, "")}.`);
    this.status = status;
  }
}

async function read(path) {
  // Relative to the page, which a proxy may serve from a folder.
  const address = `api/collections/${path}`;
  const impatience = new AbortController();
  const timer = setTimeout(() => impatience.abort(), TIMEOUT_MS);
  try {
    const reply = await fetch(address, { signal: impatience.signal, cache: "no-store" });
    if (!reply.ok) throw new RefusedError(reply.status, address);
    return await reply.json();
  } finally {
    clearTimeout(timer);
  }
}
