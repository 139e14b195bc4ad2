// PocketBase's realtime feed: says when it is connected, what changed, and when it was lost.

const RETRY_MS = 2_000;
// The server closes a feed that was silent for five minutes. One that is silent for longer is dead
// without knowing it, after a sleep or a change of network.
const SILENCE_MS = 6 * 60_000;
// A browser opens six connections to a server at most: tabs that nobody looks at would take them
// from the one that somebody opens.
const HIDDEN_MS = 60_000;

export class Feed {
  #handlers;
  #source = null;
  #watchdog = 0;
  #hidden = 0;
  #retry = 0;
  #clientId = null; // while connected
  #listeners = new Map(); // by issue
  #open = new Set(); // issues whose evidence is watched

  /**
   * @param handlers `connected()` after every (re)connection: what happened meanwhile was missed,
   *   so read everything again. `changed({action, record})` of an issue.
   *   `evidenceChanged(issueId)` of one that is watched. `lost()`.
   */
  constructor(handlers) {
    this.#handlers = handlers;
    window.addEventListener("online", () => this.#source && this.open());
    window.addEventListener("offline", () => handlers.lost());
    document.addEventListener("visibilitychange", () => this.#seenOrHidden());
  }

  #seenOrHidden() {
    clearTimeout(this.#hidden);
    if (document.hidden) this.#hidden = setTimeout(() => this.#close(), HIDDEN_MS);
    else if (this.#source === null) this.open();
  }

  /** Connect, or connect anew. */
  open() {
    this.#close();
    const source = new EventSource("api/realtime");
    this.#source = source;
    this.#watch();
    if (document.hidden) this.#seenOrHidden(); // a tab that was opened in the background
    source.addEventListener("PB_CONNECT", (event) => this.#subscribe(source, event));
    source.addEventListener("issues/*", (event) => {
      this.#watch();
      this.#handlers.changed(JSON.parse(event.data));
    });
    source.addEventListener("error", () => {
      if (source !== this.#source) return;
      this.#handlers.lost();
      // After a broken connection the browser tries again by itself, after an error reply it does not.
      if (source.readyState === EventSource.CLOSED) this.#openLater();
    });
  }

  /** Watch the posts of these issues and of no others: all posts of a day would be too many. */
  async watchEvidence(issueIds) {
    this.#open = new Set(issueIds);
    try {
      if (this.#clientId !== null) await this.#send(this.#source, this.#clientId);
    } catch (error) {
      console.warn(error); // the next connection asks again
    }
  }

  async #subscribe(source, event) {
    this.#watch();
    try {
      const { clientId } = JSON.parse(event.data);
      await this.#send(source, clientId);
      if (source !== this.#source) return;
      this.#clientId = clientId;
      this.#handlers.connected();
    } catch (error) {
      if (source !== this.#source) return;
      console.warn(error);
      this.#handlers.lost();
      this.#openLater();
    }
  }

  async #send(source, clientId) {
    const topics = [...this.#open].map((issueId) => {
      const options = JSON.stringify({ query: { filter: `issue = '${issueId}'` } });
      const topic = `issue_evidence/*?options=${encodeURIComponent(options)}`;
      // The server names events after the subscription; adding one again changes nothing.
      source.addEventListener(topic, this.#evidenceListener(issueId));
      return topic;
    });
    const reply = await fetch("api/realtime", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ clientId, subscriptions: ["issues/*", ...topics] }),
    });
    if (!reply.ok) throw new Error(`The server answered ${reply.status} to a subscription.`);
  }

  #evidenceListener(issueId) {
    let listener = this.#listeners.get(issueId);
    if (!listener) {
      listener = () => {
        this.#watch();
        this.#handlers.evidenceChanged(issueId);
      };
      this.#listeners.set(issueId, listener);
    }
    return listener;
  }

  #close() {
    this.#source?.close();
    this.#source = null;
    this.#clientId = null;
    clearTimeout(this.#retry);
    clearTimeout(this.#watchdog);
  }

  #openLater() {
    this.#source.close();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.open(), RETRY_MS);
  }

  #watch() {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.open(), SILENCE_MS);
  }
}
