// One issue in the list: a line that opens to its description and evidence.

import { isId } from "./api.js";
import { canonical } from "./canonical.js";
import { aside, el, foreign, plain } from "./dom.js";
import { EvidenceList } from "./evidence_list.js";
import { categoryName, number, shortDayName } from "./format.js";
import { impactMark, payMark } from "./marks.js";
import { addressOfProblem } from "./problems/address.js";
import { isProblem } from "./ranking.js";
import { shareBar, sourceLegend } from "./source_shares.js";
import { addressOfIssue } from "./view.js";

const PARTIAL = "Not every source of this day could be collected whole: there may be more reports.";

export class IssueRow {
  #issue = null;
  #summary = el("summary");
  #details = el("details", {}, this.#summary);
  #body = null; // made when first opened: most issues of a long list never are

  /** @param toggled Called when it was opened or closed. */
  constructor(issue, toggled) {
    this.element = el("li", { class: "issue" }, this.#details);
    this.#details.addEventListener("toggle", () => {
      toggled();
      if (!this.#details.open) return;
      if (this.#body === null) {
        this.#body = new IssueBody(this.#issue);
        this.#details.append(this.#body.element);
      }
      this.#body.evidence.load();
    });
    this.element.addEventListener("animationend", () => this.element.classList.remove("fresh"));
    this.update(issue);
  }

  /** Show the issue as it is now; true if anything about it is new. */
  update(issue) {
    const before = this.#issue;
    this.#issue = issue;
    if (before === issue || canonical(before) === canonical(issue)) return false;
    this.#summary.replaceChildren(...summaryParts(issue));
    this.#body?.update(issue);
    return true;
  }

  get isOpen() {
    return this.#details.open;
  }

  /** Open it and bring it into sight, for those who came by a link to it. */
  show() {
    this.#details.open = true;
    this.element.scrollIntoView({ block: "start" });
    this.#summary.focus({ preventScroll: true });
  }

  /** Read the evidence again if it is on show. */
  refreshEvidence() {
    if (this.#details.open) this.#body?.evidence.reload();
  }

  /** Draw the eye to what just came or changed. */
  markFresh() {
    this.element.classList.add("fresh");
  }
}

class IssueBody {
  #description = foreign("p", "description", "");
  #shares = el("div", { class: "shares" });
  #partial = el("p", { class: "partial" }, PARTIAL);
  #link = el("a", { class: "permalink" }, "Link to this issue");
  #problem = el("a", { class: "permalink" }, "This problem over the days");

  constructor(issue) {
    this.evidence = new EvidenceList(issue.id);
    const evidence = this.evidence.element;
    const parts = [
      this.#description,
      this.#shares,
      this.#partial,
      evidence,
      this.#problem,
      this.#link,
    ];
    this.element = el("div", { class: "issue-body" }, ...parts);
    this.update(issue);
  }

  update(issue) {
    this.#description.textContent = plain(issue.description);
    this.#partial.hidden = issue.complete !== false;
    this.#shares.replaceChildren(shareBar(issue.sources), sourceLegend(issue.sources));
    this.#link.setAttribute("href", addressOfIssue(issue));
    this.#problem.hidden = !isId(issue.problem);
    this.#problem.setAttribute("href", addressOfProblem(issue.problem));
  }
}

function summaryParts(issue) {
  const reportsProblem = isProblem(issue);
  return [
    el(
      "span",
      { class: "size" },
      el("span", { class: "size-number" }, number(issue.size)),
      el("span", { class: "size-unit" }, issue.size === 1 ? " report" : " reports"),
      shareBar(issue.sources),
    ),
    foreign("h3", "title", issue.title),
    el(
      "span",
      { class: "below" },
      // Only a span of days shows it: see the style.
      el(
        "span",
        { class: "when" },
        el("time", { datetime: issue.issue_date }, shortDayName(issue.issue_date)),
        issue.complete === false ? el("span", { class: "partial" }, " incomplete") : null,
      ),
      // A taste of what opens; a screen reader gets the whole text there.
      aside(foreign("span", "preview", issue.description)),
    ),
    el(
      "span",
      { class: "tags" },
      foreign("span", "category", categoryName(issue.category)),
      // How bad it is and who would pay for a fix is said of problems only.
      reportsProblem ? impactMark(issue.impact) : null,
      reportsProblem && issue.would_pay ? payMark() : null,
      reportsProblem ? null : el("span", { class: "other-theme" }, "Other theme"),
    ),
  ];
}
