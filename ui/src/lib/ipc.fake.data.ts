// What the stand-in shell holds at its start, by scenario.

import type { FakeCore } from "./ipc.fake";
import { HOSTILE } from "./ipc.fake.hostile";
import type { Candidate, FailureCode, FailureView, IntegrationView, ItemView, Recovery } from "./types";

export type Scenario =
  | "demo"
  | "first-start"
  | "no-items"
  | "many"
  | "offline"
  | "keychain"
  | "problem"
  | "repaired"
  | "signed-in"
  | "hostile";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const at = (offset: number) => new Date(Date.now() + offset).toISOString();
/** Events start on the hour. */
const onTheHour = (offset: number) => new Date(Math.round((Date.now() + offset) / HOUR) * HOUR).toISOString();

export function failure(code: FailureCode, recovery: Recovery, message: string, since = at(-7 * MINUTE)): FailureView {
  return { code, recovery, message, since };
}

export function account(facts: Partial<IntegrationView> & { id: string }): IntegrationView {
  return {
    provider: "EVENTBRITE",
    accountId: facts.id,
    accountName: "Dock Hall",
    accountEmail: "box@dockhall.example",
    status: "CONNECTED",
    signIn: "TOKEN",
    connectedAt: at(-265 * DAY),
    lastVerifiedAt: at(-2 * MINUTE),
    expiresAt: null,
    failure: null,
    offersWithdrawal: facts.provider === "LUMA" && facts.signIn === "OAUTH",
    ...facts,
  };
}

/** An item that is live, but for what is said otherwise. */
export function item(facts: Partial<ItemView> & { id: string }): ItemView {
  const attending = facts.counts?.attending ?? 0;
  const startsAt = facts.startsAt === undefined ? onTheHour(9 * DAY) : facts.startsAt;
  return {
    kind: "BADGE_EVENT",
    provider: "EVENTBRITE",
    externalId: `x-${facts.id}`,
    integrationId: "dockhall",
    title: facts.id,
    startsAt,
    endsAt: startsAt === null ? null : new Date(Date.parse(startsAt) + 4 * HOUR).toISOString(),
    timezone: "Europe/London",
    syncStatus: "ACTIVE",
    freshness: "LIVE",
    alert: null,
    failure: null,
    waiting: null,
    activeJob: null,
    counts: { total: attending, attending, awaiting: 0, notAttending: 0, checkedIn: 0 },
    tickets: { total: facts.counts?.total ?? 0, checkedIn: facts.counts?.checkedIn ?? 0 },
    unreadable: 0,
    heldRemovals: 0,
    archived: false,
    lastSyncedAt: at(-40_000),
    newSince: 0,
    lastAttemptedAt: at(-40_000),
    nextAttemptAt: null,
    ...facts,
  };
}

const counts = (total: number, notAttending = 0, checkedIn = 0, awaiting = 0) => ({
  total,
  attending: total - notAttending - awaiting,
  awaiting,
  notAttending,
  checkedIn,
});

const REJECTED = failure(
  "CREDENTIALS_REJECTED",
  "RECONNECT",
  "Eventbrite refuses the private token of events@harbour.example (since 11:47), most often because the password was " +
    "changed. The list is as of 11:45, 412 attending. This will not repair itself.",
);

function demoAccounts(): IntegrationView[] {
  return [
    account({ id: "dockhall" }),
    account({
      id: "harbour",
      accountName: "Harbour Guild",
      accountEmail: "events@harbour.example",
      status: "DISCONNECTED",
      failure: failure(
        "CREDENTIALS_REJECTED",
        "RECONNECT",
        "Eventbrite refuses the private token of events@harbour.example (since 11:47).",
      ),
    }),
    account({ id: "info", accountName: "Dock Hall Info", accountEmail: "info@dockhall.example" }),
    account({
      id: "makers",
      provider: "LUMA",
      accountName: "Harbour Makers",
      accountEmail: null,
      signIn: "KEY",
      connectedAt: at(-198 * DAY),
    }),
  ];
}

function demoItems(): ItemView[] {
  const old = { lastSyncedAt: at(-137 * MINUTE), lastAttemptedAt: at(-135 * MINUTE) };
  const live = (id: string, title: string, start: number, people: number, more: Partial<ItemView> = {}) =>
    item({ id, title, startsAt: onTheHour(start), counts: counts(people, Math.floor(people / 31)), ...more });
  return [
    item({
      id: "makers-night",
      title: "Harbour Makers Night",
      integrationId: "harbour",
      startsAt: onTheHour(3 * HOUR),
      syncStatus: "DISCONNECTED",
      freshness: "STALE",
      alert: "INTEGRATION_DISCONNECTED",
      failure: REJECTED,
      counts: counts(431, 19, 30),
      tickets: { total: 446, checkedIn: 30 },
      ...old,
    }),
    item({
      id: "open-studio",
      kind: "PATH_EVENT",
      title: "Open Studio Weekend",
      integrationId: "harbour",
      startsAt: onTheHour(5 * DAY),
      syncStatus: "DISCONNECTED",
      freshness: "STALE",
      alert: "INTEGRATION_DISCONNECTED",
      failure: REJECTED,
      counts: counts(186, 4),
      ...old,
    }),
    item({
      id: "river-swim",
      title: "River Swim Registration",
      startsAt: onTheHour(33 * DAY),
      syncStatus: "PENDING",
      freshness: "STALE",
      alert: "IMPORT_FAILED",
      failure: failure(
        "INTERRUPTED",
        "RETRY",
        "The last run was cut off (at 12:10). What arrived is kept. Only 1,240 registrations have arrived; this list is not complete.",
      ),
      counts: counts(1240),
      lastSyncedAt: null,
    }),
    item({
      id: "lantern-walk",
      title: "Lantern Walk",
      provider: "LUMA",
      integrationId: "makers",
      startsAt: onTheHour(16 * DAY),
      syncStatus: "FAILED",
      freshness: "STALE",
      alert: "SYNC_FAILED",
      failure: failure(
        "REMOTE_GONE",
        "KEEP_OR_REMOVE",
        "Luma no longer shows this event to Harbour Makers: cancelled, deleted or moved. The list is as of yesterday 18:40, 64 attending.",
      ),
      counts: counts(64),
      lastSyncedAt: at(-20 * HOUR),
    }),
    item({
      id: "repair-cafe",
      kind: "PATH_EVENT",
      provider: "LUMA",
      integrationId: "makers",
      title: "Spring Repair Cafe",
      startsAt: onTheHour(22 * HOUR),
      syncStatus: "FAILED",
      freshness: "STALE",
      alert: "SYNC_FAILED",
      failure: failure(
        "PROVIDER_UNREACHABLE",
        "RETRY",
        "Luma does not answer (since 13:31). The list is as of 13:31, 88 attending.",
      ),
      counts: counts(88),
      lastSyncedAt: at(-31 * MINUTE),
      nextAttemptAt: at(2 * MINUTE),
    }),
    item({
      id: "autumn-summit",
      title: "Autumn Summit",
      startsAt: onTheHour(12 * DAY),
      syncStatus: "PENDING",
      freshness: "CHECKING",
      activeJob: { id: "job-1", kind: "IMPORT", done: 1240, total: 3000 },
      counts: counts(1240, 22),
      lastSyncedAt: null,
    }),
    live("boat-parade", "Boat Parade Stewards", 6 * DAY, 240, {
      syncStatus: "PENDING",
      freshness: "LIVE",
      activeJob: { id: "job-2", kind: "RECONNECT", done: 90, total: 240 },
      lastSyncedAt: at(-70 * MINUTE),
    }),
    live("night-market", "Night Market Traders", 4 * DAY, 156, { freshness: "CHECKING" }),
    live("choir", "Dockside Choir Social", 2 * DAY, 73, {
      freshness: "PAUSED",
      waiting: { code: "RATE_LIMITED", until: at(34 * MINUTE) },
      activeJob: { id: "job-3", kind: "SYNC", done: 0, total: null },
      lastSyncedAt: at(-50 * MINUTE),
    }),
    live("winter-fair", "Winter Fair", 40 * DAY, 910, { freshness: "STALE", lastSyncedAt: at(-27 * HOUR) }),
    live("tool-library", "Tool Library Induction", 3 * DAY, 24, {}),
    live("calendar", "Community Calendar", 0, 2310, {
      kind: "PATH_CHANNEL",
      provider: "LUMA",
      integrationId: "makers",
      startsAt: null,
      endsAt: null,
      counts: counts(2310, 41, 0, 12),
    }),
    live("guild-list", "Everyone of Dock Hall", 0, 5821, { kind: "PATH_CHANNEL", startsAt: null, endsAt: null }),
    live("print-club", "Print Club: Screen Printing for Beginners", 1.2 * DAY, 18, {}),
    live("harbour-tour", "Harbour History Tour", 8 * DAY, 60, { kind: "PATH_EVENT", provider: "LUMA", integrationId: "makers" }),
    live("bike-day", "Bike Repair Day", 15 * DAY, 132, { unreadable: 2 }),
    live("garden", "Rooftop Garden Open Day", 21 * DAY, 204, { kind: "PATH_EVENT" }),
    live("quay-dinner", "Quayside Dinner", 10 * DAY, 431, { heldRemovals: 140 }),
    live("bread", "Bread Baking Workshop", -12 * DAY, 20, { freshness: "ENDED", lastSyncedAt: at(-4 * DAY) }),
    live("summer", "Summer Regatta", -120 * DAY, 1460, { freshness: "ENDED", archived: true, lastSyncedAt: at(-110 * DAY) }),
  ];
}

function demoCandidates(): Candidate[] {
  const titles = [
    "Quayside Jazz Evening",
    "Intro to Boat Building",
    "Members' Assembly",
    "Kite Festival",
    "Coastal Clean-up",
    "Shanty Choir Taster",
    "Ropework for Children",
    "Maritime Film Night",
    "Pottery Drop-in",
    "New Year Swim",
  ];
  const list: Candidate[] = titles.map((title, index) => ({
    externalId: `c-${index}`,
    title,
    startsAt: onTheHour((index + 1) * 5 * DAY),
    kinds: ["BADGE_EVENT", "PATH_EVENT"],
    importedAs: index === 2 ? [{ kind: "BADGE_EVENT", itemId: "tool-library" }] : [],
  }));
  return [...list, { externalId: "org", title: "Dock Hall", startsAt: null, kinds: ["PATH_CHANNEL"], importedAs: [] }];
}

/** A workspace with apps of its own: accounts that signed in, one of which was withdrawn; an app that is refused. */
function signedIn(core: FakeCore, demo: ItemView[]): ItemView[] {
  core.signIns.apps.set("EVENTBRITE", { clientId: "HARBOUR7QTALKVALUE", hasSecret: true, redirectPort: 47831 });
  core.signIns.apps.set("LUMA", { clientId: "client-harbour-makers", hasSecret: false, redirectPort: 47832 });
  core.signIns.lost.set("open-studio", {
    code: "PERMISSION_MISSING",
    message: "events@harbour.example may no longer see this event's attendees. Ask its owner to restore the role.",
    recovery: "RETRY",
  });
  core.status = { ...core.status, unsaved: "A renewed sign-in could not be saved. It works until you quit." };
  const withdrawn = failure(
    "CREDENTIALS_REJECTED",
    "RECONNECT",
    "Eventbrite refuses the sign-in of events@harbour.example (since 11:47), most often because it was withdrawn there " +
      "or the password was changed.",
  );
  const facts: Record<string, Partial<IntegrationView>> = {
    harbour: { signIn: "OAUTH", failure: withdrawn, lastVerifiedAt: at(-137 * MINUTE) },
    info: { signIn: "OAUTH" },
    makers: { signIn: "OAUTH", offersWithdrawal: true, expiresAt: at(58 * MINUTE) },
  };
  for (const [id, known] of core.integrations) {
    core.integrations.set(id, { ...known, ...facts[id] });
  }
  const refused = failure(
    "APP_REJECTED",
    "CHECK_APP_SETTINGS",
    "Luma refuses your app's API key or client secret. The list is as of 13:31, 88 attending.",
  );
  return demo.map((one) => {
    if (one.syncStatus === "DISCONNECTED") {
      return { ...one, failure: withdrawn };
    }
    return one.id === "repair-cafe" ? { ...one, failure: refused, nextAttemptAt: null } : one;
  });
}

/** Everywhere where a provider's words can stand. The core's sentences quote them. */
function hostileItems(core: FakeCore, demo: ItemView[]): ItemView[] {
  const text = (index: number) => HOSTILE[index % HOSTILE.length] ?? "";
  const quoting = (one: FailureView, index: number) => ({ ...one, message: `Eventbrite refuses ${text(index)}. ${one.message}` });
  let index = 0;
  for (const known of [...core.integrations.values()]) {
    const failing = known.failure === null ? null : quoting(known.failure, 80);
    core.integrations.set(known.id, { ...known, accountName: text(index), accountEmail: `${text(index + 2)}@example.com`, failure: failing });
    index += 1;
  }
  HOSTILE.slice(0, 24).forEach((name, at) =>
    core.integrations.set(`hostile-${at}`, account({ id: `hostile-${at}`, accountName: name, accountEmail: at % 2 ? name : null })),
  );
  core.candidates = HOSTILE.map((title, at) => ({
    externalId: `h-${at}`,
    title,
    startsAt: onTheHour(at * DAY),
    kinds: ["BADGE_EVENT", "PATH_EVENT"],
    importedAs: [],
  }));
  const live = HOSTILE.map((title, at) =>
    item({ id: `hostile-${at}`, title, counts: counts(HOSTILE.length + at), startsAt: onTheHour((at + 1) * DAY), timezone: at % 3 ? title : "Europe/London" }),
  );
  return live.concat(
    demo.map((one, at) => ({
      ...one,
      id: `hostile-${one.id}`,
      title: text(at + 1),
      failure: one.failure === null ? null : quoting(one.failure, at + 78),
    })),
  );
}

export function fill(core: FakeCore, scenario: Scenario): void {
  core.candidates = demoCandidates();
  if (scenario === "first-start") {
    return;
  }
  for (const one of demoAccounts()) {
    core.integrations.set(one.id, one);
  }
  if (scenario === "problem") {
    core.refusal = {
      code: "STORAGE_FAILED",
      message: "The data in this folder was written by a newer version of TalkValue Sync. It was left untouched: update the app to open it.",
      recovery: "CHECK_STORAGE",
    };
    core.status = { ...core.status, schema: null, problem: core.refusal };
    return;
  }
  if (scenario === "no-items") {
    return;
  }
  let items = demoItems();
  if (scenario === "many") {
    items = Array.from({ length: 10_000 }, (_, index) => {
      const base = items[index % items.length] as ItemView;
      return { ...base, id: `item-${index}`, title: `${base.title} ${index + 1}` };
    });
    items.push(item({ id: "huge", title: "A hundred thousand", startsAt: onTheHour(HOUR), counts: counts(100_000, 3_000, 12_000) }));
  } else if (scenario === "offline") {
    items = items.map((one) =>
      one.syncStatus === "ACTIVE" && !one.archived && one.freshness !== "ENDED"
        ? { ...one, freshness: "OFFLINE", waiting: { code: "OFFLINE", until: null } }
        : one,
    );
  } else if (scenario === "keychain") {
    core.keychain = {
      code: "VAULT_LOCKED",
      message: "Your keychain is locked, so syncing is paused. Your lists are kept as they are.",
      recovery: "UNLOCK_KEYCHAIN",
    };
    items = items.map((one) =>
      one.syncStatus === "ACTIVE" && !one.archived && one.freshness !== "ENDED"
        ? { ...one, freshness: "PAUSED", waiting: { code: "VAULT_LOCKED", until: null } }
        : one,
    );
  } else if (scenario === "repaired") {
    const harbour = core.integrations.get("harbour");
    if (harbour !== undefined) {
      core.integrations.set("harbour", { ...harbour, status: "CONNECTED", failure: null });
    }
  } else if (scenario === "signed-in") {
    items = signedIn(core, items);
  } else if (scenario === "hostile") {
    items = hostileItems(core, items);
  }
  for (const one of items) {
    core.items.set(one.id, one);
  }
  const importing = items.find((one) => one.id === "autumn-summit");
  if (importing !== undefined && typeof window !== "undefined" && new URLSearchParams(location.search).has("moving")) {
    core.read("autumn-summit", "IMPORT", 3000);
  }
}
