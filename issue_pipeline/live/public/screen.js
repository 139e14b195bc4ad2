// Everything around and in the list: draws the state that it is given, and reports what people do.

import { el, plain, setText } from "./dom.js";
import { CATEGORIES, categoryName, count, dayName, number } from "./format.js";
import { IssueRow } from "./issue_row.js";
import { insteadOfIssues } from "./list_states.js";
import { fillShareBar, legendItems, totalShares } from "./source_shares.js";

const ids = [
  "announcer",
  "categories",
  "connection",
  "day",
  "day-picker",
  "filters",
  "heading",
  "incomplete",
  "legend",
  "list",
  "newer",
  "newer-day",
  "offline",
  "older",
  "order",
  "search",
  "share",
  "show-newest",
  "state",
  "summary",
];

export class Screen {
  #parts = Object.fromEntries(ids.map((id) => [id, document.getElementById(id)]));
  #rows = new Map(); // by record id
  #day = null;
  #pills = "";
  #handlers;

  /** @param handlers `dayChosen(day)`, `filtersChanged({category?, query?, order?})`, `newestWanted()`. */
  constructor(handlers) {
    this.#handlers = handlers;
    const { day, older, newer, search, order, categories } = this.#parts;
    day.addEventListener("change", () => handlers.dayChosen(day.value));
    older.addEventListener("click", () => handlers.dayChosen(older.value));
    newer.addEventListener("click", () => handlers.dayChosen(newer.value));
    this.#parts["show-newest"].addEventListener("click", () => handlers.newestWanted());
    search.addEventListener("input", () => handlers.filtersChanged({ query: search.value }));
    order.addEventListener("change", () => handlers.filtersChanged({ order: order.value }));
    categories.addEventListener("change", (event) =>
      handlers.filtersChanged({ category: event.target.value }),
    );
  }

  /** Put filters that came from the address into their fields. */
  showFilters({ query, order }) {
    this.#parts.search.value = query;
    this.#parts.order.value = order;
  }

  /**
   * Draw the state.
   *
   * @param state With `found`, the issues that the search leaves, and `shown`, those of the chosen
   *   category among them, in order.
   * @param how `announce`: these are news, mark them and say so; `evidence`: read open evidence again.
   */
  draw(state, { announce = false, evidence = false } = {}) {
    this.#drawConnection(state);
    this.drawDays(state);
    this.#drawSummary(state);
    this.#drawCategories(state);
    this.#drawRows(state, announce, evidence);
    this.#drawState(state);
  }

  #drawConnection({ online, phase, newerDay, issues }) {
    const { connection, offline, incomplete } = this.#parts;
    const name = online === null ? "connecting" : online ? "live" : "offline";
    connection.dataset.state = name;
    setText(connection, { connecting: "Connecting", live: "Live", offline: "Offline" }[name]);
    offline.hidden = online !== false || phase !== "ready";
    this.#parts["newer-day"].hidden = !newerDay;
    incomplete.hidden = ![...issues.values()].some((issue) => issue.complete === false);
  }

  /** Draw the picker of days alone. */
  drawDays({ days, day: chosen, phase }) {
    const { day: picker, older, newer, heading } = this.#parts;
    const known = [...new Set(chosen === null ? days : [...days, chosen])].sort().reverse();
    if (known.join() !== [...picker.options].map((option) => option.value).join()) {
      picker.replaceChildren(
        ...known.map((day) => el("option", { value: day }, dayName(day, { long: true }))),
      );
    }
    this.#parts["day-picker"].hidden = phase === "ready" && known.length === 0;
    picker.value = chosen ?? "";
    const place = known.indexOf(chosen);
    for (const [button, day] of [
      [older, known[place + 1]],
      [newer, known[place - 1]],
    ]) {
      button.disabled = day === undefined;
      button.value = day ?? "";
    }
    document.title =
      chosen === null ? heading.textContent : `${heading.textContent}, ${dayName(chosen)}`;
  }

  #drawSummary({ issues, phase }) {
    const { summary, share, legend } = this.#parts;
    const all = [...issues.values()];
    const sources = totalShares(all);
    const reports = all.reduce((sum, issue) => sum + issue.size, 0);
    setText(
      summary,
      all.length ? `${count(all.length, "problem")} in ${count(reports, "report")}` : "",
    );
    summary.hidden = phase === "ready" && all.length === 0;
    share.hidden = legend.hidden = summary.hidden;
    fillShareBar(share, sources);
    legend.replaceChildren(...legendItems(sources));
  }

  #drawCategories({ issues, found, category: chosen }) {
    const { filters, categories } = this.#parts;
    filters.hidden = issues.size === 0;
    const names = new Set(Object.keys(CATEGORIES));
    for (const issue of issues.values()) names.add(issue.category);
    if (chosen) names.add(chosen);
    const counts = Map.groupBy(found, (issue) => issue.category);
    const pills = [["", "All", found.length]];
    for (const name of names)
      pills.push([name, plain(categoryName(name)), counts.get(name)?.length ?? 0]);
    const drawn = JSON.stringify([pills, chosen]);
    if (drawn === this.#pills) return;
    this.#pills = drawn;
    const focused = categories.contains(document.activeElement);
    categories.replaceChildren(
      ...pills
        .filter(([name, , issues]) => issues > 0 || name === "" || name === chosen)
        .map(([name, text, issues]) => {
          const radio = el("input", { type: "radio", name: "category", value: name });
          radio.checked = name === chosen;
          return el(
            "label",
            { class: "pill", dir: "auto" },
            radio,
            text,
            " ",
            el("b", {}, number(issues)),
          );
        }),
    );
    if (focused) categories.querySelector(":checked")?.focus();
  }

  #drawRows({ issues, shown, day }, announce, evidence) {
    const { list, announcer } = this.#parts;
    if (day !== this.#day) {
      this.#rows.clear();
      this.#day = day;
    }
    for (const id of this.#rows.keys()) if (!issues.has(id)) this.#rows.delete(id);
    let changed = 0;
    const elements = shown.map((issue) => {
      let row = this.#rows.get(issue.id);
      const isNew = row === undefined;
      if (isNew) this.#rows.set(issue.id, (row = new IssueRow(issue)));
      const isChanged = row.update(issue) || isNew;
      if (announce && isChanged) {
        changed += 1;
        row.markFresh();
      }
      if (evidence || (announce && isChanged)) row.refreshEvidence();
      return row.element;
    });
    arrange(list, elements);
    if (changed) setText(announcer, `${count(changed, "issue")} updated.`);
  }

  #drawState({ phase, online, issues, shown, day, days }) {
    const { state, list } = this.#parts;
    list.setAttribute("aria-busy", String(phase === "loading"));
    let name = "";
    if (phase === "loading") name = online === false ? "away" : "loading";
    else if (phase === "failed") name = "away";
    else if (issues.size === 0) name = days.size === 0 ? "empty" : "empty-day";
    else if (shown.length === 0) name = "no-match";
    if (state.dataset.name === name && state.dataset.day === String(day)) return;
    state.dataset.name = name;
    state.dataset.day = String(day);
    state.replaceChildren(
      ...insteadOfIssues(name, {
        day,
        showNewest: () => this.#handlers.newestWanted(),
        clearFilters: () => this.#clearFilters(),
      }),
    );
  }

  #clearFilters() {
    this.#parts.search.value = "";
    this.#handlers.filtersChanged({ query: "", category: "" });
    this.#parts.search.focus();
  }
}

/** Make the children of a list these, in this order, moving as few as possible: focus stays. */
function arrange(list, elements) {
  const wanted = new Set(elements);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  let next = list.firstElementChild;
  for (const element of elements) {
    if (element === next) next = next.nextElementSibling;
    else list.insertBefore(element, next);
  }
}
