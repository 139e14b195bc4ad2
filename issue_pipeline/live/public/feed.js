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
  #wanted = new Map(); // what is done with an event, by topic
  #heard = new Set(); // topics that the present source has a listener for
  #told = Promise.resolve(); // of the last subscription that was sent

  /**
   * @param handlers `connecting()` whenever it tries. `connected()` after every (re)connection: what
   *   happened meanwhile was missed, so read everything again. `lost()`.
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
    this.#handlers.connecting();
    this.#watch();
    if (document.hidden) this.#seenOrHidden(); // a tab that was opened in the background
    source.addEventListener("PB_CONNECT", (event) => this.#subscribe(source, event));
    source.addEventListener("error", () => {
      if (source !== this.#source) return;
      this.#clientId = null;
      this.#handlers.lost();
      // After a broken connection the browser tries again by itself, after an error reply it does not.
      if (source.readyState === EventSource.CLOSED) this.#openLater();
    });
  }

  /**
   * Want these changes and no others.
   *
   * @param subscriptions Each with the `topic`, such as `issues/*`, the `query` that narrows it down
   *   (`{filter, fields}`), and `changed({action, record})`.
   * @returns A promise of whether the server knows; if not, the next connection tells it.
   */
  async listen(subscriptions) {
    this.#wanted = new Map(
      subscriptions.map(({ topic, query, changed }) => {
        const options = query && encodeURIComponent(JSON.stringify({ query }));
        return [options ? `${topic}?options=${options}` : topic, changed];
      }),
    );
    if (this.#clientId === null) return false;
    try {
      await this.#send(this.#source, this.#clientId);
      return true;
    } catch (error) {
      console.warn(error);
      return false;
    }
  }

  async #subscribe(source, event) {
    this.#watch();
    try {
      const { clientId } = JSON.parse(event.data);
      let told;
      do {
        told = this.#wanted;
        await this.#send(source, clientId);
        if (source !== this.#source) return;
      } while (told !== this.#wanted); // another view was opened meanwhile
      this.#clientId = clientId;
      this.#handlers.connected();
    } catch (error) {
      if (source !== this.#source) return;
      console.warn(error);
      this.#handlers.lost();
      this.#openLater();
    }
  }

  /** Tell the server what is wanted, one request at a time: what arrives last is what counts. */
  #send(source, clientId) {
    const before = this.#told.catch(() => {});
    this.#told = before.then(() => this.#sendNow(source, clientId));
    return this.#told;
  }

  async #sendNow(source, clientId) {
    // The server names events after the subscription.
    const topics = [...this.#wanted.keys()];
    for (const topic of topics) {
      if (this.#heard.has(topic)) continue;
      this.#heard.add(topic);
      source.addEventListener(topic, (event) => {
        this.#watch();
        this.#wanted.get(topic)?.(JSON.parse(event.data));
      });
    }
    const reply = await fetch("api/realtime", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ clientId, subscriptions: topics }),
    });
    if (!reply.ok) throw new Error(`The server answered ${reply.status} to a subscription.`);
  }

  #close() {
    this.#source?.close();
    this.#source = null;
    this.#clientId = null;
    this.#heard.clear();
    this.#told = Promise.resolve();
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
