// Bringing back all items of an account with one sign-in: one command, an outcome for each, a word about what began.

import { toast } from "svelte-sonner";

import * as ipc from "../ipc";
import type { IntegrationView, ItemView, Repaired } from "../types";
import { words } from "../words";
import { busy, run } from "./act.svelte";
import { items } from "./items.svelte";
import { route } from "./route.svelte";

/** The items that wait for an account, the next event first. */
export function waitingFor(integrationId: string): ItemView[] {
  return items.all
    .filter((item) => item.integrationId === integrationId && item.syncStatus === "DISCONNECTED" && !item.archived)
    .sort((left, right) => (left.startsAt ?? "9999").localeCompare(right.startsAt ?? "9999"));
}

/** Answers what became of each; null where the command itself was refused, which is said. */
export async function reconnectAll(integrationId: string, withIntegrationId: string): Promise<Repaired[] | null> {
  let outcomes: Repaired[] = [];
  const done = await run(integrationId, async () => {
    outcomes = await ipc.reconnectAll(integrationId, withIntegrationId);
  });
  if (!done) {
    return null;
  }
  const begun = outcomes.flatMap((one) => (one.item === null ? [] : [one.item]));
  const [first] = begun;
  if (first !== undefined) {
    toast(begun.length === 1 ? words.reconnect.toast(first.kind) : words.reconnect.toastMany(begun.length));
  }
  return outcomes;
}

export const failed = (outcomes: readonly Repaired[]) => outcomes.filter((one) => one.error !== null);

/** Brings an account's items back: at once where it is connected, else with its sign-in. */
export async function reconnectAccount(account: IntegrationView): Promise<void> {
  if (account.status !== "CONNECTED") {
    route.ask({ name: "reconnect-account", integrationId: account.id, outcomes: [] });
    return;
  }
  if (busy.has(account.id)) {
    return;
  }
  const outcomes = await reconnectAll(account.id, account.id);
  if (outcomes !== null && failed(outcomes).length > 0) {
    route.ask({ name: "reconnect-account", integrationId: account.id, outcomes });
  }
}
