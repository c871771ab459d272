// From a failure's code to words and buttons: the one table. The sentence itself comes from the core, which knows the
// account, the list and the times; here stand the short cause for a card and what a person can do.

import { asksAboutRemovals, badgeOf, mendsItself } from "./badge";
import { sentence } from "./text";
import { ahead } from "./time";
import type { FailureCode, ItemView, Provider } from "./types";
import { providerName, words } from "./words";

/** Everything a button on a card or banner can do. */
export type Action =
  | "RECONNECT"
  | "RETRY"
  | "RESUME"
  | "CHECK_AGAIN"
  | "TRY_AGAIN"
  | "SYNC"
  | "USE_ANOTHER_ACCOUNT"
  | "KEEP"
  | "REMOVE"
  | "UNLOCK_KEYCHAIN"
  | "OPEN_SIGN_IN_PAGE"
  | "OPEN_BILLING"
  | "OPEN_STATUS_PAGE"
  | "CHECK_APP"
  | "SAVE_AGAIN"
  | "CANCEL"
  | "CHECK_REMOVALS"
  | "SHOW_REMOVALS"
  | "READ_AGAIN"
  | "REJECT_REMOVALS"
  | "ACCEPT_REMOVALS";

interface Entry {
  /** The cause in a few words, for a card. */
  brief: (provider: Provider) => string;
  /** The first one is the card's action and the banner's main button. */
  actions: readonly Action[];
  /** What happens without anybody; `at` is when, where that is known. */
  byItself?: (at: string | null) => string;
}

const goesOn = (at: string | null) => (at === null ? words.goesOnByItself : words.goingOnByItself(at));
const triesAgain = (at: string | null) => (at === null ? words.triesAgainByItself : words.tryingAgainByItself(at));

export const FAILURES: Record<FailureCode, Entry> = {
  OFFLINE: { brief: () => words.cause.offline, actions: [], byItself: () => words.goesOnByItself },
  PROVIDER_UNREACHABLE: {
    brief: (provider) => words.cause.unreachable(providerName[provider]),
    actions: ["RETRY"],
    byItself: triesAgain,
  },
  NETWORK_SIGN_IN: { brief: () => words.cause.networkSignIn, actions: ["OPEN_SIGN_IN_PAGE"] },
  RATE_LIMITED: {
    brief: (provider) => words.cause.rateLimited(providerName[provider]),
    actions: [],
    byItself: goesOn,
  },
  CREDENTIALS_REJECTED: {
    brief: (provider) => words.cause.rejected(providerName[provider]),
    actions: ["RECONNECT"],
  },
  CREDENTIALS_MISSING: { brief: () => words.cause.missing, actions: ["RECONNECT"] },
  DISCONNECTED_BY_YOU: { brief: () => words.cause.byYou, actions: ["RECONNECT"] },
  APP_REJECTED: { brief: () => words.cause.appRejected, actions: ["CHECK_APP"] },
  PLAN_REQUIRED: { brief: () => words.cause.planRequired, actions: ["OPEN_BILLING", "RETRY"] },
  PERMISSION_MISSING: { brief: () => words.cause.permission, actions: ["RETRY", "USE_ANOTHER_ACCOUNT"] },
  REMOTE_GONE: {
    brief: (provider) => words.cause.gone(providerName[provider]),
    actions: ["CHECK_AGAIN", "KEEP"],
  },
  PROVIDER_CHANGED: {
    brief: (provider) => words.cause.changed(providerName[provider]),
    actions: ["RETRY"],
  },
  VAULT_LOCKED: { brief: () => words.cause.vaultLocked, actions: ["UNLOCK_KEYCHAIN"], byItself: () => "" },
  VAULT_UNAVAILABLE: { brief: () => words.cause.vaultUnavailable, actions: ["TRY_AGAIN"], byItself: () => "" },
  VAULT_WRITE_FAILED: { brief: () => words.cause.vaultWrite, actions: ["SAVE_AGAIN"] },
  STORAGE_FAILED: { brief: () => words.cause.storage, actions: ["RETRY"] },
  INTERRUPTED: { brief: () => words.cause.interrupted, actions: ["RETRY"] },
  IMPORT_CANCELLED: { brief: () => words.cause.cancelled, actions: ["RESUME", "REMOVE"] },
};

export interface Banner {
  tone: "bad" | "warn" | "quiet";
  title: string;
  text: string;
  actions: readonly Action[];
}

/** Clicks on Retry, or minutes of failing, after which somebody else may know more. */
const LONG_CLICKS = 3;
const LONG_FAILING = 30 * 60_000;

/** The one banner of an item's page; null when there is nothing to explain. */
export function bannerOf(item: ItemView, now: number, retries = 0): Banner | null {
  if (item.archived) {
    return null;
  }
  if (item.alert !== null) {
    const code = item.failure?.code ?? "INTERRUPTED";
    const entry = FAILURES[code];
    const own = item.failure === null ? "" : sentence(item.failure.message);
    // Only a failure that is tried again by itself may say so: a severed one never is.
    const byItself = item.alert === "INTEGRATION_DISCONNECTED" ? "" : (entry.byItself?.(soon(item.nextAttemptAt, now)) ?? "");
    return {
      tone: item.alert === "INTEGRATION_DISCONNECTED" ? "bad" : "warn",
      title: bannerTitle(item),
      text: `${own} ${byItself}`.trim(),
      actions: [...alertActions(item), ...longFailing(item, now, retries)],
    };
  }
  if (asksAboutRemovals(item)) {
    return {
      tone: "warn",
      title: badgeOf(item).word,
      text: words.removals.text(item),
      actions: ["SHOW_REMOVALS", "READ_AGAIN", "REJECT_REMOVALS", "ACCEPT_REMOVALS"],
    };
  }
  // While an import is in progress its panel says what it waits for.
  if (item.waiting !== null && item.syncStatus !== "PENDING") {
    return waitingBanner(item, now);
  }
  return null;
}

function bannerTitle(item: ItemView): string {
  switch (item.alert) {
    case "INTEGRATION_DISCONNECTED":
      return words.alert.disconnected;
    case "IMPORT_FAILED":
      return item.failure?.code === "IMPORT_CANCELLED" ? words.alert.importStopped : words.alert.importFailed;
    default:
      return words.alert.syncFailed;
  }
}

/** A severed item has one way back whatever the code; a failed one follows the table, and never has none. */
function alertActions(item: ItemView): readonly Action[] {
  if (item.alert === "INTEGRATION_DISCONNECTED") {
    return ["RECONNECT"];
  }
  const actions = FAILURES[item.failure?.code ?? "INTERRUPTED"].actions;
  return actions.length > 0 ? actions : ["RETRY"];
}

function longFailing(item: ItemView, now: number, retries: number): Action[] {
  const since = item.failure === null ? now : Date.parse(item.failure.since);
  const long = retries >= LONG_CLICKS || now - since >= LONG_FAILING;
  return item.alert !== "INTEGRATION_DISCONNECTED" && mendsItself(item) && long ? ["OPEN_STATUS_PAGE"] : [];
}

/** What a job waits for, in words and buttons: the status stays, so this is quiet. */
export function waitingBanner(item: ItemView, now: number): Banner | null {
  if (item.waiting === null) {
    return null;
  }
  const { code, until } = item.waiting;
  const entry = FAILURES[code];
  return {
    tone: "quiet",
    title: words.condition[code] ?? entry.brief(item.provider),
    text: entry.byItself?.(soon(until, now)) ?? words.goesOnByItself,
    actions: entry.actions.filter((action) => action !== "RETRY"),
  };
}

function soon(time: string | null, now: number): string | null {
  return time === null ? null : ahead(time, now);
}

/** What a card's button, and the key R, do; null where nothing needs doing. */
export function actionOf(item: ItemView): Action | null {
  if (item.archived) {
    return null;
  }
  if (item.alert !== null) {
    return alertActions(item)[0] ?? null;
  }
  if (asksAboutRemovals(item)) {
    // Whoever decides sees first who it is about: on the item's page, never with one click in the list.
    return "CHECK_REMOVALS";
  }
  if (item.waiting !== null) {
    return FAILURES[item.waiting.code].actions.find((action) => action !== "RETRY") ?? null;
  }
  return null;
}

/** Whether a pull can be asked for now, and if not, why not; null where Sync has no place at all. */
export function syncOffer(item: ItemView): { possible: boolean; why: string } | null {
  if (item.archived || item.syncStatus !== "ACTIVE" || item.alert !== null) {
    return null;
  }
  if (item.activeJob !== null) {
    return { possible: false, why: words.syncRunning };
  }
  if (item.freshness === "OFFLINE") {
    return { possible: false, why: words.syncOffline };
  }
  return { possible: true, why: "" };
}
