// Keeps what is on show up to date: by the server's feed, or by reading again where the feed does not
// come through; and says which.

import { setText } from "./dom.js";
import { Feed } from "./feed.js";

// Reconnecting usually takes less; a state that flickers tells nobody anything.
const AWAY_AFTER_MS = 1_500;
const RETRY_MS = 3_000;
// A feed that takes longer is held back on its way, by a proxy that collects replies before it
// passes them on.
const FEED_LATE_AFTER_MS = 8_000;
const POLL_MS = 30_000;

const WORDS = {
  connecting: "Connecting",
  live: "Live",
  polling: "Every 30 seconds",
  offline: "Offline",
};

export class LiveUpdates {
  #refresh;
  #feed;
  #reading = 0;
  #next = 0; // timer of the next reading
  #away = 0; // timer after the loss of the feed
  #late = 0; // timer of a feed that is being waited for
  #isLive = false;
  #isLate = false;
  #answered = null; // whether the server answered the last reading
  #hasRead = false; // whether it ever did
  #parts = Object.fromEntries(
    ["connection", "offline", "polling"].map((id) => [id, document.getElementById(id)]),
  );

  /**
   * @param refresh Reads what is on show; a promise of whether the server answered.
   * @param connected Called when the feed connects.
   */
  constructor(refresh, connected) {
    this.#refresh = refresh;
    this.#feed = new Feed({
      connecting: () => {
        if (this.#isLate) return; // it is being read again already
        this.#late ||= setTimeout(() => this.#feedIsLate(), FEED_LATE_AFTER_MS);
      },
      connected: () => {
        this.#clearWaiting();
        this.#isLive = true;
        this.#isLate = false;
        this.read();
        connected();
      },
      lost: () => {
        this.#isLive = false;
        if (this.#isLate) return; // it is being read again anyway
        this.#away ||= setTimeout(() => this.read(), AWAY_AFTER_MS);
        this.#late ||= setTimeout(() => this.#feedIsLate(), FEED_LATE_AFTER_MS);
      },
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#isLate) this.read();
    });
  }

  /** Connect. */
  open() {
    this.#feed.open();
  }

  /** Want these changes and no others (see `Feed.listen`). */
  listen(subscriptions) {
    return this.#feed.listen(subscriptions);
  }

  /** Read what is on show now, and again when the server did not answer or the feed is late. */
  async read() {
    this.#reading += 1;
    const mine = this.#reading;
    clearTimeout(this.#next);
    const answered = await this.#refresh();
    if (mine !== this.#reading) return;
    this.#answered = answered;
    this.#hasRead ||= answered;
    this.#draw();
    if (!answered) this.#readIn(RETRY_MS);
    else if (this.#isLate) this.#readIn(POLL_MS);
  }

  #readIn(milliseconds) {
    clearTimeout(this.#next);
    this.#next = setTimeout(() => {
      // Nobody looks; coming back reads at once.
      if (document.hidden && this.#isLate) return;
      this.read();
    }, milliseconds);
  }

  #feedIsLate() {
    this.#clearWaiting();
    if (document.hidden) return; // whoever comes back connects anew
    this.#isLive = false;
    this.#isLate = true;
    this.read();
  }

  #clearWaiting() {
    clearTimeout(this.#away);
    clearTimeout(this.#late);
    this.#away = this.#late = 0;
  }

  #draw() {
    const { connection, offline, polling } = this.#parts;
    let name = "connecting";
    if (this.#answered === false) name = "offline";
    else if (this.#isLive) name = "live";
    else if (this.#isLate) name = "polling";
    connection.dataset.state = name;
    setText(connection, WORDS[name]);
    // Where nothing was read yet, the list itself says why.
    offline.hidden = name !== "offline" || !this.#hasRead;
    polling.hidden = name !== "polling";
  }
}
