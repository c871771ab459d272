// The attempt to sign in that is under way, as the core tells of it, and where a person likes the provider's page shown.

import * as ipc from "../ipc";
import type { Notice, Provider, SignInEnd, SignInProgress, SignInWay } from "../types";

const chosenKey = (provider: Provider) => `sign-in-way-${provider}`;

class SignIns {
  /** Null where nobody signs in. */
  progress = $state.raw<SignInProgress | null>(null);
  #number = 0;

  /** That nobody signs in any more is what `begin` answers: the end of an attempt may be told after the next began. */
  hear(notice: Notice): void {
    const told = notice.type === "SIGN_IN_CHANGED" ? notice.signIn : undefined;
    if (told !== undefined && told.provider === this.progress?.provider) {
      this.progress = told;
    }
  }

  /** Answers when the attempt has ended. An attempt that was under way is stopped. */
  async begin(provider: Provider, way: SignInWay, renews: string | null): Promise<SignInEnd> {
    this.#number += 1;
    const number = this.#number;
    this.progress = { provider, way, step: "OPENING", note: null };
    try {
      return await ipc.signIn(provider, way, renews);
    } finally {
      if (number === this.#number) {
        this.progress = null;
      }
    }
  }

  /** Where the page was wanted last; at first in a window of its own. */
  wayFor(provider: Provider): SignInWay {
    try {
      return localStorage.getItem(chosenKey(provider)) === "BROWSER" ? "BROWSER" : "WINDOW";
    } catch {
      return "WINDOW";
    }
  }

  /** From now on the page is wanted there. */
  prefer(provider: Provider, way: SignInWay): void {
    try {
      localStorage.setItem(chosenKey(provider), way);
    } catch {
      // Without storage it is asked for again the next time.
    }
  }

  /** Shows the page elsewhere, and there the next time. */
  async switchTo(provider: Provider, way: SignInWay): Promise<void> {
    this.prefer(provider, way);
    await ipc.switchSignIn(way);
  }
}

export const signIns = new SignIns();
