// The problems of a span, the most reported first: what the page opens on.

import { copyLink } from "../copy_link.js";
import { arrange, setText } from "../dom.js";
import { count, daysName, number, someDaysInWords } from "../format.js";
import { insteadOfProblems } from "../list_states.js";
import {
  ORDERS,
  SPANS,
  addressOfProblems,
  filtersSet,
  noFilters,
  readProblems,
} from "./address.js";
import { dayAfter } from "./day_counts.js";
import { AT_A_GLANCE, ProblemFilters } from "./problem_filters.js";
import { ProblemRow } from "./problem_row.js";
import {
  countsOf,
  firstDay,
  hasProblems,
  incompleteDays,
  newestDay,
  problemsOf,
} from "./reading.js";

const PAGE_ROWS = 50;
const MAX_ROWS = 1000; // what the server gives at once
// A publishing run changes thousands of records within seconds: read at its end, and meanwhile now
// and then.
const READ_AGAIN_MS = 400;
const READ_AT_MOST_EVERY_MS = 1_500;

const root = document.getElementById("problems-view"); // in the document or not
const part = (name) => root.querySelector(`#problems-${name}`);

export class ProblemsView {
  #page;
  #filters;
  #view = readProblems("");
  #isChosen = false; // somebody asked for problems, rather than for the page
  #newest = null; // day
  #first = null; // day of all problems, where the span is all
  #problems = [];
  #counts = null;
  #incomplete = []; // days of the span that lack a source
  #phase = "loading"; // of the list: loading, ready, failed
  #rows = PAGE_ROWS;
  #isWhole = true; // no further problems on the server
  #elements = new Map(); // by record id
  #turn = 0;
  #opened = ""; // the problem that was opened last
  #isNews = false; // what comes now comes from the feed
  #timer = 0;
  #lastRead = 0;
  #focusAt = null; // place in the list, for when more is there
  #atEnd; // sees whether the end of the list is near
  position = 0; // how far it was scrolled

  /** @param page What the views share. */
  constructor(page) {
    this.#page = page;
    this.#filters = new ProblemFilters((changed) => this.#change(changed));
    part("more").addEventListener("click", () => this.#showMore({ focus: true }));
    part("copy").addEventListener("click", (event) => copyLink(event.target, location.href));
    // People who scroll need no button.
    this.#atEnd = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && this.#showMore(),
      { rootMargin: "600px" },
    );
    this.#atEnd.observe(part("more"));
  }

  /** Show what an address names. */
  show({ query, isChosen = false }) {
    this.#isChosen = isChosen;
    const view = readProblems(query);
    if (JSON.stringify(view) !== JSON.stringify(this.#view)) {
      this.#rows = PAGE_ROWS;
      this.#phase = "loading";
      this.position = 0;
    }
    this.#view = view;
    this.#filters.show(view);
    this.#draw();
    this.#page.live.read();
  }

  /** Another view takes the screen. */
  hide() {
    this.#turn += 1;
    this.position = scrollY;
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  /** Where somebody was when they left: the link that they followed. */
  lastFocused() {
    return this.#elements.get(this.#opened)?.link ?? undefined;
  }

  /** What the feed is to tell: that something changed is enough, what is shown is read again. */
  subscriptions() {
    return [{ topic: "problems/*", query: { fields: "id" }, changed: () => this.#readSoon() }];
  }

  /** Read what is on show; a promise of whether the server answered. */
  async refresh() {
    this.#turn += 1;
    const mine = this.#turn;
    const view = { ...this.#view };
    const isNews = this.#isNews && this.#phase === "ready";
    this.#isNews = false;
    this.#lastRead = Date.now();
    const rows = Math.min(this.#rows, MAX_ROWS);
    try {
      const newest = newestDay();
      // Two readings at once, unless the second needs what the first finds.
      const needsDay = view.state !== "";
      const [day, problems, first] = await Promise.all([
        newest,
        needsDay
          ? newest.then((known) => problemsOf(view, known, rows))
          : problemsOf(view, null, rows),
        view.span === "all" ? firstDay() : null,
      ]);
      if (mine !== this.#turn) return true;
      if (problems.length === 0 && !this.#isChosen && !(await hasProblems())) {
        if (mine === this.#turn) this.#page.showNewestDay();
        return true;
      }
      if (mine !== this.#turn) return true;
      this.#newest = day;
      this.#first = first;
      this.#problems = problems;
      this.#isWhole = problems.length < rows || rows >= MAX_ROWS;
      this.#phase = "ready";
      this.#draw({ isNews });
      const [counts, incomplete] = await Promise.all([
        countsOf(view, day, Object.keys(AT_A_GLANCE)),
        day ? incompleteDays(this.#firstShown(), day) : [],
      ]);
      if (mine !== this.#turn) return true;
      this.#counts = counts;
      this.#incomplete = incomplete;
      this.#drawCounts();
      return true;
    } catch (error) {
      if (mine !== this.#turn) return true;
      if (error.status === 404 && !this.#isChosen) {
        this.#page.showNewestDay(); // a server without the collection
        return true;
      }
      console.warn(error);
      if (this.#phase === "loading") this.#phase = "failed";
      this.#draw();
      return false;
    }
  }

  #change(changed) {
    Object.assign(this.#view, changed);
    const isSearch = "query" in changed;
    this.#rows = PAGE_ROWS;
    this.#isChosen = true;
    this.#filters.show(this.#view);
    this.#page.setAddress(addressOfProblems(this.#view), { replace: isSearch });
    this.#page.live.read();
  }

  #readSoon() {
    this.#isNews = true;
    const wait = this.#lastRead + READ_AT_MOST_EVERY_MS - Date.now();
    // The last change of a burst must be read, too; the first of all is shown soon.
    this.#timer ||= setTimeout(
      () => {
        this.#timer = 0;
        this.#page.live.read();
      },
      Math.max(READ_AGAIN_MS, wait),
    );
  }

  async #showMore({ focus = false } = {}) {
    if (this.#isWhole) return;
    // A keyboard user goes on with the first of the new problems, where the button was.
    if (focus) this.#focusAt = this.#problems.length;
    if (this.#rows > this.#problems.length) return; // they are being read
    this.#rows += PAGE_ROWS;
    await this.#page.live.read();
    if (this.#focusAt !== null) part("list").children[this.#focusAt]?.querySelector("a")?.focus();
    this.#focusAt = null;
    // An end that is still near is no change to the observer: ask it again.
    this.#atEnd.unobserve(part("more"));
    this.#atEnd.observe(part("more"));
  }

  #clearFilters() {
    this.#change(noFilters());
    part("search").focus();
  }

  #draw({ isNews = false } = {}) {
    this.#drawHeading();
    this.#drawRows(isNews);
    this.#drawCounts();
    this.#drawState();
  }

  #drawHeading() {
    const { span } = this.#view;
    setText(part("span-name"), SPANS[span].name);
    const [first, last] = [this.#firstShown(), this.#newest];
    setText(part("days"), first && last ? daysName(first, last) : "\u00a0");
    this.#page.setTitle(`Problems people report, ${SPANS[span].name.toLowerCase()}`);
  }

  /** The first day of the span; null as long as the newest is not known. */
  #firstShown() {
    const { span } = this.#view;
    if (span === "all") return this.#first;
    return this.#newest && dayAfter(this.#newest, 1 - Number(span));
  }

  #drawRows(isNews) {
    const { span } = this.#view;
    const ids = new Set(this.#problems.map((problem) => problem.id));
    for (const id of this.#elements.keys()) if (!ids.has(id)) this.#elements.delete(id);
    let changed = 0;
    const elements = this.#problems.map((problem) => {
      let row = this.#elements.get(problem.id);
      if (!row) {
        row = new ProblemRow(() => (this.#opened = problem.id));
        this.#elements.set(problem.id, row);
      }
      if (row.update(problem, span, this.#newest) && isNews) {
        changed += 1;
        row.markFresh();
      }
      return row.element;
    });
    const isLoading = this.#phase === "loading";
    arrange(part("list"), isLoading ? [] : elements);
    part("list").setAttribute("aria-busy", String(isLoading));
    part("more").hidden = isLoading || this.#isWhole;
    if (changed)
      setText(document.getElementById("announcer"), `${count(changed, "problem")} updated.`);
  }

  #drawCounts() {
    const isReady = this.#phase === "ready";
    this.#filters.drawGlance(isReady ? this.#counts?.byState : null);
    part("result-bar").hidden = !isReady;
    part("incomplete").hidden = !isReady || this.#incomplete.length === 0;
    setText(part("incomplete-days"), someDaysInWords(this.#incomplete));
    const all = this.#counts?.all ?? this.#problems.length;
    const { span, order } = this.#view;
    const found = filtersSet(this.#view) ? `${number(all)} found` : count(all, "problem");
    setText(part("result"), this.#counts ? `${found} ${SPANS[span].inWords}` : "");
    setText(part("ranked"), this.#counts ? `, ${ORDERS[order].toLowerCase()}` : "");
  }

  #drawState() {
    let name = "";
    if (this.#phase !== "ready") name = this.#phase === "loading" ? "loading" : "away";
    else if (this.#problems.length === 0) name = filtersSet(this.#view) ? "no-match" : "empty";
    if (name === "empty" && this.#view.span !== "all") name = "empty-span";
    const { span } = this.#view;
    const drawn = `${name} ${span}`;
    const place = part("state-of-list");
    if (place.dataset.drawn === drawn) return;
    place.dataset.drawn = drawn;
    place.replaceChildren(
      ...insteadOfProblems(name, {
        span: SPANS[span].inWords,
        isAll: span === "all",
        showAll: () => this.#change({ span: "all" }),
        clearFilters: () => this.#clearFilters(),
      }),
    );
  }
}
