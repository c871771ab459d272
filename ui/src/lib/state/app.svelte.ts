// The app itself: its version, its data folder and what is wrong with it; and the start, which paints the stored list
// before anything that could take long.

import { untrack } from "svelte";

import * as ipc from "../ipc";
import type { AppStatus, CommandError } from "../types";
import { tell, tellNotice } from "./act.svelte";
import { clock } from "./clock.svelte";
import { integrations } from "./integrations.svelte";
import { items } from "./items.svelte";
import { paces } from "./pace.svelte";
import { signIns } from "./sign-in.svelte";

/** What is green now may be stale later without anybody telling: the core decides that by age, when asked. */
const ASK_AGAIN = 30_000;

/** How long the first picture waits for the stored lists, which take a few milliseconds. Whatever keeps them longer (a
 *  file that is checked, a disk that is slow) is waited for with the window drawn. */
const FIRST_ANSWER = 250;

/** Two frames later what is known now is on the screen; a window that nobody sees draws none, and need not wait. */
function painted(): Promise<unknown> {
  if (document.visibilityState !== "visible") {
    return Promise.resolve();
  }
  return new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
}

class App {
  status = $state.raw<AppStatus | null>(null);
  /** A person has read that the data file was made anew. */
  mendedRead = $state(false);
  /** What is the matter with the keychain: nothing can be read from a provider until it serves. */
  keychain = $state.raw<CommandError | null>(null);
  /** Its own prompt may be open: whoever comes back to the list must not open another one. */
  askingKeychain = $state(false);
  /** The first picture is on the screen: what it did without can follow. */
  painted = $state(false);
  /** The person closed the window while a sign-in is in memory only: they are asked before they quit. */
  quitAsked = $state(false);
  #first: Promise<void> | null = null;

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

  /** Asks whether the keychain serves; with `ask` it may show its own prompt to be unlocked. */
  async checkKeychain(ask = false): Promise<void> {
    this.askingKeychain ||= ask;
    try {
      this.keychain = await ipc.checkKeychain(ask);
    } catch {
      // Without lists there is nothing to read: the list's own problem is said.
    } finally {
      this.askingKeychain &&= !ask;
    }
  }

  /** Offers the keychain what is in memory only. False: something still is. */
  async saveSignIns(): Promise<boolean> {
    try {
      await ipc.saveSignIns();
    } catch (refusal) {
      tell(refusal);
    }
    await this.refresh();
    return this.status?.unsaved === null;
  }

  async #askQuit(): Promise<void> {
    await this.#askStatus();
    this.quitAsked = true;
  }

  async answerQuit(quits: boolean): Promise<void> {
    this.quitAsked = false;
    await ipc.answerQuit(quits);
  }

  async #keepLive(): Promise<void> {
    try {
      await ipc.keepLive();
    } catch {
      // Without a data folder there is nothing to keep live: the list's own problem is said, and trying again begins it.
    }
  }

  /** Only a keychain in trouble is asked again by itself: one that serves is not bothered. */
  #checkTroubledKeychain(): void {
    if (this.keychain !== null) {
      void this.checkKeychain();
    }
  }

  /** Asks for the stored lists before anything is drawn, and waits for them a moment: drawing an empty list first would
   *  cost more than the lists themselves. */
  async ask(): Promise<void> {
    this.#first = this.refresh();
    await Promise.race([this.#first, new Promise((resolve) => setTimeout(resolve, FIRST_ANSWER))]);
  }

  /** Starts listening and asks for everything, unless that is asked already; the returned function ends it. */
  start(): () => void {
    const listening = ipc.onNotice((notice) => {
      items.hear(notice);
      paces.hear(notice);
      integrations.hear(notice);
      signIns.hear(notice);
      tellNotice(notice);
      if (notice.type === "JOB_FAILED" && notice.error?.code.startsWith("VAULT_")) {
        void this.checkKeychain();
      } else if (notice.type === "JOB_ENDED") {
        this.#checkTroubledKeychain();
      } else if (notice.type === "SIGN_INS_HELD_CHANGED") {
        void this.#askStatus();
      } else if (notice.type === "QUIT_ASKED") {
        void this.#askQuit();
      }
    });
    let ended = false;
    const first = this.#first ?? this.refresh();
    this.#first = null;
    // Whatever changed before we listened is asked again, once the first answer is on the screen: asked before, the same
    // thousand items would be read and compared while a person waits for them. The keychain may take its time too.
    void Promise.allSettled([listening, first])
      .then(painted)
      .then(() => (this.painted = true))
      .then(() => (ended ? undefined : Promise.all([this.refresh(), this.checkKeychain(), this.#keepLive()])))
      .catch(() => undefined);
    const timer = setInterval(() => {
      void items.refresh();
      // Begun already, unless the data folder was mended only now.
      void this.#keepLive();
      this.#checkTroubledKeychain();
    }, ASK_AGAIN);
    const seen = () => {
      if (document.visibilityState === "visible") {
        clock.now = Date.now();
        void items.refresh();
        this.#checkTroubledKeychain();
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
