// How a problem moves, in words and by a sign; never by colour alone.

import { aside, el, plain } from "../dom.js";

export const STATES = {
  new: "New",
  growing: "Growing",
  returned: "Returned",
  steady: "Steady",
  fading: "Fading",
  quiet: "Quiet",
};
const SIGNS = {
  new: "\u2726",
  growing: "\u2197",
  returned: "\u21ba",
  steady: "\u2192",
  fading: "\u2198",
  quiet: "\u2013",
};

/** A state as a word with its sign. */
export function stateMark(state) {
  const isKnown = Object.hasOwn(STATES, state);
  return el(
    "span",
    { class: isKnown ? `trend trend-${state}` : "trend" },
    isKnown ? aside(el("span", { class: "sign" }, SIGNS[state])) : null,
    isKnown ? STATES[state] : plain(state),
  );
}

/** "+29 since last week", "as many as last week"; "" where all reports are of this week. */
export function changeInWords({ posts, posts_7d, posts_week_before, comparable }) {
  // The problem is new, or nothing was collected before: there is nothing to compare.
  if (posts === posts_7d) return "";
  if (!comparable) return "not compared: days are missing";
  const growth = posts_7d - posts_week_before;
  if (!Number.isFinite(growth)) return "";
  if (growth === 0) return "as many as last week";
  // A minus sign, which is as wide as the plus.
  return `${growth > 0 ? "+" : "\u2212"}${Math.abs(growth).toLocaleString("en-GB")} since last week`;
}
