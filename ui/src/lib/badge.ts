// The one value that pill, card badge, alert and window title come from. Nothing else decides what an item looks like.

import { counted } from "./time";
import type { FailureCode, ItemView } from "./types";

export type Tone = "good" | "busy" | "warn" | "bad" | "quiet";
/** Five outlines that differ without colour. */
export type Shape = "check" | "arrows" | "triangle" | "broken" | "dashed";
/** The parts of the count line. Every item is in exactly one. */
export type Group = "need" | "retrying" | "importing" | "live" | "unconfirmed" | "quiet";

export interface Badge {
  tone: Tone;
  shape: Shape;
  word: string;
  /** Where the word needs a time to be true: "Not confirmed" goes on with "since 11:45". */
  since: string | null;
  group: Group;
}

/** Failures that mend themselves: the next attempt comes without anybody. */
const MENDS_ITSELF: ReadonlySet<FailureCode> = new Set(["PROVIDER_UNREACHABLE", "OFFLINE", "RATE_LIMITED"]);

/** Green for one case only: the last sync succeeded, and that is known to hold now. */
export function isLive(item: ItemView): boolean {
  return (
    item.syncStatus === "ACTIVE" &&
    item.freshness === "LIVE" &&
    item.alert === null &&
    !item.archived &&
    item.lastSyncedAt !== null
  );
}

/** Whether a failure waits for nobody. */
export function mendsItself(item: ItemView): boolean {
  return item.failure !== null && MENDS_ITSELF.has(item.failure.code);
}

/** Whether registrations are missing at the provider in such numbers that a person is asked. An alert comes first. */
export function asksAboutRemovals(item: ItemView): boolean {
  return !item.archived && item.alert === null && item.syncStatus === "ACTIVE" && item.heldRemovals > 0;
}

/** What an item was last told as never changes: what changes is told as another one. Asked for several times a start. */
const badges = new WeakMap<ItemView, Badge>();

export function badgeOf(item: ItemView): Badge {
  let badge = badges.get(item);
  if (badge === undefined) {
    badge = made(item);
    badges.set(item, badge);
  }
  return badge;
}

function made(item: ItemView): Badge {
  if (item.archived) {
    return { tone: "quiet", shape: "dashed", word: "Archived", since: null, group: "quiet" };
  }
  if (item.syncStatus === "DISCONNECTED" || item.alert === "INTEGRATION_DISCONNECTED") {
    return { tone: "bad", shape: "broken", word: "Disconnected", since: null, group: "need" };
  }
  if (item.alert === "IMPORT_FAILED") {
    const stopped = item.failure?.code === "IMPORT_CANCELLED";
    return { tone: "warn", shape: "triangle", word: stopped ? "Import stopped" : "Import failed", since: null, group: "need" };
  }
  if (item.syncStatus === "FAILED" || item.alert === "SYNC_FAILED") {
    const group = mendsItself(item) ? "retrying" : "need";
    return { tone: "warn", shape: "triangle", word: "Sync failed", since: null, group };
  }
  if (item.syncStatus === "PENDING") {
    if (item.lastSyncedAt !== null) {
      return { tone: "busy", shape: "arrows", word: "Catching up", since: null, group: "importing" };
    }
    if (item.activeJob !== null) {
      return { tone: "busy", shape: "arrows", word: "Importing", since: null, group: "importing" };
    }
    // No job and no alert: the core has not said why yet.
    return { tone: "quiet", shape: "dashed", word: "Not imported", since: null, group: "unconfirmed" };
  }
  if (asksAboutRemovals(item)) {
    const word = `Check ${counted(item.heldRemovals, "removal", "removals")}`;
    return { tone: "warn", shape: "triangle", word, since: null, group: "need" };
  }
  if (isLive(item)) {
    return { tone: "good", shape: "check", word: "Syncing", since: null, group: "live" };
  }
  const quiet = (word: string, group: Group): Badge => ({
    tone: "quiet",
    shape: "dashed",
    word,
    since: null,
    group,
  });
  switch (item.freshness) {
    case "CHECKING":
      return quiet("Checking", "unconfirmed");
    case "OFFLINE":
      return quiet("Offline", "unconfirmed");
    case "PAUSED":
      return quiet("Paused", "unconfirmed");
    case "ENDED":
      return quiet("Event over", "quiet");
    default:
      return { ...quiet("Not confirmed", "unconfirmed"), since: item.lastSyncedAt };
  }
}

/** Lower comes first: whoever needs a person, then what is on its way, then what is well. */
const URGENCY: Record<Group, number> = { need: 0, retrying: 2, importing: 3, unconfirmed: 4, live: 5, quiet: 6 };

export function urgencyOf(item: ItemView): number {
  const badge = badgeOf(item);
  return badge.group === "need" && badge.tone !== "bad" ? 1 : URGENCY[badge.group];
}
