// One problem in the list.

import { canonical } from "../canonical.js";
import { el, foreign, plain } from "../dom.js";
import { categoryName, count, number, seenInWords } from "../format.js";
import { impactMark, payMark } from "../marks.js";
import { SPANS, addressOfProblem } from "./address.js";
import { barChart, chartLabel } from "./bar_chart.js";
import { countsByDay, dayAfter, firstCounted, weeksIfMany } from "./day_counts.js";
import { changeInWords, stateMark } from "./states.js";

const MOST_BARS = 30;
const WEEK = 7;

export class ProblemRow {
  #drawn = "";
  #link = null;

  /** @param opened Called when somebody follows its link. */
  constructor(opened) {
    this.element = el("li", { class: "problem" });
    this.element.addEventListener("click", (event) => {
      if (event.target.closest("a") === this.#link) opened();
    });
    this.element.addEventListener("animationend", () => this.element.classList.remove("fresh"));
  }

  /** Show the problem as it is now; true if anything about it is new. */
  update(problem, span, newest) {
    const drawn = canonical([problem, span, newest]);
    if (drawn === this.#drawn) return false;
    this.#drawn = drawn;
    const isFocused = document.activeElement === this.#link && this.#link !== null;
    this.element.replaceChildren(...this.#parts(problem, span, newest));
    if (isFocused) this.#link.focus({ preventScroll: true });
    return true;
  }

  /** Draw the eye to what just came or changed. */
  markFresh() {
    this.element.classList.add("fresh");
  }

  get link() {
    return this.#link;
  }

  #parts(problem, span, newest) {
    const reports = problem[SPANS[span].field];
    this.#link = foreign("a", "", problem.title);
    this.#link.setAttribute("href", addressOfProblem(problem.id));
    return [
      el(
        "p",
        { class: "size" },
        el("span", { class: "size-number" }, number(reports)),
        el("span", { class: "size-unit" }, reports === 1 ? " report" : " reports"),
      ),
      el(
        "div",
        { class: "headline" },
        el("h3", { class: "title" }, this.#link),
        problem.description ? foreign("p", "preview", problem.description) : null,
        el(
          "p",
          { class: "facts" },
          stateMark(problem.state),
          el(
            "span",
            { class: "seen" },
            seenInWords(problem.first_seen, problem.last_seen, newest ?? ""),
          ),
          el("span", { class: "reach" }, count(problem.reach, "writer")),
          el("span", { class: "category" }, plain(categoryName(problem.category))),
          impactMark(problem.impact),
          problem.would_pay ? payMark() : null,
        ),
      ),
      el(
        "div",
        { class: "course" },
        courseChart(problem, span, newest),
        el("p", { class: "change" }, changeInWords(problem)),
      ),
    ];
  }
}

/** The bars of the span's days; of a week, also those of the week before. */
function courseChart(problem, span, newest) {
  const last = newest ?? problem.last_seen;
  const first = {
    7: dayAfter(last, 1 - 2 * WEEK),
    30: dayAfter(last, -29),
    all: firstCounted(problem.days, problem.first_seen),
  }[span];
  const rows = weeksIfMany(countsByDay(problem.days, first, last), MOST_BARS);
  if (rows.length === 0) return null;
  // One or two bars would be blocks: a short history begins with days of nothing.
  while (rows.length < WEEK) {
    const day = dayAfter(rows[0].from, -1);
    rows.unshift({ from: day, to: day, sources: {}, total: 0 });
  }
  return barChart(
    rows.map((row) => row.total),
    { label: chartLabel(rows), before: span === "7" ? WEEK : 0 },
  );
}
