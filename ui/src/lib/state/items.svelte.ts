// All items as the core last told them. Nothing here changes an item by itself: a notice only says what to ask again.
// List, page and title all read `all` and `get`, so that they cannot differ.

import { SvelteMap } from "svelte/reactivity";

import * as ipc from "../ipc";
import type { CommandError, ItemView, Notice } from "../types";

/** Counts that move many times a second are asked for at most this often. */
const PROGRESS_PAUSE = 400;
/** Above this many items at once, one list costs less than many single questions. */
const MANY = 8;

class Items {
  /** Replaced as a whole: a signal for each of thousands of items costs a start more than it ever saves. */
  #byId = $state.raw<ReadonlyMap<string, ItemView>>(new Map());
  /** Whether the first answer has come: before it, nothing is known, which is not the same as nothing there. */
  known = $state(false);
  /** Set while the core does not answer; cleared by its next answer. */
  problem = $state<CommandError | null>(null);
  /** Clicks on Retry since the item last succeeded, by item. */
  readonly retries = new SvelteMap<string, number>();

  #allDirty = false;
  #dirty = new Set<string>();
  #asking: Promise<void> | null = null;
  /** How often somebody wanted to know: a question that is refused may have been joined by newer ones. */
  #wanted = 0;
  #progressTimer: ReturnType<typeof setTimeout> | null = null;
  #progressed = new Set<string>();

  /** Every item. While the core does not answer none of them can be green: that it holds now is no longer known. */
  readonly all = $derived.by(() => Array.from(this.#byId.values(), (item) => this.#asKnown(item)));

  get(id: string): ItemView | undefined {
    const item = this.#byId.get(id);
    return item === undefined ? undefined : this.#asKnown(item);
  }

  #asKnown(item: ItemView): ItemView {
    return this.problem !== null && item.freshness === "LIVE" ? { ...item, freshness: "CHECKING" } : item;
  }

  /** Asks for everything again. */
  refresh(): Promise<void> {
    this.#allDirty = true;
    return this.#ask();
  }

  /** Asks for one item again. */
  refreshOne(id: string): Promise<void> {
    this.#dirty.add(id);
    return this.#ask();
  }

  hear(notice: Notice): void {
    if (notice.type === "INTEGRATION_CHANGED" || notice.type === "OUT_OF_DATE") {
      void this.refresh();
    } else if (notice.type === "JOB_PROGRESSED" && notice.itemId) {
      this.#progressed.add(notice.itemId);
      this.#progressTimer ??= setTimeout(() => this.#askProgressed(), PROGRESS_PAUSE);
    } else if (notice.itemId) {
      void this.refreshOne(notice.itemId);
    } else if (notice.type === "ITEM_CHANGED" || notice.type.startsWith("JOB_")) {
      void this.refresh();
    }
  }

  #askProgressed(): void {
    this.#progressTimer = null;
    for (const id of this.#progressed) {
      this.#dirty.add(id);
    }
    this.#progressed.clear();
    void this.#ask();
  }

  /** One question at a time: an answer is never older than what is shown, and what changes meanwhile is asked next. */
  #ask(): Promise<void> {
    this.#wanted += 1;
    this.#asking ??= this.#askUntilClean();
    return this.#asking;
  }

  async #askUntilClean(): Promise<void> {
    while (this.#allDirty || this.#dirty.size > 0) {
      const all = this.#allDirty || !this.known || this.#dirty.size > MANY;
      const ids = [...this.#dirty];
      const wanted = this.#wanted;
      this.#allDirty = false;
      this.#dirty.clear();
      try {
        if (all) {
          this.#replaceAll(await ipc.listItems());
          this.problem = null;
        } else {
          await Promise.all(ids.map((id) => this.#askOne(id)));
        }
      } catch (refusal) {
        // What was not answered is asked again with the next question.
        this.#allDirty = true;
        this.problem = refusal as CommandError;
        if (wanted === this.#wanted) {
          break;
        }
      }
    }
    // In the same step as the last look at what is dirty: a question asked from now on starts anew.
    this.#asking = null;
  }

  async #askOne(id: string): Promise<void> {
    try {
      this.#put(await ipc.showItem(id));
    } catch (refusal) {
      if ((refusal as CommandError).code !== "NOT_FOUND") {
        throw refusal;
      }
      const left = new Map(this.#byId);
      left.delete(id);
      this.#byId = left;
    }
  }

  #replaceAll(answer: ItemView[]): void {
    const heard = new Map(answer.map((item) => [item.id, this.#heard(item)]));
    if (heard.size !== this.#byId.size || [...heard].some(([id, item]) => this.#byId.get(id) !== item)) {
      this.#byId = heard;
    }
    this.known = true;
  }

  #put(item: ItemView): void {
    const heard = this.#heard(item);
    if (heard !== this.#byId.get(item.id)) {
      this.#byId = new Map(this.#byId).set(item.id, heard);
    }
  }

  /** An unchanged item keeps its identity: nothing of it is drawn again. */
  #heard(item: ItemView): ItemView {
    if (item.syncStatus === "ACTIVE" && this.retries.size > 0) {
      this.retries.delete(item.id);
    }
    const before = this.#byId.get(item.id);
    return before !== undefined && JSON.stringify(before) === JSON.stringify(item) ? before : item;
  }

  countRetry(id: string): void {
    this.retries.set(id, (this.retries.get(id) ?? 0) + 1);
  }

  /** For tests: forgets everything. */
  forget(): void {
    this.#byId = new Map();
    this.known = false;
    this.problem = null;
    this.retries.clear();
  }
}

export const items = new Items();
