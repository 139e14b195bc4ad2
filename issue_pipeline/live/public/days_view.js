// The issues of a span of days: keeps them in memory, and the screen the same as them.

import { daysWithIssues, issuesBetween, newestDay } from "./api.js";
import { asCsv, asJson, save } from "./download.js";
import { ORDERS, isProblem, matcher } from "./ranking.js";
import { Screen } from "./screen.js";
import { addressOf, noFilters, readView, spanDays, spanStart } from "./view.js";

// A publishing run sends hundreds of changes within a second: draw them together.
const DRAW_DELAY_MS = 100;
// Rows drawn at first and added at the end of the list: thousands would take seconds.
const ROWS = 60;

export class DaysView {
  #page;
  #screen;
  #view = readView(""); // days are null until the newest is known
  #days = new Set();
  #daysRead = false; // all of them
  #issues = new Map(); // of the span, by record id
  #phase = "loading"; // of the list: loading, ready, failed
  #newerDay = false;
  #rows = ROWS;
  #shown = []; // all issues that the filters leave, in order
  #turn = 0; // of reading; an answer of an older turn is not wanted any more
  #openIssues = []; // whose evidence is watched
  #staleEvidence = new Set(); // issues whose posts changed since they were drawn
  #held = null; // changes that came while reading, in order
  #drawTimer = 0;

  /** @param page What the views share: `live`, `setAddress(address, {replace})`, `setTitle(text)`. */
  constructor(page) {
    this.#page = page;
    this.#screen = new Screen({
      dayChosen: (to) => this.#go({ to, from: spanStart(to, spanDays(this.#view)) }),
      spanChosen: (days) => this.#go({ from: spanStart(this.#view.to, days) }),
      firstDayChosen: (from) => this.#go({ from }),
      filtersChanged: (filters) => {
        Object.assign(this.#view, filters, { issue: "" });
        this.#rows = ROWS;
        this.#writeAddress();
        this.#draw();
      },
      othersWanted: () => {
        this.#screen.showFilters(Object.assign(this.#view, { others: true }));
        this.#writeAddress();
        this.#draw();
      },
      filtersCleared: () => this.#screen.showFilters(Object.assign(this.#view, noFilters())),
      newestWanted: () => {
        const newest = this.#newestKnown();
        this.#go({ from: newest, to: newest });
      },
      issuesOpened: (ids) => {
        this.#openIssues = ids;
        page.live.listen(this.subscriptions());
      },
      moreWanted: () => {
        if (this.#rows >= this.#shown.length) return;
        this.#rows += ROWS;
        this.#draw();
      },
      linkWanted: () => new URL(addressOf(this.#view), location.href).href,
      fileWanted: (kind) => this.#saveFile(kind),
    });
  }

  /** Show what an address names, such as `?day=2026-03-10`. */
  show({ search }) {
    const { from, to } = this.#view;
    this.#view = readView(search);
    this.#screen.showFilters(this.#view);
    if (this.#view.to === null || this.#view.from !== from || this.#view.to !== to) {
      this.#issues = new Map();
      this.#phase = "loading";
    }
    this.#rows = ROWS;
    this.#draw();
    this.#page.live.read(); // without waiting for the feed: the list is what people came for
  }

  /** Another view takes the screen. */
  hide() {
    this.#turn += 1;
    clearTimeout(this.#drawTimer);
    this.#drawTimer = 0;
  }

  /** What the feed is to tell: all posts of a day would be too many, so those of open issues. */
  subscriptions() {
    const changed = (change) => {
      if (this.#held) this.#held.push(change);
      else this.#apply(change);
      this.#drawSoon();
    };
    const posts = this.#openIssues.map((id) => ({
      topic: "issue_evidence/*",
      query: { filter: `issue = '${id}'` },
      changed: () => {
        this.#staleEvidence.add(id);
        this.#drawSoon();
      },
    }));
    return [{ topic: "issues/*", changed }, ...posts];
  }

  /** The feed connected: days may have come while nobody listened. */
  connected() {
    this.#daysRead = false;
  }

  /** Read the span's issues and the days, and take over what changed while they were read. */
  async refresh() {
    this.#turn += 1;
    const mine = this.#turn;
    this.#held = [];
    try {
      if (this.#view.to === null) {
        const newest = await newestDay();
        if (mine !== this.#turn) return true;
        this.#view.from = this.#view.to = newest;
      }
      const issues = new Map();
      if (this.#view.to !== null) {
        for await (const portion of issuesBetween(this.#view.from, this.#view.to)) {
          if (mine !== this.#turn) return true;
          for (const issue of portion) issues.set(issue.id, issue);
          // The first portion holds the largest; nobody waits for the rest to see them.
          if (this.#phase !== "ready") this.#showIssues(new Map(issues));
        }
      }
      this.#showIssues(issues);
      this.#release();
      this.#writeAddress();
      this.#draw({ evidence: true });
      if (!this.#daysRead) await this.#readDays(mine);
      return true;
    } catch (error) {
      if (mine !== this.#turn) return true;
      console.warn(error);
      if (this.#phase === "loading") this.#phase = "failed";
      this.#release();
      this.#draw();
      return false;
    }
  }

  #showIssues(issues) {
    this.#issues = issues;
    this.#phase = "ready";
    this.#draw();
  }

  async #readDays(mine) {
    const found = new Set();
    for await (const days of daysWithIssues()) {
      if (mine !== this.#turn) return;
      for (const day of days) found.add(day);
      this.#days = new Set([...found, ...this.#days]);
      this.#screen.drawDays(this.#state());
    }
    this.#days = found;
    this.#daysRead = true;
    this.#newerDay &&= this.#newestKnown() > this.#view.to;
    this.#draw();
  }

  #release() {
    const changes = this.#held ?? [];
    this.#held = null;
    for (const change of changes) this.#apply(change);
  }

  #apply({ action, record }) {
    const { from, to } = this.#view;
    const isOnShow = from <= record.issue_date && record.issue_date <= to;
    if (action === "delete" || !isOnShow) this.#issues.delete(record.id);
    else this.#issues.set(record.id, record);
    if (action === "delete") return;
    const newest = this.#newestKnown();
    this.#days.add(record.issue_date);
    if (to === null)
      this.#page.live.read(); // the very first issue of all
    else if (record.issue_date > to && (newest === null || record.issue_date > newest))
      this.#newerDay = true;
  }

  #newestKnown() {
    return [...this.#days].reduce((a, b) => (a === null || b > a ? b : a), null);
  }

  #go(days) {
    const view = { ...this.#view, ...days };
    if (view.to === null || (view.from === this.#view.from && view.to === this.#view.to)) return;
    Object.assign(this.#view, view, { issue: "" });
    this.#issues = new Map();
    this.#phase = "loading";
    this.#rows = ROWS;
    this.#newerDay &&= view.to !== this.#newestKnown();
    this.#page.setAddress(addressOf(this.#view));
    this.#draw();
    this.#page.live.read();
  }

  #drawSoon() {
    this.#drawTimer ||= setTimeout(() => this.#draw({ announce: true }), DRAW_DELAY_MS);
  }

  #draw(how = {}) {
    clearTimeout(this.#drawTimer);
    this.#drawTimer = 0;
    const view = this.#view;
    // A link to another theme shows it.
    const linkedIssue = this.#issues.get(view.issue);
    if (linkedIssue && !isProblem(linkedIssue)) view.others = true;
    const found = [...this.#issues.values()].filter(matcher(view));
    const shown = found.filter((issue) => !view.category || issue.category === view.category);
    shown.sort(ORDERS[view.order]);
    // A link to an issue shows it, however far down it stands.
    const linked = view.issue ? shown.findIndex((issue) => issue.id === view.issue) : -1;
    this.#rows = Math.max(this.#rows, linked + 1);
    this.#shown = shown;
    const stale = new Set(this.#staleEvidence);
    this.#page.setTitle(this.#screen.draw({ ...this.#state(), found, shown }, { ...how, stale }));
    this.#staleEvidence.clear();
  }

  #state() {
    return {
      view: this.#view,
      days: this.#days,
      issues: this.#issues,
      phase: this.#phase,
      newerDay: this.#newerDay,
      rows: this.#rows,
    };
  }

  /** What is shown has an address, so that it can be shared and found again. */
  #writeAddress() {
    this.#page.setAddress(addressOf(this.#view), { replace: true });
  }

  #saveFile(kind) {
    const { from, to } = this.#view;
    const name = `issues-${from === to ? to : `${from}-to-${to}`}.${kind}`;
    if (kind === "csv") save(name, "text/csv", asCsv(this.#shown));
    else save(name, "application/json", asJson(this.#shown, this.#view));
  }
}
