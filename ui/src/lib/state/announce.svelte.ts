// What a screen reader is told without asking: changes of status, an import's start, quarters and end. Merged, so that
// a network failure is one sentence and not fifty. Counters and countdowns are never said.

import { badgeOf } from "../badge";
import type { ItemView } from "../types";
import { titled, words } from "../words";

const MERGE = 5_000;

interface Heard {
  word: string;
  quarter: number;
}

class Announcer {
  text = $state("");
  #last = new Map<string, Heard>();
  #pending = new Map<string, string[]>();
  #progress = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Compares with what was last seen. The first sight of the list says nothing. */
  see(all: readonly ItemView[]): void {
    const first = this.#last.size === 0;
    const seen = new Map<string, Heard>();
    for (const item of all) {
      const word = badgeOf(item).word;
      const job = item.activeJob;
      const quarter =
        word === "Importing" && job !== null && job.total !== null && job.total > 0
          ? Math.min(3, Math.floor((4 * job.done) / job.total))
          : 0;
      seen.set(item.id, { word, quarter });
      const before = this.#last.get(item.id);
      if (first) {
        continue;
      }
      if (before === undefined || before.word !== word) {
        this.#progress.delete(item.id);
        if (word === "Importing") {
          this.#progress.set(item.id, words.heard.importStarted(titled(item)));
        } else {
          this.#pending.set(word, [...(this.#pending.get(word) ?? []), titled(item)]);
        }
      } else if (quarter > before.quarter) {
        this.#progress.set(item.id, words.heard.importPercent(titled(item), quarter * 25));
      }
    }
    this.#last = seen;
    if (this.#pending.size + this.#progress.size > 0) {
      this.#timer ??= setTimeout(() => this.#say(), MERGE);
    }
  }

  #say(): void {
    this.#timer = null;
    const sentences = [...this.#pending].map(([word, titles]) => {
      const said = word.toLowerCase();
      return titles.length === 1 ? words.heard.one(titles[0] ?? "", said) : words.heard.many(titles.length, said);
    });
    this.text = [...sentences, ...this.#progress.values()].join(". ");
    this.#pending.clear();
    this.#progress.clear();
  }
}

export const announcer = new Announcer();
