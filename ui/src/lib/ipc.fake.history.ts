// Made-up histories for the stand-in shell: something of every kind, the same for every item of one size.

import { HOSTILE } from "./ipc.fake.hostile";
import type { Activity, FieldChange, HistoryEntry, ItemView } from "./types";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const MOST = 260;
const NAMES = ["Ada Brandt", "Chioma Haddad", "Zoë O’Brien", "Mateo Wójcik", "Noor Ueda", "Kofi Lindqvist", "Hana Petrov"];

const field = (name: string, before: string | null, after: string | null): FieldChange => ({ field: name, before, after });

export function happened(facts: Partial<HistoryEntry> & Pick<HistoryEntry, "type" | "change">): HistoryEntry {
  return { at: new Date().toISOString(), attendeeId: null, name: null, fields: [], cause: null, ...facts };
}

/** Newest first: hours apart at first, then by the day. */
export function changesOf(item: ItemView): HistoryEntry[] {
  const hostile = item.id.includes("hostile");
  const texts = hostile ? HOSTILE : NAMES;
  const text = (index: number) => texts[index % texts.length] ?? "";
  const tickets = hostile ? HOSTILE : ["General admission", "Student", "Volunteer"];
  const ticket = (index: number) => tickets[index % tickets.length] ?? "";
  return Array.from({ length: Math.min(MOST, item.counts.total) }, (_, index) => {
    const at = new Date(Date.now() - (index < 12 ? index * 137 * MINUTE : (index - 6) * DAY * 0.2)).toISOString();
    const kinds: [string, FieldChange[]][] = [
      ["CHECKED_IN", [field("checkedInAt", null, at), field("ticketsCheckedIn", "0", "1"), field("updatedAt", null, at)]],
      ["REGISTERED", []],
      ["UPDATED", [field("ticketType", ticket(index), ticket(index + 1)), field("company", null, text(index + 3)), field("updatedAt", null, at)]],
      ["CANCELLED", [field("status", "ATTENDING", "NOT_ATTENDING"), field("providerStatus", "approved", "declined")]],
      ["RESTORED", [field("status", "NOT_ATTENDING", "ATTENDING"), field("providerStatus", "declined", "approved")]],
      ["UPDATED", [field("name", text(index + 1), text(index)), field("email", `old.${index}@example.com`, `new.${index}@example.com`)]],
      ["CHECK_IN_UNDONE", [field("checkedInAt", at, null)]],
      ["UPDATED", [field("providerStatus", "invited", hostile ? text(index) : "waitlist")]],
    ];
    const [change, fields] = kinds[index % kinds.length] ?? ["UPDATED", []];
    return happened({ type: "ATTENDEE", change, at, attendeeId: `${item.id}-${index}`, name: index % 23 === 22 ? null : text(index), fields });
  });
}

/** Newest first: from the first sign-in to what holds now. */
export function activityOf(item: ItemView): Activity {
  const at = (minutes: number) => new Date(Date.now() - minutes * MINUTE).toISOString();
  const job = (change: string, minutes: number, end: string | null, done: number, total: number | null, changes: number, cause: string | null = null) =>
    happened({
      type: "JOB",
      change,
      at: at(minutes),
      cause,
      fields: [
        field("end", null, end),
        field("done", null, String(done)),
        field("total", null, total === null ? null : String(total)),
        field("changes", null, String(changes)),
      ],
    });
  const status = (change: string, before: string | null, minutes: number, cause: string | null = null) =>
    happened({ type: "STATUS", change, at: at(minutes), cause, fields: [field("syncStatus", before, change)] });
  const credential = (change: string, minutes: number, cause: string | null = null) =>
    happened({ type: "CREDENTIAL", change, at: at(minutes), cause });
  const total = item.counts.total;
  const outage = item.lastSyncedAt === null ? null : at(137);
  const running = item.activeJob === null ? [] : [job(item.activeJob.kind, 1, null, item.activeJob.done, item.activeJob.total, 0)];
  const first = [
    job("IMPORT", 2_990, "COMPLETED", total, total, total),
    job("RETRY", 3_000, "INTERRUPTED", 80, total, 80, "INTERRUPTED"),
    job("IMPORT", 3_010, "CANCELLED", 40, null, 40, "IMPORT_CANCELLED"),
    status("PENDING", null, 3_020),
    credential("CONNECTED", 20_000),
  ];
  if (outage === null) {
    return { entries: [...running, ...first.slice(1)], lastOutageAt: null };
  }
  const severed = [status("DISCONNECTED", "ACTIVE", 137, "CREDENTIALS_REJECTED"), credential("SEVERED", 137, "CREDENTIALS_REJECTED")];
  const repaired = [
    job("SYNC", 2, "COMPLETED", total, total, 3),
    status("ACTIVE", "PENDING", 100),
    job("RECONNECT", 100, "COMPLETED", total, total, 22),
    status("PENDING", "DISCONNECTED", 102),
    credential("RENEWED", 103),
  ];
  const before = [
    status("ACTIVE", "FAILED", 1_440),
    status("FAILED", "ACTIVE", 1_471, "PROVIDER_UNREACHABLE"),
    job("SYNC", 1_471, "FAILED", 12, total, 0, "PROVIDER_UNREACHABLE"),
    status("ACTIVE", "PENDING", 2_990),
  ];
  const since = item.syncStatus === "DISCONNECTED" ? severed : [...repaired, ...severed];
  return { entries: [...running, ...since, ...before, ...first], lastOutageAt: outage };
}
