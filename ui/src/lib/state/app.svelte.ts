// The app itself: its version, its data folder and what is wrong with it; and the start, which paints the stored list
// before anything that could take long.

import { untrack } from "svelte";

import * as ipc from "../ipc";
import type { AppStatus } from "../types";
import { tellNotice } from "./act.svelte";
import { clock } from "./clock.svelte";
import { integrations } from "./integrations.svelte";
import { items } from "./items.svelte";

/** What is green now may be stale later without anybody telling: the core decides that by age, when asked. */
const ASK_AGAIN = 30_000;

class App {
  status = $state.raw<AppStatus | null>(null);

  /** Asks for everything again. */
  async refresh(): Promise<void> {
    // Read without being tracked: the start runs in an effect, which must not run again with every answer.
    if (untrack(() => items.problem !== null || this.status?.problem)) {
      // Asking for the status opens what could not be opened. What is asked before that is refused once more.
      await this.#askStatus();
    }
    await Promise.all([items.refresh(), integrations.refresh(), this.#askStatus()]);
  }

  async #askStatus(): Promise<void> {
    try {
      this.status = await ipc.appStatus();
    } catch {
      // The list's own problem is said; the version can wait.
    }
  }

  /** Starts listening and asks for everything; the returned function ends it. */
  start(): () => void {
    const listening = ipc.onNotice((notice) => {
      items.hear(notice);
      integrations.hear(notice);
      tellNotice(notice);
    });
    void this.refresh();
    // Whatever changed before we listened is asked again.
    void listening.then(() => this.refresh()).catch(() => undefined);
    const timer = setInterval(() => void items.refresh(), ASK_AGAIN);
    const seen = () => {
      if (document.visibilityState === "visible") {
        clock.now = Date.now();
        void items.refresh();
      }
    };
    document.addEventListener("visibilitychange", seen);
    const stopClock = clock.start();
    return () => {
      clearInterval(timer);
      stopClock();
      document.removeEventListener("visibilitychange", seen);
      void listening.then((stop) => stop()).catch(() => undefined);
    };
  }
}

export const app = new App();
