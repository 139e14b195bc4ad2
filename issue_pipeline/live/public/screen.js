// Everything around and in the list of issues: draws the state that it is given, and reports what people do.

import { copyLink } from "./copy_link.js";
import { arrange, el, plain, setText } from "./dom.js";
import { foldFilters } from "./fold.js";
import { FilterBar } from "./filter_bar.js";
import { count, dayName, daysName, number, someDaysInWords } from "./format.js";
import { IssueRow } from "./issue_row.js";
import { insteadOfIssues } from "./list_states.js";
import { isProblem } from "./ranking.js";
import { fillShareBar, legendItems, totalShares } from "./source_shares.js";
import { filtersSet, isFiltered, spanDays } from "./view.js";

const ids = [
  "announcer",
  "copy",
  "csv",
  "day",
  "day-picker",
  "gone",
  "incomplete",
  "incomplete-days",
  "json",
  "legend",
  "list",
  "more",
  "newer",
  "newer-day",
  "older",
  "ranked",
  "result",
  "result-bar",
  "share",
  "show-newest",
  "since",
  "span",
  "span-name",
  "state",
  "summary",
];
// Open issues whose posts are watched; more would make for long subscriptions.
const MAX_WATCHED = 20;
const RANKED = {
  important: "ranked by reports × impact, half as much again where people would pay",
  reports: "ranked by number of reports",
  newest: "newest day first, then by importance",
};

export class Screen {
  #parts = Object.fromEntries(ids.map((id) => [id, document.getElementById(id)]));
  #rows = new Map(); // by record id
  #span = "";
  #linked = ""; // the issue that was brought into sight
  #isCustomSpan = false;
  #firstDay = "";
  #filters;
  #fold;
  #handlers;

  /**
   * @param handlers `dayChosen(day)`, `spanChosen(days)`, `firstDayChosen(day)`, `newestWanted()`, `othersWanted()`,
   *   `filtersChanged({...})`, `filtersCleared()`, `moreWanted()`, `issuesOpened(ids)`, `linkWanted()` (gives it),
   *   and `fileWanted("csv" | "json")`.
   */
  constructor(handlers) {
    this.#handlers = handlers;
    const { day, older, newer, span, since, more, copy } = this.#parts;
    this.#filters = new FilterBar(handlers.filtersChanged);
    this.#fold = foldFilters("fold", "filters-fold");
    day.addEventListener("change", () => handlers.dayChosen(day.value));
    older.addEventListener("click", () => handlers.dayChosen(older.value));
    newer.addEventListener("click", () => handlers.dayChosen(newer.value));
    span.addEventListener("change", () => {
      this.#isCustomSpan = span.value === "custom";
      since.hidden = !this.#isCustomSpan;
      if (since.hidden) handlers.spanChosen(Number(span.value));
      else since.focus();
    });
    this.#watchFirstDay(since);
    this.#parts["show-newest"].addEventListener("click", () => handlers.newestWanted());
    for (const kind of ["csv", "json"])
      this.#parts[kind].addEventListener("click", () => handlers.fileWanted(kind));
    copy.addEventListener("click", () => copyLink(copy, handlers.linkWanted()));
    more.addEventListener("click", () => this.#showMore());
    // People who scroll need no button.
    new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) handlers.moreWanted();
    }, { rootMargin: "600px" }).observe(more);
  }

  /**
   * Typing a day passes through others: the first digit of 2026 is the year 2. So what is typed
   * counts when it is confirmed or left; a day picked from the calendar counts at once.
   */
  #watchFirstDay(since) {
    let isTyping = false;
    let shown = "";
    const choose = () => {
      isTyping = false;
      if (since.value && since.validity.valid) this.#handlers.firstDayChosen(since.value);
    };
    since.addEventListener("focus", () => (shown = since.value));
    since.addEventListener("pointerdown", () => (isTyping = false));
    since.addEventListener("keydown", ({ key }) => {
      isTyping = true;
      if (key === "Escape") since.value = shown;
      if (key !== "Enter") return;
      choose();
      since.reportValidity();
    });
    since.addEventListener("change", () => isTyping || choose());
    since.addEventListener("blur", () => {
      choose();
      // Never a day that the list is not of.
      since.value = this.#firstDay;
    });
  }

  /** Put filters that came from the address into their fields. */
  showFilters(view) {
    this.#isCustomSpan = false;
    this.#filters.show(view);
    this.#linked = "";
  }

  /**
   * Draw the state.
   *
   * @param state With `shown`, the issues that the filters leave, in order, and `found`, those that
   *   they would leave without the category.
   * @param how `announce`: these are news, mark them and say so; `evidence`: read open evidence again;
   *   `stale`: the issues of which it must be read again in any case.
   * @returns What the view is called now.
   */
  draw(state, { announce = false, evidence = false, stale = new Set() } = {}) {
    this.#parts["newer-day"].hidden = !state.newerDay;
    this.drawDays(state);
    this.#drawSummary(state);
    this.#filters.draw(state);
    this.#fold.draw(filtersSet(state.view));
    this.#drawResult(state);
    this.#drawRows(state, announce, (id) => evidence || stale.has(id));
    this.#drawState(state);
    this.#showLinked(state);
    const { to } = state.view;
    return `Problems people reported${to === null ? "" : `, ${spanName(state.view)}`}`;
  }

  /** Draw the picker of days alone. */
  drawDays({ days, view, phase }) {
    const { day: picker, older, newer, span, since } = this.#parts;
    const { from, to } = view;
    const known = [...new Set(to === null ? days : [...days, to])].sort().reverse();
    if (known.join() !== [...picker.options].map((option) => option.value).join()) {
      picker.replaceChildren(
        ...known.map((day) => el("option", { value: day }, dayName(day))),
      );
    }
    this.#parts["day-picker"].classList.toggle("is-empty", known.length === 0);
    this.#parts["day-picker"].hidden = phase !== "loading" && known.length === 0;
    picker.value = to ?? "";
    const place = known.indexOf(to);
    for (const [button, day] of [
      [older, known[place + 1]],
      [newer, known[place - 1]],
    ]) {
      button.disabled = day === undefined;
      button.value = day ?? "";
    }
    if (`${from} ${to}` !== this.#span) {
      const length = to === null ? "1" : String(spanDays(view));
      // Somebody who chooses days one by one keeps the field, even if they make a week.
      this.#isCustomSpan ||= ![...span.options].some((option) => option.value === length);
      span.value = this.#isCustomSpan ? "custom" : length;
      since.value = this.#firstDay = from ?? "";
      since.max = to ?? "";
      since.hidden = !this.#isCustomSpan;
    }
    setText(this.#parts["span-name"], to === null ? "\u00a0" : headingOf(view));
  }

  #drawSummary({ issues, phase, view }) {
    const { summary, share, legend, incomplete } = this.#parts;
    // Of problems only, whatever is listed.
    const all = [...issues.values()].filter(isProblem);
    const sources = totalShares(all);
    const reports = all.reduce((sum, issue) => sum + issue.size, 0);
    const days = view.from === view.to ? "" : `, ${spanName(view)}`;
    setText(
      summary,
      all.length ? `${count(all.length, "problem")} in ${count(reports, "report")}${days}` : "",
    );
    summary.hidden = phase !== "loading" && all.length === 0;
    share.hidden = legend.hidden = summary.hidden;
    fillShareBar(share, sources);
    legend.replaceChildren(...legendItems(sources));
    const partial = new Set(
      [...issues.values()].filter((issue) => issue.complete === false).map((issue) => issue.issue_date),
    );
    incomplete.hidden = partial.size === 0;
    setText(this.#parts["incomplete-days"], daysInWords([...partial].sort(), view));
  }

  #drawResult({ issues, shown, view }) {
    const problems = [...issues.values()].filter(isProblem).length;
    const listed = view.others ? issues.size : problems;
    this.#parts["result-bar"].hidden = listed === 0;
    const all = count(problems, "issue");
    const others = view.others ? ` and ${count(issues.size - problems, "other theme")}` : "";
    const text = isFiltered(view) ? `${number(shown.length)} of ${all}${others}` : all + others;
    setText(this.#parts.result, text);
    setText(this.#parts.ranked, `, ${RANKED[view.order]}`);
    for (const kind of ["csv", "json"]) this.#parts[kind].disabled = shown.length === 0;
  }

  #drawRows({ issues, shown, view, rows }, announce, isStale) {
    const { list, announcer, more } = this.#parts;
    const span = `${view.from} ${view.to}`;
    if (span !== this.#span) {
      this.#rows.clear();
      this.#span = span;
    }
    list.classList.toggle("many-days", view.from !== view.to);
    for (const id of this.#rows.keys()) if (!issues.has(id)) this.#rows.delete(id);
    let changed = 0;
    const elements = shown.slice(0, rows).map((issue) => {
      let row = this.#rows.get(issue.id);
      const isNew = row === undefined;
      if (isNew) this.#rows.set(issue.id, (row = new IssueRow(issue, () => this.#tellOpened())));
      const isChanged = row.update(issue) || isNew;
      if (announce && isChanged) {
        changed += 1;
        row.markFresh();
      }
      if (isStale(issue.id) || (announce && isChanged)) row.refreshEvidence();
      return row.element;
    });
    arrange(list, elements);
    more.hidden = shown.length <= rows;
    if (changed) setText(announcer, `${count(changed, "issue")} updated.`);
  }

  #drawState({ phase, issues, shown, view, days }) {
    const { state, list } = this.#parts;
    list.setAttribute("aria-busy", String(phase === "loading"));
    let name = "";
    if (phase === "loading") name = "loading";
    else if (phase === "failed") name = "away";
    else if (issues.size === 0) name = days.size === 0 && view.to === null ? "empty" : "empty-day";
    else if (!view.others && ![...issues.values()].some(isProblem)) name = "only-others";
    else if (shown.length === 0) name = "no-match";
    const drawn = `${name} ${this.#span}`;
    if (state.dataset.drawn === drawn) return;
    state.dataset.drawn = drawn;
    state.replaceChildren(
      ...insteadOfIssues(name, {
        days: view.to && `${view.from === view.to ? "on" : "from"} ${spanName(view)}`,
        showNewest: () => this.#handlers.newestWanted(),
        showOthers: () => this.#handlers.othersWanted(),
        clearFilters: () => this.#clearFilters(),
      }),
    );
  }

  /** Bring the issue that the address names into sight, once. */
  #showLinked({ phase, view, issues }) {
    const row = this.#rows.get(view.issue);
    this.#parts.gone.hidden = !view.issue || phase !== "ready" || issues.has(view.issue);
    if (!row || this.#linked === view.issue) return;
    this.#linked = view.issue;
    row.show();
  }

  #tellOpened() {
    const open = [...this.#rows].filter(([, row]) => row.isOpen).map(([id]) => id);
    this.#handlers.issuesOpened(open.slice(-MAX_WATCHED));
  }

  #showMore() {
    const { list } = this.#parts;
    const before = list.childElementCount;
    this.#handlers.moreWanted();
    // A keyboard user goes on with the first of the new issues, where the button was.
    list.children[before]?.querySelector("summary")?.focus();
  }

  #clearFilters() {
    this.#handlers.filtersCleared();
    this.#handlers.filtersChanged({});
    document.getElementById("search").focus();
  }
}

/** "Thu, 5 March 2026", "5 to 11 Mar 2026". */
const headingOf = ({ from, to }) => (from === to ? dayName(to, { long: true }) : daysName(from, to));

/** "Thu, 5 Mar 2026", "Thu, 5 Mar 2026 to Wed, 11 Mar 2026". */
function spanName({ from, to }) {
  return plain(from === to ? dayName(to) : `${dayName(from)} to ${dayName(to)}`);
}

/** " for this day", " on Thu, 5 Mar 2026 and Fri, 6 Mar 2026", " on 12 days of these". */
function daysInWords(days, { from, to }) {
  if (from === to) return " for this day";
  return someDaysInWords(days);
}
