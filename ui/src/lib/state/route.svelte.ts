// Which screen is shown, and which dialog stands over it.

export type Screen =
  | { name: "events" }
  | { name: "item"; itemId: string }
  | { name: "settings"; section: "integrations" | "about" };

export type Dialog =
  | { name: "import"; integrationId: string | null }
  | { name: "connect"; provider: "EVENTBRITE" | "LUMA" }
  | { name: "reconnect"; itemId: string }
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

  toSettings(section: "integrations" | "about" = "integrations"): void {
    this.dialog = null;
    this.screen = { name: "settings", section };
  }

  ask(dialog: Dialog): void {
    this.dialog = dialog;
  }

  closeDialog(): void {
    this.dialog = null;
  }
}

export const route = new Route();
