// Small bar charts. They are pictures to a screen reader, with a label that says the same in words.

import { number, shortDayName } from "../format.js";

const SVG = "http://www.w3.org/2000/svg";
const SLOT = 10;
const BAR = 7;
const HEIGHT = 100;
const LEAST = 7; // of a bar that stands for something
const NOTHING = 2;

/**
 * A bar for each number.
 *
 * @param values Numbers, none below 0.
 * @param options `label` in words; `before`, how many bars at the beginning are only there to compare
 *   with; `most`, the number of a full bar; `source`, whose colour the bars have; `titles`, a text for
 *   each bar that a pointer shows.
 */
export function barChart(
  values,
  { label, before = 0, most = Math.max(...values), source, titles },
) {
  const chart = shape("svg", {
    class: source ? `chart ${source}` : "chart",
    viewBox: `0 0 ${values.length * SLOT - (SLOT - BAR)} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": label,
  });
  chart.append(
    ...values.map((value, place) => {
      const height = value > 0 ? Math.max(LEAST, (HEIGHT * value) / most) : NOTHING;
      const look = [value > 0 ? "" : "none", place < before ? "before" : ""].join(" ").trim();
      const bar = shape("rect", {
        class: look,
        x: place * SLOT,
        y: HEIGHT - height,
        width: BAR,
        height,
      });
      if (titles) {
        const title = shape("title", {});
        title.textContent = titles[place];
        bar.append(title);
      }
      return bar;
    }),
  );
  return chart;
}

/** "Reports a day, 4 Mar to 10 Mar: at most 9, on 8 Mar." */
export function chartLabel(rows, what = "Reports") {
  if (rows.length === 0) return what;
  const isByWeek = rows.some((row) => row.from !== row.to);
  const most = rows.reduce((a, b) => (b.total > a.total ? b : a));
  const span = `${shortDayName(rows[0].from)} to ${shortDayName(rows.at(-1).to)}`;
  const peak =
    most.total === 0
      ? "none"
      : `at most ${number(most.total)}, ${isByWeek ? "in the week to" : "on"} ${shortDayName(most.to)}`;
  return `${what} a ${isByWeek ? "week" : "day"}, ${span}: ${peak}`;
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
