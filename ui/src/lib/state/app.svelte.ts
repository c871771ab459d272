// The app itself: its version, its data folder and what is wrong with it; and the start, which paints the stored list
// before anything that could take long.

import * as ipc from "../ipc";
import type { AppStatus } from "../types";
import { tellNotice } from "./act.svelte";
import { clock } from "./clock.svelte";
import { integrations } from "./integrations.svelte";
import { items } from "./items.svelte";

/** What is green now may be stale later without anybody telling: the core decides that by age, when asked. */
const ASK_AGAIN = 30_000;

/** Two frames later what is known now is on the screen; a window that nobody sees draws none, and need not wait. */
function painted(): Promise<unknown> {
  if (document.visibilityState !== "visible") {
    return Promise.resolve();
  }
  return new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
}

class App {
  status = $state.raw<AppStatus | null>(null);

  /** Asks for everything again. */
  async refresh(): Promise<void> {
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
    let ended = false;
    const first = this.refresh();
    // Whatever changed before we listened is asked again, once the first answer is on the screen: asked before, the same
    // thousand items would be read and compared while a person waits for them.
    void Promise.all([listening, first])
      .then(painted)
      .then(() => (ended ? undefined : this.refresh()))
      .catch(() => undefined);
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
      ended = true;
      clearInterval(timer);
      stopClock();
      document.removeEventListener("visibilitychange", seen);
      void listening.then((stop) => stop()).catch(() => undefined);
    };
  }
}

export const app = new App();
