// The live page: shows the view that the address names, and keeps it up to date.

import { DaysView } from "./days_view.js";
import { LiveUpdates } from "./live_updates.js";
import { isOutdated } from "./page_version.js";
import { ProblemView } from "./problems/problem_view.js";
import { ProblemsView } from "./problems/problems_view.js";
import { readRoute } from "./routes.js";

const live = new LiveUpdates(
  () => current.refresh(),
  async () => {
    current.connected?.();
    // A server that is back may be a newer one.
    document.getElementById("newer-page").hidden = !(await isOutdated());
  },
);

/** What the views share. */
const page = {
  live,
  /** What is shown has an address, so that it can be shared and found again. */
  setAddress(address, { replace = false } = {}) {
    if (address === location.pathname + location.search + location.hash) return;
    history[replace ? "replaceState" : "pushState"](null, "", address);
  },
  setTitle(title) {
    document.title = title;
  },
  /** Want other changes than before, or the same of another record. */
  listen() {
    live.listen(current.subscriptions());
  },
  /** There is nothing to open on: show the newest day. */
  showNewestDay: () => enter({ name: "days", search: "" }),
};

const views = {
  problems: new ProblemsView(page),
  problem: new ProblemView(page),
  days: new DaysView(page),
};
let current = null;
const main = document.getElementById("main");
// Only the one on show is in the document: a name, a label or an id stands there once.
const sections = Object.fromEntries(
  Object.keys(views).map((name) => [name, document.getElementById(`${name}-view`)]),
);
const place = document.createComment("view");
main.insertBefore(place, sections.problems);
for (const section of Object.values(sections)) {
  section.remove();
  section.hidden = false;
}

async function enter({ name, ...given }, { isFirst = false } = {}) {
  const view = views[name];
  const isOther = view !== current;
  if (isOther) {
    current?.hide();
    current = view;
    for (const section of Object.values(sections)) section.remove();
    main.insertBefore(sections[name], place);
    for (const link of document.querySelectorAll("nav a")) {
      if (link.dataset.view === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
  view.show(given);
  if (isOther && !isFirst) {
    const position = view.position ?? 0;
    const focused = view.lastFocused?.() ?? sections[name].querySelector("h1");
    focused.focus({ preventScroll: true });
    scrollTo(0, position);
  }
  // What changed between the reading and the subscription is missed.
  if (await live.listen(view.subscriptions())) live.read();
}

const follow = () => enter(readRoute(location));
window.addEventListener("popstate", follow);
document.getElementById("reload").addEventListener("click", () => location.reload());

// Links between views load nothing anew.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a");
  const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || event.button !== 0 || !isPlain || event.defaultPrevented) return;
  if (link.target || link.origin !== location.origin || link.pathname !== location.pathname) return;
  event.preventDefault();
  if (link.classList.contains("skip-link")) {
    main.querySelector("h1").focus();
    return;
  }
  page.setAddress(link.pathname + link.search + link.hash);
  follow();
});

enter(readRoute(location), { isFirst: true });
live.open();
