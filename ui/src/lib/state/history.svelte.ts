// What happened to one item, as the core last told it: its attendees' changes by pages, its activity as a whole. What
// was shown stays until the newer answer is there.

import * as ipc from "../ipc";
import type { CommandError, HistoryEntry } from "../types";

const DAY = 24 * 60 * 60_000;

export type Since = "all" | "day" | "outage";

export class Activities {
  entries = $state.raw<HistoryEntry[]>([]);
  lastOutageAt = $state<string | null>(null);
  known = $state(false);
  problem = $state<CommandError | null>(null);
  readonly #itemId: string;
  #again = false;
  #asking: Promise<void> | null = null;

  constructor(itemId: string) {
    this.#itemId = itemId;
  }

  /** Asks again; what is asked meanwhile is one more question. */
  refresh(): Promise<void> {
    this.#again = true;
    this.#asking ??= this.#ask();
    return this.#asking;
  }

  async #ask(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        const answer = await ipc.listActivity(this.#itemId);
        this.entries = answer.entries;
        this.lastOutageAt = answer.lastOutageAt;
        this.known = true;
        this.problem = null;
      } catch (refusal) {
        this.problem = refusal as CommandError;
      }
    }
    this.#asking = null;
  }
}

export class Changes {
  since = $state<Since>("all");
  entries = $state.raw<HistoryEntry[]>([]);
  known = $state(false);
  problem = $state<CommandError | null>(null);
  /** A further page is being read. */
  reading = $state(false);
  /** There are newer ones than those shown, which stayed because somebody reads them. */
  newer = $state(false);
  #next = $state<string | null>(null);
  readonly #itemId: string;
  readonly #lastOutageAt: () => string | null;
  #question = 0;
  /** Which first page is shown: a further page belongs to one of them. */
  #shown = 0;
  /** The time that the shown pages begin at. */
  #from: string | null = null;

  constructor(itemId: string, lastOutageAt: () => string | null) {
    this.#itemId = itemId;
    this.#lastOutageAt = lastOutageAt;
  }

  get more(): boolean {
    return this.#next !== null;
  }

  /** Asks for the newest; they take the place of what is shown. */
  ask(): Promise<void> {
    return this.#askNewest(() => false);
  }

  /** The item changed. While `away` holds, somebody reads further down: then it is only said that there is more. */
  changed(away: () => boolean): Promise<void> {
    return this.#askNewest(away);
  }

  async #askNewest(away: () => boolean): Promise<void> {
    this.#question += 1;
    const question = this.#question;
    const since = this.#sinceTime();
    try {
      const answer = await ipc.listChanges(this.#itemId, { since, after: null });
      if (question !== this.#question) {
        return;
      }
      this.problem = null;
      if (this.known && away()) {
        this.newer ||= JSON.stringify(answer.entries[0]) !== JSON.stringify(this.entries[0]);
        return;
      }
      this.#shown += 1;
      this.#from = since;
      this.entries = answer.entries;
      this.#next = answer.next;
      this.known = true;
      this.newer = false;
      this.reading = false;
    } catch (refusal) {
      if (question === this.#question) {
        this.problem = refusal as CommandError;
      }
    }
  }

  /** Adds the next page to those shown. */
  async readMore(): Promise<void> {
    if (this.#next === null || this.reading) {
      return;
    }
    this.reading = true;
    const shown = this.#shown;
    try {
      const answer = await ipc.listChanges(this.#itemId, { since: this.#from, after: this.#next });
      if (shown === this.#shown) {
        this.entries = [...this.entries, ...answer.entries];
        this.#next = answer.next;
        this.problem = null;
      }
    } catch (refusal) {
      this.problem = refusal as CommandError;
    } finally {
      if (shown === this.#shown) {
        this.reading = false;
      }
    }
  }

  #sinceTime(): string | null {
    switch (this.since) {
      case "all":
        return null;
      case "day":
        return new Date(Date.now() - DAY).toISOString();
      case "outage":
        return this.#lastOutageAt();
    }
  }
}
