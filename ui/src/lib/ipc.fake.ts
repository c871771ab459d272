// A stand-in for the shell, for looking at screens in a browser and for tests. Vite puts it in the place of ipc.ts in
// mode "demo" and under vitest only; the built window never contains it.
//
// It keeps facts like the core does and answers from them; it decides nothing that the real core would decide.

import type * as real from "./ipc";
import { fill, type Scenario } from "./ipc.fake.data";
import { activityOf, changesOf } from "./ipc.fake.history";
import { FakeSignIns } from "./ipc.fake.sign-in";
import type {
  Activity,
  AppStatus,
  Attendee,
  AttendeePage,
  AttendeeRequest,
  Candidate,
  ChangePage,
  CommandError,
  Connected,
  HeldRemovals,
  HistoryEntry,
  IntegrationView,
  ItemKind,
  ItemView,
  LinkKind,
  Notice,
  ReconnectOptions,
  ShownRemovals,
  Withdrawal,
} from "./types";
import { people } from "./ipc.fake.people";

const SIZE_STEP = 40;
/** Rows of one page of changes, as in the core. */
const CHANGES_PAGE = 100;

export class FakeCore {
  items = new Map<string, ItemView>();
  integrations = new Map<string, IntegrationView>();
  candidates: Candidate[] = [];
  /** Set: these people are in every list, and their fields are whatever a test put there. */
  people: Attendee[] | null = null;
  /** Set: what happened to every item, newest first; else something is made up for each. */
  changes: HistoryEntry[] | null = null;
  activity: Activity | null = null;
  /** Set: who is missing at the provider of every item that asks about removals. */
  removals: Attendee[] | null = null;
  status: AppStatus = { version: "0.1.0", dataDir: "~/.local/share/com.talkvalue.sync", schema: 1, problem: null, mended: null, unsaved: null };
  readonly signIns = new FakeSignIns(this);
  /** What the keychain's check answers. */
  keychain: CommandError | null = null;
  /** Set: every reading command refuses. */
  refusal: CommandError | null = null;
  /** Everything that was asked, for tests. */
  calls: [string, ...unknown[]][] = [];
  #heard = new Set<(notice: Notice) => void>();
  #timers = new Set<ReturnType<typeof setTimeout>>();

  /** Set, nobody is told anything: the window has to ask. */
  tellsNothing = false;

  listen(heard: (notice: Notice) => void): Promise<() => void> {
    if (this.tellsNothing) {
      return Promise.reject(new Error("no notices"));
    }
    this.#heard.add(heard);
    return Promise.resolve(() => this.#heard.delete(heard));
  }

  notify(notice: Notice): void {
    for (const heard of this.#heard) {
      heard(notice);
    }
  }

  /** Sets facts of an item and says so, as the engine does: first saved, then told. */
  change(id: string, facts: Partial<ItemView>): void {
    const item = this.items.get(id);
    if (item !== undefined) {
      this.items.set(id, { ...item, ...facts });
      this.notify({ type: "ITEM_CHANGED", itemId: id });
    }
  }

  /** Set: an answer, made when it was asked for, sets out only once this promise is kept. */
  delay: (() => Promise<unknown>) | null = null;
  /** Set: hears each answer as it arrives. */
  answered: ((name: string, answer: unknown) => void) | null = null;

  async answer<Answer>(name: string, args: unknown[], make: () => Answer): Promise<Answer> {
    this.calls.push([name, ...args]);
    await Promise.resolve();
    const refusal = name.startsWith("list") ? this.refusal : null;
    const answer = refusal === null ? structuredClone(make()) : null;
    await this.delay?.();
    if (refusal !== null) {
      throw refusal;
    }
    this.answered?.(name, answer);
    return answer as Answer;
  }

  item(id: string): ItemView {
    const item = this.items.get(id);
    if (item === undefined) {
      throw { code: "NOT_FOUND", message: `There is no item ${id} here.`, recovery: "CORRECT_INPUT" } satisfies CommandError;
    }
    return item;
  }

  /** A job that reads the list page by page, visibly. */
  read(id: string, kind: "IMPORT" | "RETRY" | "RECONNECT", total: number): ItemView {
    const job = { id: `job-${id}`, kind, done: 0, total };
    this.change(id, { syncStatus: "PENDING", alert: null, failure: null, waiting: null, activeJob: job });
    const step = () => {
      const item = this.items.get(id);
      const running = item?.activeJob;
      if (item === undefined || !running) {
        return;
      }
      const done = Math.min(total, running.done + SIZE_STEP);
      if (done < total) {
        const arrived = Math.max(item.counts.total, done);
        this.items.set(id, { ...item, activeJob: { ...running, done }, counts: { ...item.counts, total: arrived, attending: arrived } });
        this.notify({ type: "JOB_PROGRESSED", itemId: id, jobId: running.id, done, total });
        this.#later(step, 250);
      } else {
        this.change(id, {
          syncStatus: "ACTIVE",
          freshness: "LIVE",
          activeJob: null,
          lastSyncedAt: new Date().toISOString(),
          counts: { total, attending: total, awaiting: 0, notAttending: 0, checkedIn: 0 },
        });
        this.notify({ type: "JOB_ENDED", itemId: id, jobId: running.id });
      }
    };
    this.#later(step, 400);
    return this.item(id);
  }

  #later(step: () => void, pause: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      step();
    }, pause);
    this.#timers.add(timer);
  }

  stop(): void {
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    this.#heard.clear();
  }
}

export const core = new FakeCore();

// The address chooses what is there: ?scenario=many
const asked = typeof location === "undefined" ? null : new URLSearchParams(location.search).get("scenario");
fill(core, (asked ?? "demo") as Scenario);

export const listItems: typeof real.listItems = () => core.answer("list_items", [], () => [...core.items.values()]);

export const showItem: typeof real.showItem = (itemId) => core.answer("show_item", [itemId], () => core.item(itemId));

export const listAttendees: typeof real.listAttendees = (itemId: string, request: AttendeeRequest) =>
  core.answer<AttendeePage>("list_attendees", [itemId, request], () => {
    const item = core.item(itemId);
    if (core.people === null) {
      return people(item, request);
    }
    const tickets = core.people.flatMap((one) => one.ticketType ?? []);
    return { total: core.people.length, matching: core.people.length, tickets, rows: core.people };
  });

export const listIntegrations: typeof real.listIntegrations = () =>
  core.answer("list_integrations", [], () => [...core.integrations.values()]);

export const connectAccount: typeof real.connectAccount = (provider, secret, renews) =>
  core.answer<Connected>("connect_account", [provider, renews], () => {
    if (secret.startsWith("wrong")) {
      throw {
        code: "BAD_INPUT",
        message: "This is the API key. Copy the line called Private token instead. Nothing was saved.",
        recovery: "CORRECT_INPUT",
      } satisfies CommandError;
    }
    const needed = renews === null ? undefined : core.integrations.get(renews);
    const foreign = secret.startsWith("other");
    if (needed !== undefined && foreign) {
      throw {
        code: "WRONG_ACCOUNT",
        message: `You signed in as box@dockhall.example, but ${needed.accountEmail} is needed here. Nothing was changed.`,
        recovery: "CORRECT_INPUT",
      } satisfies CommandError;
    }
    const known = foreign
      ? undefined
      : [...core.integrations.values()].find((one) => one.provider === provider && one.status === "DISCONNECTED");
    const integration: IntegrationView = known
      ? { ...known, status: "CONNECTED", failure: null, lastVerifiedAt: new Date().toISOString() }
      : {
          id: `account-${core.integrations.size + 1}`,
          provider,
          accountId: `${provider}-${core.integrations.size + 1}`,
          accountName: provider === "LUMA" ? "Harbour Makers" : "Dock Hall",
          accountEmail: "box@dockhall.example",
          status: "CONNECTED",
          signIn: provider === "LUMA" ? "KEY" : "TOKEN",
          connectedAt: new Date().toISOString(),
          lastVerifiedAt: new Date().toISOString(),
          expiresAt: null,
          failure: null,
          offersWithdrawal: false,
        };
    core.integrations.set(integration.id, integration);
    core.notify({ type: "INTEGRATION_CHANGED", integrationId: integration.id });
    return { integration, events: 14 };
  });

export const verifyIntegration: typeof real.verifyIntegration = (integrationId: string) =>
  core.answer("verify_integration", [integrationId], () => {
    const integration = core.integrations.get(integrationId);
    if (integration === undefined) {
      throw { code: "NOT_FOUND", message: "There is no such account here.", recovery: "CORRECT_INPUT" } satisfies CommandError;
    }
    const verified = { ...integration, lastVerifiedAt: new Date().toISOString() };
    core.integrations.set(integrationId, verified);
    return verified;
  });

export const disconnectIntegration: typeof real.disconnectIntegration = (integrationId: string) =>
  core.answer("disconnect_integration", [integrationId], () => {
    const integration = core.integrations.get(integrationId);
    if (integration === undefined) {
      throw { code: "NOT_FOUND", message: "There is no such account here.", recovery: "CORRECT_INPUT" } satisfies CommandError;
    }
    const failure = {
      code: "DISCONNECTED_BY_YOU" as const,
      recovery: "RECONNECT" as const,
      message: `You disconnected ${integration.accountEmail ?? integration.accountName} (just now).`,
      since: new Date().toISOString(),
    };
    const severed: IntegrationView = { ...integration, status: "DISCONNECTED", failure };
    core.integrations.set(integrationId, severed);
    for (const item of core.items.values()) {
      if (item.integrationId === integrationId && !item.archived) {
        core.change(item.id, { syncStatus: "DISCONNECTED", alert: "INTEGRATION_DISCONNECTED", failure });
      }
    }
    core.notify({ type: "INTEGRATION_CHANGED", integrationId });
    const refused = integration.failure?.code === "CREDENTIALS_REJECTED";
    const withdrawal: Withdrawal = refused ? "OVER" : integration.signIn === "OAUTH" ? core.signIns.withdrawal[integration.provider] : "NOT_OFFERED";
    return { integration: severed, withdrawal };
  });

export const listCandidates: typeof real.listCandidates = (integrationId: string) =>
  core.answer("list_candidates", [integrationId], () => core.candidates);

export const importEvent: typeof real.importEvent = (integrationId: string, externalId: string, kind: ItemKind) =>
  core.answer("import_event", [integrationId, externalId, kind], () => {
    const candidate = core.candidates.find((one) => one.externalId === externalId);
    const provider = core.integrations.get(integrationId)?.provider ?? "EVENTBRITE";
    const item: ItemView = {
      id: `item-${externalId}-${kind}`,
      kind,
      provider,
      externalId,
      integrationId,
      title: candidate?.title ?? externalId,
      startsAt: candidate?.startsAt ?? null,
      endsAt: null,
      timezone: "Europe/London",
      syncStatus: "PENDING",
      freshness: "CHECKING",
      alert: null,
      failure: null,
      waiting: null,
      activeJob: null,
      counts: { total: 0, attending: 0, awaiting: 0, notAttending: 0, checkedIn: 0 },
      tickets: { total: 0, checkedIn: 0 },
      unreadable: 0,
      heldRemovals: 0,
      archived: false,
      lastSyncedAt: null,
      newSince: 0,
      lastAttemptedAt: null,
      nextAttemptAt: null,
    };
    core.items.set(item.id, item);
    return core.read(item.id, "IMPORT", 600);
  });

export const syncItem: typeof real.syncItem = (itemId: string) =>
  core.answer("sync_item", [itemId], () => {
    core.change(itemId, { lastSyncedAt: new Date().toISOString() });
    return core.item(itemId);
  });

export const retryItem: typeof real.retryItem = (itemId: string) =>
  core.answer("retry_item", [itemId], () => core.read(itemId, "RETRY", Math.max(200, core.item(itemId).counts.total)));

export const reconnectOptions: typeof real.reconnectOptions = (itemId: string) =>
  core.answer<ReconnectOptions>("reconnect_options", [itemId], () => {
    const item = core.item(itemId);
    const own = core.integrations.get(item.integrationId);
    if (own === undefined) {
      throw { code: "NOT_FOUND", message: "There is no such account here.", recovery: "CORRECT_INPUT" } satisfies CommandError;
    }
    const others = [...core.integrations.values()]
      .filter((one) => one.provider === item.provider && one.id !== own.id && one.status === "CONNECTED")
      .map((integration, index) => ({ integration, sees: index === 0 }));
    return { own: { integration: own, sees: own.status === "CONNECTED" ? true : null }, others };
  });

export const reconnectItem: typeof real.reconnectItem = (itemId: string, withIntegrationId: string | null) =>
  core.answer("reconnect_item", [itemId, withIntegrationId], () => {
    if (withIntegrationId !== null) {
      core.change(itemId, { integrationId: withIntegrationId });
    }
    return core.read(itemId, "RECONNECT", core.item(itemId).counts.total);
  });

export const keepItem: typeof real.keepItem = (itemId: string) =>
  core.answer("keep_item", [itemId], () => {
    core.change(itemId, { archived: true, alert: null, failure: null, freshness: "ENDED" });
    return core.item(itemId);
  });

export const removeItem: typeof real.removeItem = (itemId: string) =>
  core.answer("remove_item", [itemId], () => {
    const item = core.item(itemId);
    core.items.delete(itemId);
    core.notify({ type: "ITEM_CHANGED", itemId });
    return item;
  });

export const cancelItem: typeof real.cancelItem = (itemId: string) =>
  core.answer("cancel_item", [itemId], () => {
    const item = core.item(itemId);
    if (item.activeJob === null) {
      throw {
        code: "NOT_POSSIBLE",
        message: `Nothing runs for ${item.title} that could be stopped.`,
        recovery: "WAIT",
      } satisfies CommandError;
    }
    const first = item.lastSyncedAt === null;
    core.change(itemId, {
      activeJob: null,
      waiting: null,
      freshness: "STALE",
      syncStatus: first ? "PENDING" : "FAILED",
      alert: first ? "IMPORT_FAILED" : "SYNC_FAILED",
      failure: first
        ? {
            code: "IMPORT_CANCELLED",
            recovery: "RETRY",
            message: `Import stopped by you. Only ${item.counts.total} registrations have arrived; this list is not complete.`,
            since: new Date().toISOString(),
          }
        : { code: "INTERRUPTED", recovery: "RETRY", message: "The last run was cut off. What arrived is kept.", since: new Date().toISOString() },
    });
    return core.item(itemId);
  });

export const listChanges: typeof real.listChanges = (itemId, request) =>
  core.answer<ChangePage>("list_changes", [itemId, request], () => {
    const all = core.changes ?? changesOf(core.item(itemId));
    const asked = all.filter((entry) => request.since === null || entry.at >= request.since);
    const from = request.after === null ? 0 : Number(request.after);
    const to = from + CHANGES_PAGE;
    return { entries: asked.slice(from, to), next: to < asked.length ? String(to) : null };
  });

export const listActivity: typeof real.listActivity = (itemId: string) =>
  core.answer<Activity>("list_activity", [itemId], () => core.activity ?? activityOf(core.item(itemId)));

export const listRemovals: typeof real.listRemovals = (itemId: string) =>
  core.answer<HeldRemovals>("list_removals", [itemId], () => {
    const item = core.item(itemId);
    const limit = item.heldRemovals;
    const made = people(item, { search: "", status: "ATTENDING", ticket: null, sort: "NAME", descending: false, offset: 0, limit });
    return { people: (core.removals ?? made.rows).slice(0, limit), shown: { count: limit, mark: `mark-of-${limit}` } };
  });

export const decideRemovals: typeof real.decideRemovals = (itemId: string, accept: boolean, shown: ShownRemovals) =>
  core.answer("decide_removals", [itemId, accept, shown], () => {
    const { heldRemovals, counts } = core.item(itemId);
    if (shown.count < heldRemovals) {
      const message = `${heldRemovals - shown.count} more are missing now. Look again.`;
      throw { code: "NOT_POSSIBLE", message, recovery: "CORRECT_INPUT" } satisfies CommandError;
    }
    const moved = accept ? heldRemovals : 0;
    core.change(itemId, {
      heldRemovals: 0,
      counts: { ...counts, attending: counts.attending - moved, notAttending: counts.notAttending + moved },
    });
    return core.item(itemId);
  });

export const signIn: typeof real.signIn = (provider, way, renews) => {
  core.calls.push(["sign_in", provider, way, renews]);
  return core.signIns.begin(provider, way, renews);
};

export const switchSignIn: typeof real.switchSignIn = (way) =>
  core.answer("switch_sign_in", [way], () => core.signIns.switch(way));

export const cancelSignIn: typeof real.cancelSignIn = () => core.answer("cancel_sign_in", [], () => core.signIns.cancel());

export const showSignIn: typeof real.showSignIn = () => core.answer("show_sign_in", [], () => void core.signIns.attempt());

export const signInAddress: typeof real.signInAddress = () =>
  core.answer("sign_in_address", [], () => core.signIns.address());

export const answerSignIn: typeof real.answerSignIn = (address) =>
  core.answer("answer_sign_in", [address], () => core.signIns.answer(address));

export const addSignedInAccount: typeof real.addSignedInAccount = () =>
  core.answer("add_signed_in_account", [], () => core.signIns.addOther());

export const signInOptions: typeof real.signInOptions = (provider) =>
  core.answer("sign_in_options", [provider], () => core.signIns.options(provider));

export const rememberApp: typeof real.rememberApp = (provider, clientId, clientSecret, redirectPort) =>
  core.answer("remember_app", [provider, clientId, redirectPort], () =>
    core.signIns.remember(provider, clientId, clientSecret, redirectPort),
  );

export const forgetApp: typeof real.forgetApp = (provider) =>
  core.answer("forget_app", [provider], () => core.signIns.drop(provider));

export const reconnectAll: typeof real.reconnectAll = (integrationId, withIntegrationId) =>
  core.answer("reconnect_all", [integrationId, withIntegrationId], () =>
    core.signIns.reconnectAll(integrationId, withIntegrationId),
  );

export const saveSignIns: typeof real.saveSignIns = () => core.answer("save_sign_ins", [], () => core.signIns.saveAll());

export const answerQuit: typeof real.answerQuit = (quits) => core.answer("answer_quit", [quits], () => undefined);

export const openLink: typeof real.openLink = (kind: LinkKind, id: string | null) =>
  core.answer("open_link", [kind, id], () => undefined);

export const checkKeychain: typeof real.checkKeychain = (ask) => core.answer("check_keychain", [ask], () => core.keychain);

export const keepLive: typeof real.keepLive = () => core.answer("keep_live", [], () => undefined);

export const appStatus: typeof real.appStatus = () => core.answer("app_status", [], () => core.status);

export const onNotice: typeof real.onNotice = (heard) => core.listen(heard);
