// A problem's reports by day and source: a row of bars for each source, and the same as numbers.

import { el, plain } from "../dom.js";
import { daysName, number, shortDayName, sourceName } from "../format.js";
import { sharesOf, sourceClass } from "../source_shares.js";
import { barChart, chartLabel } from "./bar_chart.js";
import { countsByDay, firstCounted, weeksIfMany } from "./day_counts.js";

const MOST_BARS = 92;
const FEWEST_BARS = 14;

/** The elements, for the days from the first report to the newest day. */
export function sourceTable(problem, newest) {
  const first = firstCounted(problem.days, problem.first_seen);
  const days = countsByDay(problem.days, first, newest);
  if (days.length === 0) return [];
  const rows = weeksIfMany(days, MOST_BARS);
  const isByWeek = rows !== days;
  const total = {};
  for (const row of rows)
    for (const [source, posts] of Object.entries(row.sources))
      total[source] = (total[source] ?? 0) + posts;
  const sources = sharesOf(total);
  // One scale for all sources together, and one for each of them, so that they compare.
  const most = Math.max(...rows.map((row) => row.total));
  const mostOfOne = Math.max(...rows.flatMap((row) => Object.values(row.sources)), 1);
  const lines = sources.map(([source, posts]) => [sourceName(source), posts, source]);
  if (sources.length > 1)
    lines.unshift(["All sources", days.reduce((sum, day) => sum + day.total, 0), null]);
  const bars = el(
    "div",
    { class: "source-bars" },
    ...lines.map(([name, posts, source]) =>
      sourceLine(rows, { name, posts, source, most: source === null ? most : mostOfOne }),
    ),
    el(
      "p",
      { class: "axis", "aria-hidden": "true" },
      el("span", {}, shortDayName(rows[0].from)),
      el("span", {}, `a bar is a ${isByWeek ? "week" : "day"}, of ${number(most)} at most`),
      el("span", {}, shortDayName(rows.at(-1).to)),
    ),
  );
  // A short history is not blown up to the width of the page.
  bars.style.setProperty("--bars", `${Math.max(rows.length, FEWEST_BARS) * 1.25}rem`);
  return [
    bars,
    numbersTable(
      rows,
      sources.map(([source]) => source),
      isByWeek,
    ),
  ];
}

function sourceLine(rows, { name, posts, source, most }) {
  const counted = rows.map((row) => ({
    ...row,
    total: source === null ? row.total : (row.sources[source] ?? 0),
  }));
  const chart = barChart(
    counted.map((row) => row.total),
    {
      label: chartLabel(counted, `${plain(name)}: reports`),
      most,
      source: source === null ? undefined : sourceClass(source),
      titles: counted.map((row) => `${daysName(row.from, row.to)}: ${number(row.total)}`),
    },
  );
  return el(
    "div",
    { class: source === null ? "source-line source-all" : `source-line ${sourceClass(source)}` },
    el("span", { class: "source-name" }, plain(name), " ", el("b", {}, number(posts))),
    chart,
  );
}

function numbersTable(rows, sources, isByWeek) {
  const head = [isByWeek ? "Week" : "Day", ...sources.map((source) => plain(sourceName(source)))];
  if (sources.length > 1) head.push("All");
  const body = [...rows].reverse().filter((row) => row.total > 0);
  return el(
    "details",
    { class: "numbers-table" },
    el("summary", {}, "The same in numbers"),
    el(
      "table",
      {},
      el(
        "caption",
        { class: "visually-hidden" },
        `Reports by ${isByWeek ? "week" : "day"} and source`,
      ),
      el("thead", {}, el("tr", {}, ...head.map((text) => el("th", { scope: "col" }, text)))),
      el(
        "tbody",
        {},
        ...body.map((row) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, daysName(row.from, row.to)),
            ...sources.map((source) => el("td", {}, number(row.sources[source] ?? 0))),
            sources.length > 1 ? el("td", {}, number(row.total)) : null,
          ),
        ),
      ),
    ),
  );
}
