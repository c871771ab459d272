// The stand-in shell, emptied, and what a test puts into it.

import { core } from "../../src/lib/ipc.fake";
import { account, item } from "../../src/lib/ipc.fake.data";
import { app } from "../../src/lib/state/app.svelte";
import { integrations } from "../../src/lib/state/integrations.svelte";
import { items } from "../../src/lib/state/items.svelte";
import { listView } from "../../src/lib/state/list-view.svelte";
import { ownApps } from "../../src/lib/state/own-apps.svelte";
import { route } from "../../src/lib/state/route.svelte";
import type { Alert, FailureCode, Freshness, ItemView, Recovery, SyncStatus } from "../../src/lib/types";

export const SYNC_STATUSES: SyncStatus[] = ["PENDING", "ACTIVE", "FAILED", "DISCONNECTED"];
export const FRESHNESSES: Freshness[] = ["LIVE", "CHECKING", "OFFLINE", "PAUSED", "STALE", "ENDED"];
export const ALERTS: (Alert | null)[] = [null, "INTEGRATION_DISCONNECTED", "SYNC_FAILED", "IMPORT_FAILED"];
/** Every code with its recovery, as the core pairs them. */
export const RECOVERY: Record<FailureCode, Recovery> = {
  OFFLINE: "WAIT",
  PROVIDER_UNREACHABLE: "RETRY",
  NETWORK_SIGN_IN: "SIGN_IN_TO_NETWORK",
  RATE_LIMITED: "WAIT",
  CREDENTIALS_REJECTED: "RECONNECT",
  CREDENTIALS_MISSING: "RECONNECT",
  DISCONNECTED_BY_YOU: "RECONNECT",
  APP_REJECTED: "CHECK_APP_SETTINGS",
  PLAN_REQUIRED: "RETRY",
  PERMISSION_MISSING: "RETRY",
  REMOTE_GONE: "KEEP_OR_REMOVE",
  PROVIDER_CHANGED: "RETRY",
  VAULT_LOCKED: "UNLOCK_KEYCHAIN",
  VAULT_UNAVAILABLE: "RETRY",
  VAULT_WRITE_FAILED: "RETRY",
  STORAGE_FAILED: "CHECK_STORAGE",
  INTERRUPTED: "RETRY",
  IMPORT_CANCELLED: "RETRY",
};
export const CODES = Object.keys(RECOVERY) as FailureCode[];

/** What the core says of an item in this state, as it would say it. */
export function itemIn(
  syncStatus: SyncStatus,
  code: FailureCode,
  more: Partial<ItemView> = {},
): ItemView {
  const failure = { code, recovery: RECOVERY[code], message: `The core's sentence about ${code}.`, since: new Date().toISOString() };
  const base = item({ id: "one", title: "Harbour Makers Night", counts: { total: 12, attending: 9, awaiting: 1, notAttending: 2, checkedIn: 3 } });
  switch (syncStatus) {
    case "DISCONNECTED":
      return { ...base, syncStatus, freshness: "STALE", alert: "INTEGRATION_DISCONNECTED", failure, ...more };
    case "FAILED":
      return { ...base, syncStatus, freshness: "STALE", alert: "SYNC_FAILED", failure, ...more };
    case "PENDING":
      return { ...base, syncStatus, freshness: "STALE", alert: "IMPORT_FAILED", failure, lastSyncedAt: null, ...more };
    case "ACTIVE":
      return { ...base, syncStatus, waiting: { code, until: null }, freshness: "PAUSED", ...more };
  }
}

/** Fills the core with one account and these items, and the window with the core's answers. */
export async function stage(...there: ItemView[]): Promise<void> {
  core.stop();
  core.refusal = null;
  core.keychain = null;
  core.calls = [];
  core.people = null;
  core.changes = null;
  core.activity = null;
  core.removals = null;
  core.signIns.forget();
  core.status = { ...core.status, problem: null, mended: null, unsaved: null };
  app.quitAsked = false;
  ownApps.forget();
  core.items.clear();
  core.integrations.clear();
  core.integrations.set("dockhall", account({ id: "dockhall" }));
  for (const one of there) {
    core.items.set(one.id, one);
  }
  items.forget();
  integrations.forget();
  listView.showAll();
  listView.activeId = null;
  route.toEvents();
  route.closeDialog();
  await Promise.all([items.refresh(), integrations.refresh()]);
}
