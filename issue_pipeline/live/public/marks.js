// Small marks of an issue or a problem, alike in every view.

import { aside, el } from "./dom.js";
import { IMPACTS } from "./format.js";

/** How bad it is, as bars and as a word; null for a level that nobody knows. */
export function impactMark(impact) {
  if (!Object.hasOwn(IMPACTS, impact)) return null;
  return el(
    "span",
    { class: `impact impact-${impact}` },
    aside(el("span", { class: "impact-bars" }, el("i"), el("i"), el("i"))),
    IMPACTS[impact],
    el("span", { class: "visually-hidden" }, " impact"),
  );
}

/** People would pay for a fix. */
export const payMark = () => el("span", { class: "would-pay" }, "Would pay");
