// What happened to an item, from codes and fields to words. Where a value is a provider's, it stays a value of its own:
// whoever draws it keeps it apart from our words.

import type { Shape } from "./badge";
import { FAILURES } from "./failures";
import type { IconName } from "./parts/Icon.svelte";
import { named } from "./text";
import { momentWithTime, number } from "./time";
import type { AttendeeStatus, FailureCode, FieldChange, HistoryEntry, ItemView, Provider, SyncStatus } from "./types";
import { attendeeStatusName, providerName, words } from "./words";

const told = words.history;
type KnownField = keyof typeof told.field;

/** In the order in which they are told. Whatever else changed is the provider's bookkeeping. */
const FIELDS = Object.keys(told.field) as KnownField[];
/** A field that says again what another one says, where both changed. */
const REPEATS: Readonly<Partial<Record<KnownField, KnownField>>> = { ticketsCheckedIn: "checkedInAt" };

export interface Detail {
  field: string;
  label: string;
  /** `null` where there was nothing before: then only what is now is worth a word. */
  before: string | null;
  after: string;
}

/** What happened to somebody, after their name. */
export function changeWord(entry: HistoryEntry): string {
  return own(told.change, entry.change) ?? told.changed;
}

/** The fields that a person knows, before and after. */
export function detailsOf(entry: HistoryEntry, provider: Provider, now: number): Detail[] {
  const byName = new Map(entry.fields.map((field) => [field.field, field]));
  const details: Detail[] = [];
  for (const name of FIELDS) {
    const field = byName.get(name);
    const first = REPEATS[name];
    if (field !== undefined && (first === undefined || !byName.has(first))) {
      details.push(detailOf(field, told.field[name], (value) => valueOf(name, value, now)));
    }
  }
  const theirs = byName.get("providerStatus");
  if (theirs !== undefined && !byName.has("status")) {
    details.push(detailOf(theirs, told.statusAt(providerName[provider]), (value) => named(value, told.nothing)));
  }
  return details;
}

function detailOf(field: FieldChange, label: string, show: (value: string) => string): Detail {
  return {
    field: field.field,
    label,
    before: field.before === null ? null : show(field.before),
    after: field.after === null ? told.nothing : show(field.after),
  };
}

function valueOf(field: KnownField, value: string, now: number): string {
  switch (field) {
    case "status":
      return own(attendeeStatusName, value as AttendeeStatus) ?? value;
    case "checkedInAt":
    case "registeredAt":
      return momentWithTime(value, now);
    default:
      return named(value, told.nothing);
  }
}

export interface Happening {
  mark: { shape: Shape } | { icon: IconName };
  what: string;
  /** Cause and counts. */
  facts: string[];
}

const SHAPES: Record<SyncStatus, Shape> = { PENDING: "arrows", ACTIVE: "check", FAILED: "triangle", DISCONNECTED: "broken" };

/** What happened to the item itself: its status, a job, its account. */
export function happeningOf(entry: HistoryEntry, item: ItemView): Happening {
  if (entry.type === "JOB") {
    return jobHappening(entry, item);
  }
  const cause = causeOf(entry.cause, item.provider);
  if (entry.type === "CREDENTIAL") {
    return { mark: { icon: "key" }, what: own(told.credential, entry.change) ?? told.otherCredential, facts: cause };
  }
  const before = entry.fields.find(({ field }) => field === "syncStatus")?.before ?? null;
  const status = entry.change as SyncStatus;
  const first = status === "PENDING" && before === null;
  return {
    mark: { shape: own(SHAPES, status) ?? "dashed" },
    what: first ? told.firstStatus : (own(told.status, status) ?? told.otherStatus),
    // What runs now repairs what stood there: the old cause would contradict it.
    facts: status === "PENDING" ? [] : cause,
  };
}

function jobHappening(entry: HistoryEntry, item: ItemView): Happening {
  const value = (name: string) => entry.fields.find(({ field }) => field === name)?.after ?? null;
  const count = (name: string) => (value(name) === null ? null : Number(value(name)));
  const end = value("end");
  // The page hears of each step of what runs; the history is asked for less often.
  const running = end === null ? item.activeJob : null;
  const done = running?.done ?? count("done") ?? 0;
  const total = running === null ? count("total") : running.total;
  const changes = count("changes") ?? 0;
  const facts = end === "FAILED" ? causeOf(entry.cause, item.provider) : [];
  if (done > 0 || end === "COMPLETED") {
    facts.push(told.read(number(done), end === "COMPLETED" || total === null ? null : number(total)));
  }
  if (changes > 0) {
    facts.push(told.changedCount(number(changes)));
  }
  const kind = own(told.job, entry.change) ?? told.job["SYNC"];
  return { mark: { icon: "sync" }, what: `${kind} ${end === null ? told.jobRuns : (own(told.jobEnd, end) ?? told.jobEnded)}`, facts };
}

function causeOf(code: string | null, provider: Provider): string[] {
  const entry = code === null ? undefined : own(FAILURES, code as FailureCode);
  return entry === undefined ? [] : [entry.brief(provider)];
}

/** A table's own entry: codes are texts here, and an object knows more names than its own. */
function own<Key extends string, Value>(table: Readonly<Record<Key, Value>>, key: Key): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
