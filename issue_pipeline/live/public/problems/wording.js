// How a problem was put over the days.

import { el, foreign } from "../dom.js";
import { count, daysName } from "../format.js";

const MOST = 20;

/**
 * The titles of a problem's issues, newest first, where they change.
 *
 * @param issues In the order of `issuesOf`; of a day, the largest speaks.
 */
export function wordingList(issues) {
  const spells = [];
  let day = "";
  for (const issue of issues) {
    if (issue.issue_date === day) continue;
    day = issue.issue_date;
    const last = spells.at(-1);
    if (last?.title === issue.title) last.from = day;
    else spells.push({ title: issue.title, from: day, to: day });
  }
  const left = spells.splice(MOST).length;
  const items = spells.map(({ title, from, to }) =>
    el(
      "li",
      {},
      el("span", { class: "spell" }, daysName(from, to)),
      foreign("span", "wording", title),
    ),
  );
  if (left) items.push(el("li", { class: "spell" }, `and ${count(left, "wording")} before`));
  return items;
}
