// The posts behind an issue, read when it is opened, a page at a time.

import { evidencePage } from "./api.js";
import { el, foreign, plain, postLink } from "./dom.js";
import { count, number, parseTime, sourceName, timeName } from "./format.js";
import { sourceClass } from "./source_shares.js";

const PAGE_POSTS = 10;
const ORDERS = { nearest: "Nearest to the middle", votes: "Most voted" };
const LICENCE = "https://stackoverflow.com/help/licensing";

export class EvidenceList {
  #issueId;
  #posts = el("ol", { class: "posts" });
  #status = el("p", { class: "posts-status", role: "status" });
  #more = el("button", { type: "button", class: "more" });
  #order = el(
    "select",
    { "aria-label": "Order of the posts" },
    ...Object.entries(ORDERS).map(([value, name]) => el("option", { value }, name)),
  );
  #pages = 0;
  #loading = false;
  #stale = false;

  /** @param heading What the posts stand under, such as `h4`, or null for no heading. */
  constructor(issueId, heading = "h4") {
    this.#issueId = issueId;
    this.#more.hidden = true;
    this.#more.addEventListener("click", () => this.#show(this.#pages + 1));
    this.#order.addEventListener("change", () => this.reload());
    const order = el("span", { class: "dropdown field" }, this.#order);
    order.hidden = true; // until there are posts to put in order
    this.element = el(
      "section",
      { class: "evidence", "aria-label": "Evidence" },
      el(
        "div",
        { class: "evidence-head" },
        heading && el(heading, {}, "Evidence"),
        order,
      ),
      this.#posts,
      this.#status,
      this.#more,
    );
  }

  /** Show the first page, unless something is shown already. */
  load() {
    if (this.#pages === 0) this.#show(1);
    else this.reload();
  }

  /** Read again as many pages as are shown. */
  reload() {
    this.#show(Math.max(this.#pages, 1));
  }

  async #show(pages) {
    if (this.#loading) {
      this.#stale = true; // what is being read may be old already
      return;
    }
    this.#loading = true;
    this.#stale = false;
    this.#more.disabled = true;
    if (this.#pages === 0) this.#status.textContent = "Loading evidence…";
    try {
      const { posts, total } = await readPages(this.#issueId, pages, this.#order.value);
      const isMore = this.#pages > 0 && pages > this.#pages;
      const added = isMore ? this.#posts.childElementCount : null;
      this.#posts.replaceChildren(...posts.map(postItem));
      this.#pages = pages;
      this.#sayRest(posts.length, total);
      // A keyboard user goes on with the first of the new posts, where the button was.
      if (added !== null) this.#posts.children[added]?.querySelector("a")?.focus();
    } catch (error) {
      console.warn(error);
      this.#status.textContent = "The evidence could not be loaded.";
      this.#more.textContent = "Try again";
      this.#more.hidden = false;
    } finally {
      this.#loading = false;
      this.#more.disabled = false;
    }
    if (this.#stale) this.reload();
  }

  #sayRest(shown, total) {
    const left = total - shown;
    this.#order.parentElement.hidden = total < 2;
    this.#more.hidden = left <= 0;
    this.#more.textContent = `Show ${number(Math.min(left, PAGE_POSTS))} more`;
    this.#status.textContent =
      total === 0
        ? "No posts are linked to this issue."
        : `${number(shown)} of ${count(total, "post")}`;
  }
}

async function readPages(issueId, pages, order) {
  const posts = new Map(); // by id: a post that moved between two pages comes once
  let total = 0;
  for (let page = 1; page <= pages; page += 1) {
    const reply = await evidencePage(issueId, page, PAGE_POSTS, order);
    for (const post of reply.items) posts.set(post.id, post);
    total = reply.totalItems;
  }
  return { posts: [...posts.values()], total };
}

function postItem(post) {
  const posted = parseTime(post.posted_at);
  const facts = [
    el("span", { class: sourceClass(post.source) }, plain(sourceName(post.source))),
    posted && el("time", { datetime: posted.toISOString() }, timeName(posted)),
    el("span", {}, count(post.votes, "vote")),
    el("span", {}, count(post.comments, "comment")),
  ];
  if (post.source === "stackoverflow") {
    facts.push(el("a", { href: LICENCE, rel: "noopener noreferrer nofollow license" }, "CC BY-SA"));
  }
  return el(
    "li",
    { class: "post" },
    postLink(post.url, post.title),
    el("p", { class: "facts" }, ...facts),
    post.snippet ? foreign("p", "snippet", post.snippet) : null,
  );
}
