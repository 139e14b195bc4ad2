// What stands in the place of the list when there is nothing to list.

import { el } from "./dom.js";

const SKELETON_ROWS = 8;

/**
 * The elements for a state of the list.
 *
 * @param name `loading`, `away`, `empty` (no issue at all), `empty-day`, `only-others`, `no-match`; anything else
 *   means that the list stands for itself.
 * @param context `days`, in words, and what the buttons do: `showNewest()`, `showOthers()`,
 *   `clearFilters()`.
 */
export function insteadOfIssues(name, { days, showNewest, showOthers, clearFilters }) {
  switch (name) {
    case "loading":
      return skeletons("Loading issues…");
    case "away":
      return [message("The server is out of reach", "This page tries again every few seconds.")];
    case "empty":
      return [message("No issues yet", "They appear here as soon as a day is published.")];
    case "empty-day":
      return [
        message(
          `No issues ${days}`,
          "Either nothing was reported often enough, or the day was not published.",
          button("Show the newest day", showNewest),
        ),
      ];
    case "only-others":
      return [
        message(
          `No problems ${days}`,
          "Posts were grouped, but what they share is no problem.",
          button("Show other themes", showOthers),
        ),
      ];
    case "no-match":
      return [
        message(
          "Nothing matches",
          "No issue here has these words and passes these filters.",
          button("Clear the filters", clearFilters),
        ),
      ];
    default:
      return [];
  }
}

/**
 * The same for the list of problems.
 *
 * @param name `loading`, `away`, `empty` (no problem at all), `empty-span`, `no-match`.
 * @param context `span`, in words, `isAll`, and what the buttons do: `showAll()`, `clearFilters()`.
 */
export function insteadOfProblems(name, { span, isAll, showAll, clearFilters }) {
  switch (name) {
    case "loading":
      return skeletons("Loading problems…");
    case "away":
      return [message("The server is out of reach", "This page tries again every few seconds.")];
    case "empty":
      return [message("No problems yet", "They appear here as soon as a day is published.")];
    case "empty-span":
      return [
        message(
          `No problems ${span}`,
          "Nothing was reported often enough, or no day was published.",
          button("Show all days", showAll),
        ),
      ];
    case "no-match":
      return [
        message(
          "Nothing matches",
          `No problem has these words and passes these filters${isAll ? "" : ` ${span}`}.`,
          button("Clear the filters", clearFilters),
          isAll ? null : button("Look in all days", showAll),
        ),
      ];
    default:
      return [];
  }
}

function skeletons(text) {
  return [
    el("p", { class: "visually-hidden", role: "status" }, text),
    ...Array.from({ length: SKELETON_ROWS }, skeleton),
  ];
}

function skeleton() {
  return el("div", { class: "skeleton", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
}

function message(title, text, ...actions) {
  const parts = [el("h3", {}, title), el("p", {}, text), ...actions];
  return el("div", { class: "message", role: "status" }, ...parts);
}

function button(text, action) {
  const element = el("button", { type: "button", class: "more" }, text);
  element.addEventListener("click", action);
  return element;
}
