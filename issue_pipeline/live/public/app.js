// The live page: keeps the issues of a span of days in memory, and the screen the same as them.

import { daysWithIssues, issuesBetween, newestDay } from "./api.js";
import { asCsv, asJson, save } from "./download.js";
import { Feed } from "./feed.js";
import { ORDERS, isProblem, matcher } from "./ranking.js";
import { Screen } from "./screen.js";
import { addressOf, noFilters, readView, spanDays, spanStart } from "./view.js";

// A publishing run sends hundreds of changes within a second: draw them together.
const DRAW_DELAY_MS = 100;
// Reconnecting usually takes less; a state that flickers tells nobody anything.
const OFFLINE_AFTER_MS = 1_500;
const RETRY_MS = 3_000;
// Rows drawn at first and added at the end of the list: thousands would take seconds.
const ROWS = 60;

const state = {
  view: readView(location.search), // days are null until the newest is known
  days: new Set(),
  daysRead: false, // all of them
  issues: new Map(), // of the span, by record id
  phase: "loading", // of the list: loading, ready, failed
  online: null, // null until the feed has said
  newerDay: false,
  rows: ROWS,
};
let shown = []; // all issues that the filters leave, in order

const screen = new Screen({
  dayChosen: (to) => go({ to, from: spanStart(to, spanDays(state.view)) }),
  spanChosen: (days) => go({ from: spanStart(state.view.to, days) }),
  firstDayChosen: (from) => go({ from }),
  filtersChanged(filters) {
    Object.assign(state.view, filters, { issue: "" });
    state.rows = ROWS;
    writeAddress("replaceState");
    draw();
  },
  othersWanted() {
    screen.showFilters(Object.assign(state.view, { others: true }));
    writeAddress("replaceState");
    draw();
  },
  filtersCleared: () => screen.showFilters(Object.assign(state.view, noFilters())),
  newestWanted: () => go({ from: newestKnown(), to: newestKnown() }),
  issuesOpened: (ids) => feed.watchEvidence(ids),
  moreWanted() {
    if (state.rows >= shown.length) return;
    state.rows += ROWS;
    draw();
  },
  linkWanted: () => new URL(addressOf(state.view), location.href).href,
  fileWanted(kind) {
    const { from, to } = state.view;
    const name = `issues-${from === to ? to : `${from}-to-${to}`}.${kind}`;
    if (kind === "csv") save(name, "text/csv", asCsv(shown));
    else save(name, "application/json", asJson(shown, state.view));
  },
});

let turn = 0; // of reading; an answer of an older turn is not wanted any more
const staleEvidence = new Set(); // issues whose posts changed since they were drawn
let held = null; // changes that came while reading, in order
let offlineTimer = 0;
let drawTimer = 0;
let retryTimer = 0;

const feed = new Feed({
  connected() {
    clearTimeout(offlineTimer);
    offlineTimer = 0;
    state.online = true;
    state.daysRead = false;
    refresh();
  },
  changed(change) {
    if (held) held.push(change);
    else apply(change);
    drawSoon();
  },
  evidenceChanged(issueId) {
    staleEvidence.add(issueId);
    drawSoon();
  },
  lost() {
    offlineTimer ||= setTimeout(() => {
      state.online = false;
      draw();
    }, OFFLINE_AFTER_MS);
  },
});

/** Read the span's issues and the days, and take over what changed while they were read. */
async function refresh() {
  turn += 1;
  const mine = turn;
  held = [];
  clearTimeout(retryTimer);
  try {
    if (state.view.to === null) {
      const newest = await newestDay();
      if (mine !== turn) return;
      state.view.from = state.view.to = newest;
    }
    const issues = new Map();
    if (state.view.to !== null) {
      for await (const portion of issuesBetween(state.view.from, state.view.to)) {
        if (mine !== turn) return;
        for (const issue of portion) issues.set(issue.id, issue);
        // The first portion holds the largest; nobody waits for the rest to see them.
        if (state.phase !== "ready") showIssues(new Map(issues));
      }
    }
    showIssues(issues);
    release();
    writeAddress("replaceState");
    draw({ evidence: true });
    if (!state.daysRead) await readDays(mine);
  } catch (error) {
    if (mine !== turn) return;
    console.warn(error);
    if (state.phase === "loading") state.phase = "failed";
    release();
    draw();
    retryTimer = setTimeout(refresh, RETRY_MS);
  }
}

function showIssues(issues) {
  state.issues = issues;
  state.phase = "ready";
  draw();
}

async function readDays(mine) {
  const found = new Set();
  for await (const days of daysWithIssues()) {
    if (mine !== turn) return;
    for (const day of days) found.add(day);
    state.days = new Set([...found, ...state.days]);
    screen.drawDays(state);
  }
  state.days = found;
  state.daysRead = true;
  state.newerDay &&= newestKnown() > state.view.to;
  draw();
}

function release() {
  const changes = held ?? [];
  held = null;
  changes.forEach(apply);
}

function apply({ action, record }) {
  const { from, to } = state.view;
  const isOnShow = from <= record.issue_date && record.issue_date <= to;
  if (action === "delete" || !isOnShow) state.issues.delete(record.id);
  else state.issues.set(record.id, record);
  if (action === "delete") return;
  const newest = newestKnown();
  state.days.add(record.issue_date);
  if (to === null)
    refresh(); // the very first issue of all
  else if (record.issue_date > to && (newest === null || record.issue_date > newest))
    state.newerDay = true;
}

function newestKnown() {
  return [...state.days].reduce((a, b) => (a === null || b > a ? b : a), null);
}

function go(days) {
  const view = { ...state.view, ...days };
  if (view.to === null || (view.from === state.view.from && view.to === state.view.to)) return;
  Object.assign(state.view, view, { issue: "" });
  Object.assign(state, { issues: new Map(), phase: "loading", rows: ROWS });
  state.newerDay &&= view.to !== newestKnown();
  writeAddress("pushState");
  draw();
  refresh();
}

function drawSoon() {
  drawTimer ||= setTimeout(() => draw({ announce: true }), DRAW_DELAY_MS);
}

function draw(how = {}) {
  clearTimeout(drawTimer);
  drawTimer = 0;
  const { view } = state;
  // A link to another theme shows it.
  const linkedIssue = state.issues.get(view.issue);
  if (linkedIssue && !isProblem(linkedIssue)) view.others = true;
  const found = [...state.issues.values()].filter(matcher(view));
  shown = found.filter((issue) => !view.category || issue.category === view.category);
  shown.sort(ORDERS[view.order]);
  // A link to an issue shows it, however far down it stands.
  const linked = view.issue ? shown.findIndex((issue) => issue.id === view.issue) : -1;
  state.rows = Math.max(state.rows, linked + 1);
  screen.draw({ ...state, found, shown }, { ...how, stale: new Set(staleEvidence) });
  staleEvidence.clear();
}

/** What is shown has an address, so that it can be shared and found again. */
function writeAddress(method) {
  const address = addressOf(state.view);
  if (address !== location.pathname + location.search) history[method](null, "", address);
}

window.addEventListener("popstate", () => {
  const { from, to } = state.view;
  state.view = readView(location.search);
  screen.showFilters(state.view);
  if (state.view.from !== from || state.view.to !== to)
    Object.assign(state, { issues: new Map(), phase: "loading" });
  state.rows = ROWS;
  draw();
  refresh();
});

screen.showFilters(state.view);
draw();
refresh(); // without waiting for the feed: the list is what people came for
feed.open();
