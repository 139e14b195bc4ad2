// One problem over its days: how many reported it where, how it was put, and the evidence.

import { isId } from "../api.js";
import { canonical } from "../canonical.js";
import { copyLink } from "../copy_link.js";
import { el, foreign, plain, setText } from "../dom.js";
import { categoryName, count, daysName, isDay, number, seenInWords } from "../format.js";
import { impactMark, payMark } from "../marks.js";
import { DayEvidence } from "./day_evidence.js";
import { issuesOf, newestDay, problemOf } from "./reading.js";
import { sourceTable } from "./source_table.js";
import { changeInWords, stateMark } from "./states.js";
import { wordingList } from "./wording.js";

const READ_AGAIN_MS = 400;

const root = document.getElementById("problem-view"); // in the document or not
const part = (name) => root.querySelector(`#problem-${name}`);

export class ProblemView {
  #page;
  #id = "";
  #problem = null;
  #issues = [];
  #newest = null;
  #phase = "loading"; // loading, ready, gone, failed
  #isMoved = false; // the address named an older id
  #turn = 0;
  #timer = 0;
  #drawn = "";
  #evidence;
  #staleIssues = new Set();

  /** @param page What the views share. */
  constructor(page) {
    this.#page = page;
    this.#evidence = new DayEvidence(part("evidence"), () => page.listen());
    part("copy").addEventListener("click", (event) => copyLink(event.target, location.href));
  }

  /** Show the problem of this id. */
  show({ id }) {
    if (id !== this.#id) {
      this.#id = id;
      this.#problem = null;
      this.#issues = [];
      this.#phase = "loading";
      this.#isMoved = false;
      this.#evidence.clear();
    }
    this.#draw();
    this.#page.live.read();
  }

  /** Another view takes the screen. */
  hide() {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  /** What the feed is to tell: changes of the problem, of its issues, and of posts on show. */
  subscriptions() {
    if (!isId(this.#id)) return [];
    const changed = () => this.#readSoon();
    const fields = "id";
    return [
      { topic: `problems/${this.#id}`, query: { fields }, changed },
      { topic: "issues/*", query: { filter: `problem = '${this.#id}'`, fields }, changed },
      ...this.#evidence.openIssues.map((issue) => ({
        topic: "issue_evidence/*",
        query: { filter: `issue = '${issue}'`, fields },
        changed: () => {
          this.#staleIssues.add(issue);
          this.#readSoon();
        },
      })),
    ];
  }

  /** Read what is on show; a promise of whether the server answered. */
  async refresh() {
    this.#turn += 1;
    const mine = this.#turn;
    const stale = new Set(this.#staleIssues);
    try {
      const [problem, newest] = await Promise.all([problemOf(this.#id), newestDay()]);
      if (mine !== this.#turn) return true;
      if (problem === null) {
        this.#phase = "gone";
        this.#problem = null;
        this.#draw();
        return true;
      }
      const issues = await issuesOf(problem.id);
      if (mine !== this.#turn) return true;
      if (problem.id !== this.#id) {
        this.#id = problem.id;
        this.#isMoved = true;
        this.#page.setAddress(`${location.pathname}#/problem/${problem.id}`, { replace: true });
        this.#page.listen();
      }
      for (const issue of stale) this.#staleIssues.delete(issue);
      this.#problem = problem;
      this.#issues = issues;
      this.#newest = newest;
      this.#phase = "ready";
      this.#draw(stale);
      return true;
    } catch (error) {
      if (mine !== this.#turn) return true;
      console.warn(error);
      if (this.#phase === "loading") this.#phase = "failed";
      this.#draw();
      return false;
    }
  }

  #readSoon() {
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#page.live.read();
    }, READ_AGAIN_MS);
  }

  #draw(stale = new Set()) {
    const isReady = this.#phase === "ready";
    part("body").hidden = !isReady;
    part("moved").hidden = !this.#isMoved;
    setText(part("state"), isReady ? "" : WORDS[this.#phase]);
    part("state").hidden = isReady;
    const title = this.#problem ? plain(this.#problem.title) : TITLES[this.#phase];
    setText(part("heading"), title);
    this.#page.setTitle(title);
    if (!isReady) {
      part("facts").replaceChildren();
      this.#drawn = "";
      return;
    }
    const drawn = canonical([this.#problem, this.#issues, this.#newest]);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#drawProblem(this.#problem, this.#newest ?? this.#problem.last_seen);
      part("wording").replaceChildren(...wordingList(this.#issues));
    }
    this.#evidence.draw(this.#issues, stale);
  }

  #drawProblem(problem, newest) {
    const since = isDay(problem.state_since)
      ? ` since ${daysName(problem.state_since, problem.state_since)}`
      : "";
    part("facts").replaceChildren(
      el("span", {}, stateMark(problem.state), since),
      foreign("span", "category", categoryName(problem.category)),
      impactMark(problem.impact) ?? "",
      problem.would_pay ? payMark() : "",
      el(
        "span",
        {},
        `${seenInWords(problem.first_seen, problem.last_seen)}, on ${count(problem.days_seen, "day")}`,
      ),
    );
    setText(part("description"), plain(problem.description));
    part("numbers").replaceChildren(
      ...figures(problem).map(([value, words]) =>
        el("div", {}, el("dt", {}, words), el("dd", {}, value)),
      ),
    );
    part("days").replaceChildren(...sourceTable(problem, newest));
  }
}

const TITLES = { loading: "Problem", gone: "No such problem", failed: "Problem" };
const WORDS = {
  loading: "Loading the problem…",
  gone: "No problem has this address: its reports are gone, or the address is not whole.",
  failed: "The server is out of reach. This page tries again every few seconds.",
};

/** What is known in numbers, each with its words. */
function figures(problem) {
  return [
    [
      number(problem.posts_7d),
      ["reports in 7 days", changeInWords(problem)].filter(Boolean).join(", "),
    ],
    [number(problem.posts_30d), "in 30 days"],
    [number(problem.posts), "in all"],
    [number(problem.reach), problem.reach === 1 ? "writer" : "different writers"],
  ];
}
