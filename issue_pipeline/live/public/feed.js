// PocketBase's realtime feed: says when it is connected, what changed, and when it was lost.

const RETRY_MS = 2_000;
// The server closes a feed that was silent for five minutes. One that is silent for longer is dead
// without knowing it, after a sleep or a change of network.
const SILENCE_MS = 6 * 60_000;

export class Feed {
  #handlers;
  #source = null;
  #watchdog = 0;
  #retry = 0;

  /**
   * @param handlers `connected()` after every (re)connection: what happened meanwhile was missed,
   *   so read everything again. `changed(topic, {action, record})`. `lost()`.
   */
  constructor(handlers) {
    this.#handlers = handlers;
    window.addEventListener("online", () => this.open());
    window.addEventListener("offline", () => handlers.lost());
  }

  /** Connect, or connect anew. */
  open() {
    this.#source?.close();
    clearTimeout(this.#retry);
    const source = new EventSource("/api/realtime");
    this.#source = source;
    this.#watch();
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

  async #subscribe(source, event) {
    this.#watch();
    try {
      const { clientId } = JSON.parse(event.data);
      const reply = await fetch("/api/realtime", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ clientId, subscriptions: ["issues/*"] }),
      });
      if (!reply.ok) throw new Error(`The server answered ${reply.status} to a subscription.`);
      if (source === this.#source) this.#handlers.connected();
    } catch (error) {
      if (source !== this.#source) return;
      console.warn(error);
      this.#handlers.lost();
      this.#openLater();
    }
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
