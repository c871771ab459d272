// All connected accounts as the core last told them.

import * as ipc from "../ipc";
import type { CommandError, IntegrationView, Notice } from "../types";

class Integrations {
  all = $state.raw<IntegrationView[]>([]);
  known = $state(false);
  problem = $state<CommandError | null>(null);
  #again = false;
  #asking: Promise<void> | null = null;

  get(id: string): IntegrationView | undefined {
    return this.all.find((integration) => integration.id === id);
  }

  hear(notice: Notice): void {
    if (notice.type === "INTEGRATION_CHANGED" || notice.type === "OUT_OF_DATE") {
      void this.refresh();
    }
  }

  refresh(): Promise<void> {
    this.#again = true;
    this.#asking ??= this.#ask();
    return this.#asking;
  }

  async #ask(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        this.all = await ipc.listIntegrations();
        this.known = true;
        this.problem = null;
      } catch (refusal) {
        this.problem = refusal as CommandError;
      }
    }
    this.#asking = null;
  }

  /** For tests: forgets everything. */
  forget(): void {
    this.all = [];
    this.known = false;
    this.problem = null;
  }
}

export const integrations = new Integrations();
