// Where reports come from, as a bar and as words.

import { el, plain } from "./dom.js";
import { SOURCES, number, sourceName } from "./format.js";

/** Counts by source as pairs, in the same order everywhere. */
export function sharesOf(sources) {
  const known = Object.keys(SOURCES);
  const place = (source) => (known.includes(source) ? known.indexOf(source) : known.length);
  return Object.entries(sources ?? {})
    .filter(([, reports]) => Number.isFinite(reports) && reports > 0)
    .sort(([a], [b]) => place(a) - place(b));
}

/** Add up counts by source over issues. */
export function totalShares(issues) {
  const total = {};
  for (const issue of issues) {
    for (const [source, reports] of sharesOf(issue.sources)) {
      total[source] = (total[source] ?? 0) + reports;
    }
  }
  return total;
}

/** A bar in the proportions of the sources; the legend says the same in words. */
export function shareBar(sources) {
  const bar = el("span", { class: "share-bar", "aria-hidden": "true" });
  fillShareBar(bar, sources);
  return bar;
}

/** Draw the proportions into a bar that is there already. */
export function fillShareBar(bar, sources) {
  bar.replaceChildren(
    ...sharesOf(sources).map(([source, reports]) => {
      const part = el("span", { class: sourceClass(source) });
      part.style.flexGrow = reports;
      return part;
    }),
  );
}

/** The counts by source as a list. */
export function sourceLegend(sources) {
  return el("ul", { class: "legend" }, ...legendItems(sources));
}

/** The items of such a list. */
export function legendItems(sources) {
  return sharesOf(sources).map(([source, reports]) =>
    el(
      "li",
      { class: sourceClass(source) },
      plain(sourceName(source)),
      " ",
      el("b", {}, number(reports)),
    ),
  );
}

/** The class that colours a source. */
export function sourceClass(source) {
  return Object.hasOwn(SOURCES, source) ? `source source-${source}` : "source";
}
