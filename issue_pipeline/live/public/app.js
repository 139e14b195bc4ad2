// The live page: keeps a day's issues in memory, and what is on the screen the same as them.

import { daysWithIssues, issuesOfDay } from "./api.js";
import { Feed } from "./feed.js";
import { isDay } from "./format.js";
import { ORDERS, matcher } from "./ranking.js";
import { Screen } from "./screen.js";

// A publishing run sends hundreds of changes within a second: draw them together.
const DRAW_DELAY_MS = 100;
// Reconnecting usually takes less; a state that flickers tells nobody anything.
const OFFLINE_AFTER_MS = 1_500;
const RETRY_MS = 3_000;

const state = {
  days: new Set(),
  daysRead: false, // all of them
  day: null, // chosen by the address or by hand; null until the newest is known
  issues: new Map(), // of that day, by record id
  phase: "loading", // of the list: loading, ready, failed
  online: null, // null until the feed has said
  newerDay: false,
  category: "",
  query: "",
  order: "important",
};
const screen = new Screen({
  dayChosen: (day) => go({ day }),
  filtersChanged(filters) {
    Object.assign(state, filters);
    writeAddress("replaceState");
    draw();
  },
  newestWanted: () => go({ day: newestDay() }),
});

let turn = 0; // of reading; an answer of an older turn is not wanted any more
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
  lost() {
    offlineTimer ||= setTimeout(() => {
      state.online = false;
      draw();
    }, OFFLINE_AFTER_MS);
  },
});

/** Read the days and the day's issues, and take over what changed while they were read. */
async function refresh() {
  turn += 1;
  const mine = turn;
  held = [];
  clearTimeout(retryTimer);
  try {
    const portions = daysWithIssues();
    const first = (await portions.next()).value ?? [];
    if (mine !== turn) return;
    const day = state.day ?? first[0] ?? null;
    const issues = day === null ? [] : await issuesOfDay(day);
    if (mine !== turn) return;
    state.days = new Set(state.daysRead ? [...state.days, ...first] : first);
    state.day = day;
    state.issues = new Map(issues.map((issue) => [issue.id, issue]));
    state.phase = "ready";
    state.newerDay &&= first[0] > day;
    release();
    writeAddress("replaceState");
    draw({ evidence: true });
    if (state.daysRead) return;
    for await (const days of portions) {
      if (mine !== turn) return;
      for (const found of days) state.days.add(found);
      screen.drawDays(state);
    }
    state.daysRead = true;
  } catch (error) {
    if (mine !== turn) return;
    console.warn(error);
    if (state.phase === "loading") state.phase = "failed";
    release();
    draw();
    retryTimer = setTimeout(refresh, RETRY_MS);
  }
}

function release() {
  const changes = held ?? [];
  held = null;
  changes.forEach(apply);
}

function apply({ action, record }) {
  const isOfDay = record.issue_date === state.day;
  if (action === "delete" || !isOfDay) state.issues.delete(record.id);
  else state.issues.set(record.id, record);
  if (action === "delete") return;
  const newest = newestDay();
  state.days.add(record.issue_date);
  if (state.day === null)
    refresh(); // the very first issue of all
  else if (newest !== null && record.issue_date > newest) state.newerDay = true;
}

function newestDay() {
  return [...state.days].reduce((a, b) => (a === null || b > a ? b : a), null);
}

function go({ day }) {
  if (day === null || day === state.day) return;
  Object.assign(state, { day, issues: new Map(), phase: "loading" });
  state.newerDay &&= day !== newestDay();
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
  const matches = matcher(state.query);
  const found = [...state.issues.values()].filter(matches);
  const shown = found.filter((issue) => !state.category || issue.category === state.category);
  screen.draw({ ...state, found, shown: shown.sort(ORDERS[state.order]) }, how);
}

/** What is shown has an address, so that it can be shared and found again. */
function writeAddress(method) {
  const query = new URLSearchParams();
  if (state.day !== null) query.set("day", state.day);
  if (state.category) query.set("category", state.category);
  if (state.query.trim()) query.set("q", state.query.trim());
  if (state.order !== "important") query.set("order", state.order);
  const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
  if (address !== location.pathname + location.search) history[method](null, "", address);
}

function readAddress() {
  const query = new URLSearchParams(location.search);
  const day = query.get("day");
  state.day = isDay(day) ? day : null;
  state.category = query.get("category") ?? "";
  state.query = query.get("q") ?? "";
  state.order = Object.hasOwn(ORDERS, query.get("order")) ? query.get("order") : "important";
  screen.showFilters(state);
}

window.addEventListener("popstate", () => {
  const before = state.day;
  readAddress();
  if (state.day !== before) Object.assign(state, { issues: new Map(), phase: "loading" });
  draw();
  refresh();
});

readAddress();
draw();
refresh(); // without waiting for the feed: the list is what people came for
feed.open();
