// How the event list is looked at: kept while one is on another screen, so that coming back finds the same place.

import type { Group } from "../badge";
import type { ItemKind, Provider } from "../types";

export type Sort = "urgency" | "start" | "title";

class ListView {
  kind = $state<ItemKind | "ALL">("ALL");
  group = $state<Group | null>(null);
  provider = $state<Provider | "ANY">("ANY");
  sort = $state<Sort>("urgency");
  search = $state("");
  /** The row that Tab comes to. */
  activeId = $state<string | null>(null);
  scrollTop = 0;

  get narrowed(): boolean {
    return this.kind !== "ALL" || this.group !== null || this.provider !== "ANY" || this.search.trim() !== "";
  }

  showAll(): void {
    this.kind = "ALL";
    this.group = null;
    this.provider = "ANY";
    this.search = "";
  }
}

export const listView = new ListView();
