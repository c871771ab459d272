// The window's title: the same words as the badge on the screen, or how many items need somebody.

import { badgeOf } from "./badge";
import type { Screen } from "./state/route.svelte";
import type { ItemView } from "./types";
import { groupWords, titled, words } from "./words";

export function titleOf(screen: Screen, items: readonly ItemView[]): string {
  if (screen.name === "item") {
    const item = items.find((candidate) => candidate.id === screen.itemId);
    return item === undefined ? words.app : `${titled(item)} · ${badgeOf(item).word}`;
  }
  if (screen.name === "settings") {
    return `${words.settings.title} · ${words.app}`;
  }
  const need = items.filter((item) => badgeOf(item).group === "need").length;
  return need === 0 ? words.app : `${groupWords.need(need)} · ${words.app}`;
}
