// The evidence of a problem by day: a line for each of its issues, whose posts are read when opened.

import { canonical } from "../canonical.js";
import { arrange, el, foreign } from "../dom.js";
import { EvidenceList } from "../evidence_list.js";
import { count, dayName, number } from "../format.js";
import { addressOfIssue } from "../view.js";

const ROWS = 14;
// Open issues whose posts are watched; more would make for long subscriptions.
const MAX_WATCHED = 20;

export class DayEvidence {
  #list = el("ul", { class: "day-list" });
  #more = el("button", { type: "button", class: "more" });
  #rows = new Map(); // by the issue's record id
  #issues = [];
  #shown = ROWS;
  #toggled;

  /**
   * @param place The element that it fills.
   * @param toggled Called when a line was opened or closed.
   */
  constructor(place, toggled) {
    this.#toggled = toggled;
    this.#more.addEventListener("click", () => {
      const before = this.#list.childElementCount;
      this.#shown += ROWS;
      this.draw(this.#issues);
      this.#list.children[before]?.querySelector("summary")?.focus();
    });
    place.append(this.#list, this.#more);
  }

  /** Forget what was open. */
  clear() {
    this.#rows.clear();
    this.#shown = ROWS;
    this.draw([]);
  }

  /** The issues whose posts are on show. */
  get openIssues() {
    const open = [...this.#rows].filter(([, row]) => row.isOpen).map(([id]) => id);
    return open.slice(-MAX_WATCHED);
  }

  /** Draw a problem's issues, newest first; read the posts of `stale` ones again. */
  draw(issues, stale = new Set()) {
    this.#issues = issues;
    const ids = new Set(issues.map((issue) => issue.id));
    for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
    const isFirst = this.#rows.size === 0;
    const elements = issues.slice(0, this.#shown).map((issue) => {
      let row = this.#rows.get(issue.id);
      if (!row) this.#rows.set(issue.id, (row = new DayRow(issue, this.#toggled)));
      row.update(issue);
      if (stale.has(issue.id)) row.reload();
      return row.element;
    });
    arrange(this.#list, elements);
    // The newest evidence is what people came for.
    if (isFirst && issues.length > 0) this.#rows.get(issues[0].id).open();
    const left = issues.length - elements.length;
    this.#more.hidden = left <= 0;
    this.#more.textContent = `Show ${number(Math.min(left, ROWS))} more`;
  }
}

class DayRow {
  #summary = el("summary");
  #details = el("details", {}, this.#summary);
  #posts = null; // made when first opened
  #drawn = "";
  #size = 0;

  constructor(issue, toggled) {
    this.element = el("li", {}, this.#details);
    this.#details.addEventListener("toggle", () => {
      toggled();
      if (this.#details.open) this.#load(issue);
    });
  }

  get isOpen() {
    return this.#details.open;
  }

  open() {
    this.#details.open = true;
  }

  /** Read the posts again if they are on show. */
  reload() {
    if (this.isOpen) this.#posts?.reload();
  }

  update(issue) {
    const drawn = canonical(issue);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const hasGrown = this.#size !== 0 && this.#size !== issue.size;
    this.#size = issue.size;
    this.#summary.replaceChildren(
      el(
        "h3",
        { class: "day-name" },
        el("time", { datetime: issue.issue_date }, dayName(issue.issue_date)),
      ),
      el(
        "span",
        { class: "day-size" },
        count(issue.size, "report"),
        issue.complete === false ? el("span", { class: "partial" }, " incomplete") : null,
      ),
      foreign("span", "day-title", issue.title),
    );
    if (hasGrown) this.reload();
  }

  #load(issue) {
    if (this.#posts === null) {
      this.#posts = new EvidenceList(issue.id, null);
      const link = el(
        "a",
        { class: "permalink", href: addressOfIssue(issue) },
        "The issue in its day",
      );
      this.#details.append(el("div", { class: "day-posts" }, this.#posts.element, link));
    }
    this.#posts.load();
  }
}
