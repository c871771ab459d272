// Which screen is shown, and which dialog stands over it.

import type { Provider, Repaired } from "../types";

export type Screen =
  | { name: "events" }
  | { name: "item"; itemId: string }
  /** With `app`, the form of the own app at that provider is open. */
  | { name: "settings"; section: "integrations" | "about"; app: Provider | null };

export type Dialog =
  | { name: "import"; integrationId: string | null }
  | { name: "connect"; provider: Provider }
  | { name: "reconnect"; itemId: string }
  /** The account itself; with `outcomes`, what became of its items already. */
  | { name: "reconnect-account"; integrationId: string; outcomes: Repaired[] }
  | { name: "remove"; itemId: string }
  | { name: "removals"; itemId: string }
  | { name: "disconnect"; integrationId: string };

class Route {
  screen = $state<Screen>({ name: "events" });
  dialog = $state<Dialog | null>(null);

  toEvents(): void {
    this.screen = { name: "events" };
  }

  toItem(itemId: string): void {
    this.screen = { name: "item", itemId };
  }

  toSettings(section: "integrations" | "about" = "integrations", app: Provider | null = null): void {
    this.dialog = null;
    this.screen = { name: "settings", section, app };
  }

  ask(dialog: Dialog): void {
    this.dialog = dialog;
  }

  closeDialog(): void {
    this.dialog = null;
  }
}

export const route = new Route();
