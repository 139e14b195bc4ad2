// A problem's reports by day and source, as the live store keeps them, as rows of numbers.

import { isDay } from "../format.js";

const DAY_MS = 86_400_000;

export const dayAfter = (day, days = 1) =>
  new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);

/**
 * The counts of every day from one to another, both included; 0 where nothing is known.
 *
 * @param days `{"2026-03-10": {"github": 3}}`; what is no day or no number is left out.
 * @returns `[{from, to, sources, total}]`, in order; of each day `from` equals `to`.
 */
export function countsByDay(days, first, last) {
  const rows = [];
  if (!isDay(first) || !isDay(last)) return rows;
  for (let day = first; day <= last; day = dayAfter(day)) {
    const given = Object.hasOwn(days ?? {}, day) ? days[day] : {};
    const sources = Object.fromEntries(
      Object.entries(given ?? {}).filter(([, posts]) => Number.isFinite(posts) && posts > 0),
    );
    const total = Object.values(sources).reduce((sum, posts) => sum + posts, 0);
    rows.push({ from: day, to: day, sources, total });
  }
  return rows;
}

/** Put days together, seven to a row and the last row full, if there are more than can be drawn. */
export function weeksIfMany(rows, most) {
  if (rows.length <= most) return rows;
  const weeks = [];
  for (let end = rows.length; end > 0; end -= 7)
    weeks.unshift(sumOf(rows.slice(Math.max(0, end - 7), end)));
  return weeks;
}

function sumOf(rows) {
  const sources = {};
  for (const row of rows)
    for (const [source, posts] of Object.entries(row.sources))
      sources[source] = (sources[source] ?? 0) + posts;
  const total = rows.reduce((sum, row) => sum + row.total, 0);
  return { from: rows[0].from, to: rows.at(-1).to, sources, total };
}

/** The first day of a record's counts, or the given one. */
export function firstCounted(days, otherwise) {
  return (
    Object.keys(days ?? {})
      .filter(isDay)
      .sort()[0] ?? otherwise
  );
}
