// What a person's click does: one command, a short word that it was heard, and the facts asked for again. The new
// state is never assumed: it comes with the answer of the core.

import { SvelteSet } from "svelte/reactivity";
import { toast } from "svelte-sonner";

import type { Action } from "../failures";
import * as ipc from "../ipc";
import { sentence } from "../text";
import type { CommandError, ItemView, Notice, ShownRemovals } from "../types";
import { titled, words } from "../words";
import { integrations } from "./integrations.svelte";
import { items } from "./items.svelte";
import { route } from "./route.svelte";

/** Ids on which a command is under way: their buttons wait for it. */
export const busy = new SvelteSet<string>();

/** Runs a command about one thing; answers whether it was done. A refusal is shown, not thrown. */
export async function run(id: string, command: () => Promise<unknown>, done?: string): Promise<boolean> {
  if (busy.has(id)) {
    return false;
  }
  busy.add(id);
  try {
    await command();
    if (done !== undefined) {
      toast(done);
    }
    return true;
  } catch (refusal) {
    tell(refusal);
    return false;
  } finally {
    busy.delete(id);
    await Promise.all([items.refresh(), integrations.refresh()]);
  }
}

/** Shows a refusal in the core's own words; it stays until closed. */
export function tell(refusal: unknown): void {
  toast.error(sentence((refusal as CommandError).message), { duration: Number.POSITIVE_INFINITY });
}

export function open(kind: Parameters<typeof ipc.openLink>[0], id: string | null = null): void {
  ipc.openLink(kind, id).catch(tell);
}

/** Carries out what a person says of the held removals; answers whether it was done. */
export function decideRemovals(item: ItemView, accept: boolean, shown: ShownRemovals): Promise<boolean> {
  const done = accept ? words.removals.marked(item.heldRemovals) : words.removals.kept;
  return run(item.id, () => ipc.decideRemovals(item.id, accept, shown), done);
}

/** Does what a button on a card or banner says. */
export function act(action: Action, item: ItemView): void {
  switch (action) {
    case "RECONNECT":
    case "USE_ANOTHER_ACCOUNT":
      route.ask({ name: "reconnect", itemId: item.id });
      return;
    case "RETRY":
    case "RESUME":
    case "CHECK_AGAIN":
    case "TRY_AGAIN":
      items.countRetry(item.id);
      void run(item.id, () => ipc.retryItem(item.id), words.toast.retrying);
      return;
    case "CANCEL":
      void run(item.id, () => ipc.cancelItem(item.id));
      return;
    case "CHECK_REMOVALS":
      route.toItem(item.id);
      return;
    case "SHOW_REMOVALS":
      route.ask({ name: "removals", itemId: item.id });
      return;
    case "REJECT_REMOVALS":
    case "ACCEPT_REMOVALS":
      // The banner shows how many, and not who.
      void decideRemovals(item, action === "ACCEPT_REMOVALS", { count: item.heldRemovals, mark: null });
      return;
    case "SYNC":
    case "READ_AGAIN":
      void run(item.id, () => ipc.syncItem(item.id));
      return;
    case "KEEP":
      void run(item.id, () => ipc.keepItem(item.id), words.toast.kept);
      return;
    case "REMOVE":
      route.ask({ name: "remove", itemId: item.id });
      return;
    case "UNLOCK_KEYCHAIN":
      // Proving the account opens the keychain with its own prompt; the waiting job then goes on by itself.
      void run(item.id, () => ipc.verifyIntegration(item.integrationId));
      return;
    case "OPEN_SIGN_IN_PAGE":
      open("NETWORK_SIGN_IN", item.id);
      return;
    case "OPEN_BILLING":
      open("LUMA_BILLING");
      return;
    case "OPEN_STATUS_PAGE":
      open(item.provider === "EVENTBRITE" ? "EVENTBRITE_STATUS" : "LUMA_STATUS");
      return;
    case "CHECK_APP":
      route.toSettings("integrations", item.provider);
      return;
    case "SAVE_AGAIN":
      void run(item.id, ipc.saveSignIns);
      return;
  }
}

/** Notices that a person should hear of at once. */
export function tellNotice(notice: Notice): void {
  if (notice.type === "WAITING_FOR_LOCK") {
    toast(words.toast.waitingForLock, { id: "lock" });
  } else if (notice.type === "JOB_FAILED" && notice.error) {
    const item = notice.itemId ? items.get(notice.itemId) : undefined;
    const error = sentence(notice.error.message);
    // The page and its card say it already where the item is known to have failed; the message names which it was.
    toast.error(item === undefined ? error : `${titled(item)}: ${error}`);
  }
}
