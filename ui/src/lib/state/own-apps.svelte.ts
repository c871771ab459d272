// The workspace's own app at each provider, as the keychain last told. Asked for only where it is shown: the keychain
// is not bothered otherwise.

import { SvelteMap } from "svelte/reactivity";

import * as ipc from "../ipc";
import { sentence } from "../text";
import type { CommandError, Provider, SignInOptions } from "../types";

interface Known {
  /** Null until the keychain has answered. */
  options: SignInOptions | null;
  /** Why it did not. */
  problem: string;
}

const UNKNOWN: Known = { options: null, problem: "" };

class OwnApps {
  #known = new SvelteMap<Provider, Known>();

  of(provider: Provider): Known {
    return this.#known.get(provider) ?? UNKNOWN;
  }

  async ask(provider: Provider): Promise<void> {
    try {
      this.#known.set(provider, { options: await ipc.signInOptions(provider), problem: "" });
    } catch (refusal) {
      this.#known.set(provider, { options: null, problem: sentence((refusal as CommandError).message) });
    }
  }

  /** Throws the refusal. */
  async remember(provider: Provider, clientId: string, clientSecret: string | null, port: number): Promise<void> {
    const options = await ipc.rememberApp(provider, clientId, clientSecret, port);
    this.#known.set(provider, { options, problem: "" });
  }

  /** Throws the refusal. */
  async drop(provider: Provider): Promise<void> {
    this.#known.set(provider, { options: await ipc.forgetApp(provider), problem: "" });
  }

  /** For tests: forgets everything. */
  forget(): void {
    this.#known.clear();
  }
}

export const ownApps = new OwnApps();
