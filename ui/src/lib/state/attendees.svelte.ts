// The rows of one item, asked for by the window of rows that is on the screen. What was shown stays until the newer
// answer is there.

import { untrack } from "svelte";
import { SvelteMap } from "svelte/reactivity";

import * as ipc from "../ipc";
import type { Attendee, AttendeeSort, AttendeeStatus, CommandError } from "../types";

export const PAGE = 100;
const TYPING_PAUSE = 150;

export class AttendeeRows {
  search = $state("");
  status = $state<AttendeeStatus | null>(null);
  ticket = $state<string | null>(null);
  sort = $state<AttendeeSort>("NAME");
  descending = $state(false);

  total = $state(0);
  matching = $state(0);
  tickets = $state.raw<string[]>([]);
  known = $state(false);
  problem = $state<CommandError | null>(null);

  readonly #itemId: string;
  #pages = new SvelteMap<number, Attendee[]>();
  #fresh = new Set<number>();
  #asked = new Set<number>();
  #question = 0;
  /** The pages that the drawn rows are on. */
  #visible: ReadonlySet<number> = new Set([0]);
  #typing: ReturnType<typeof setTimeout> | null = null;

  constructor(itemId: string) {
    this.#itemId = itemId;
  }

  row(index: number): Attendee | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  get filtered(): boolean {
    return this.search.trim() !== "" || this.status !== null || this.ticket !== null;
  }

  /** Makes sure that these rows are asked for. They need not lie together: the row with the focus stays drawn wherever
   *  one scrolls, and what lies between it and the screen is not wanted. */
  show(indexes: readonly number[]): void {
    untrack(() => {
      this.#visible = new Set(indexes.length === 0 ? [0] : indexes.map((index) => Math.floor(index / PAGE)));
      this.#askVisible();
    });
  }

  /** The item changed: the rows on the screen are asked again, the others when they are needed. */
  changed(): void {
    untrack(() => {
      this.#fresh.clear();
      this.#asked.clear();
      this.#question += 1;
      this.#askVisible();
    });
  }

  /** Another search, filter or order: the rows before no longer apply once the first answer is there. */
  ask(afterTyping = false): void {
    if (this.#typing !== null) {
      clearTimeout(this.#typing);
    }
    const go = () => {
      this.#typing = null;
      this.#visible = new Set([0]);
      this.changed();
    };
    if (afterTyping) {
      this.#typing = setTimeout(go, TYPING_PAUSE);
    } else {
      go();
    }
  }

  orderBy(column: AttendeeSort): void {
    if (this.sort === column) {
      this.descending = !this.descending;
    } else {
      this.sort = column;
      // The newest first is what somebody looks for in times; names start at A.
      this.descending = column === "CHECKED_IN" || column === "REGISTERED";
    }
    this.ask();
  }

  clear(): void {
    this.search = "";
    this.status = null;
    this.ticket = null;
    this.ask();
  }

  #askVisible(): void {
    for (const page of this.#visible) {
      if (!this.#fresh.has(page) && !this.#asked.has(page)) {
        this.#asked.add(page);
        void this.#askPage(page, this.#question);
      }
    }
  }

  async #askPage(page: number, question: number): Promise<void> {
    try {
      const answer = await ipc.listAttendees(this.#itemId, {
        search: this.search.trim(),
        status: this.status,
        ticket: this.ticket,
        sort: this.sort,
        descending: this.descending,
        offset: page * PAGE,
        limit: PAGE,
      });
      if (question !== this.#question) {
        return;
      }
      for (const kept of this.#pages.keys()) {
        // Pages of an earlier question that are not on the screen would show old rows when scrolled to.
        if (!this.#fresh.has(kept) && !this.#asked.has(kept)) {
          this.#pages.delete(kept);
        }
      }
      this.#pages.set(page, answer.rows);
      this.#fresh.add(page);
      this.total = answer.total;
      this.matching = answer.matching;
      this.tickets = answer.tickets;
      this.known = true;
      this.problem = null;
    } catch (refusal) {
      if (question === this.#question) {
        this.problem = refusal as CommandError;
      }
    } finally {
      if (question === this.#question) {
        this.#asked.delete(page);
      }
    }
  }
}
