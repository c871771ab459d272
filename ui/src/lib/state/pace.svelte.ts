// How fast jobs read, as the notices tell it: worked out by the core, kept here only for as long as it holds.

import { SvelteMap } from "svelte/reactivity";

import type { Notice, Pace } from "../types";

/** A job that has told nothing for so long reads no longer as fast as it did. */
const HOLDS_FOR = 10_000;

class Paces {
  readonly #byItem = new SvelteMap<string, Pace>();
  #timers = new Map<string, ReturnType<typeof setTimeout>>();

  of(itemId: string): Pace | undefined {
    return this.#byItem.get(itemId);
  }

  hear(notice: Notice): void {
    if (!notice.itemId || !notice.type.startsWith("JOB_")) {
      return;
    }
    const id = notice.itemId;
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    if (notice.pace === undefined) {
      this.#byItem.delete(id);
      return;
    }
    this.#byItem.set(id, notice.pace);
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#timers.delete(id);
        this.#byItem.delete(id);
      }, HOLDS_FOR),
    );
  }

  /** For tests: forgets everything. */
  forget(): void {
    for (const timer of this.#timers.values()) {
      clearTimeout(timer);
    }
    this.#timers.clear();
    this.#byItem.clear();
  }
}

export const paces = new Paces();
