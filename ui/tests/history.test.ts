// What happened to an item, on its page: the tabs, the changes of its people by pages, the activity of the item.

import { cleanup, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { afterEach, describe, expect, test } from "vitest";

import App from "../src/App.svelte";
import { FAILURES } from "../src/lib/failures";
import { changeWord, detailsOf, happeningOf } from "../src/lib/history";
import { core } from "../src/lib/ipc.fake";
import { item } from "../src/lib/ipc.fake.data";
import { happened } from "../src/lib/ipc.fake.history";
import { HOSTILE } from "../src/lib/ipc.fake.hostile";
import { route } from "../src/lib/state/route.svelte";
import { momentWithTime } from "../src/lib/time";
import type { FieldChange, HistoryEntry } from "../src/lib/types";
import Detail from "../src/screens/Detail.svelte";
import { CODES, stage } from "./support/core";

const NOW = Date.parse("2026-11-23T14:02:00Z");
const counts = { total: 3, attending: 3, awaiting: 0, notAttending: 0, checkedIn: 0 };
const one = item({ id: "one", title: "Makers Night", counts });

afterEach(() => {
  cleanup();
  core.stop();
  core.refusal = null;
});

const settled = async () => {
  await new Promise((resolve) => setTimeout(resolve, 0));
  await tick();
};
const field = (name: string, before: string | null, after: string | null): FieldChange => ({ field: name, before, after });
const change = (kind: string, fields: FieldChange[] = [], facts: Partial<HistoryEntry> = {}) =>
  happened({ type: "ATTENDEE", change: kind, name: "Ada Brandt", fields, ...facts });
const asked = (name: string) => core.calls.filter(([call]) => call === name);
const panel = () => screen.getByRole("tabpanel");
const rows = () => within(panel()).queryAllByRole("listitem").map((row) => row.textContent?.replace(/\s+/g, " ").trim());
const openTab = async (name: string, user = userEvent.setup()) => {
  await user.click(screen.getByRole("tab", { name }));
  await settled();
  return user;
};
/** A menu is placed by measures that a page without layout has not: it counts as hidden. */
const choices = () => screen.findAllByRole("menuitemradio", { hidden: true });
async function since(label: string, user: ReturnType<typeof userEvent.setup>): Promise<void> {
  screen.getByRole("button", { name: /^Since:/ }).focus();
  await user.keyboard("{Enter}");
  const choice = (await choices()).find((one) => one.textContent?.trim() === label);
  expect(choice, `there is no choice “${label}”`).toBeDefined();
  choice?.focus();
  await user.keyboard("{Enter}");
}
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const many = (count: number) => Array.from({ length: count }, (_, index) => change("REGISTERED", [], { name: `Person ${index}`, at: minutesAgo(index) }));

describe("the tabs", () => {
  test("are walked with arrows, and the people's search stays as it was", async () => {
    await stage(one);
    const user = userEvent.setup();
    render(Detail, { itemId: "one" });
    await settled();
    await user.type(screen.getByRole("searchbox"), "ada");
    screen.getByRole("tab", { name: "Attendees" }).focus();
    await user.keyboard("{ArrowRight}");
    expect(screen.getByRole("tab", { name: "Changes" })).toHaveAttribute("aria-selected", "true");
    expect(panel()).toHaveAccessibleName("Changes");
    await user.keyboard("{ArrowRight}");
    expect(panel()).toHaveAccessibleName("Activity");
    await user.keyboard("{Home}");
    expect(panel()).toHaveAccessibleName("Attendees");
    expect(screen.getByRole("searchbox")).toHaveValue("ada");
  });

  test("of a list of people speak of people", async () => {
    await stage(item({ id: "one", kind: "PATH_EVENT" }));
    render(Detail, { itemId: "one" });
    await settled();
    expect(screen.getAllByRole("tab").map((tab) => tab.textContent)).toEqual(["People", "Changes", "Activity"]);
  });

  test("stay where they are when a notice comes, and begin anew on another item", async () => {
    await stage(one, item({ id: "two", title: "Other" }));
    route.toItem("one");
    render(App);
    await settled();
    await openTab("Activity");
    core.change("one", { counts: { ...counts, total: 9 } });
    core.notify({ type: "OUT_OF_DATE" });
    await settled();
    expect(panel()).toHaveAccessibleName("Activity");
    route.toItem("two");
    await settled();
    expect(panel()).toHaveAccessibleName("Attendees");
  });

  test("ask for nothing that nobody looks at", async () => {
    await stage(one);
    render(Detail, { itemId: "one" });
    await settled();
    core.change("one", { lastSyncedAt: minutesAgo(0) });
    await settled();
    expect([...asked("list_changes"), ...asked("list_activity")]).toEqual([]);
  });

  test("bring the people when one searches", async () => {
    await stage(one);
    route.toItem("one");
    render(App);
    await settled();
    const user = await openTab("Changes");
    await user.keyboard("{Control>}f{/Control}");
    await settled();
    expect(panel()).toHaveAccessibleName("Attendees");
    expect(screen.getByRole("searchbox")).toHaveFocus();
  });
});

describe("a change", () => {
  test.each([
    ["REGISTERED", "registered"],
    ["UPDATED", "changed"],
    ["CANCELLED", "no longer attends"],
    ["RESTORED", "attends again"],
    ["CHECKED_IN", "checked in"],
    ["CHECK_IN_UNDONE", "no longer checked in"],
    ["SOMETHING_NEWER", "changed"],
    ["constructor", "changed"],
  ])("%s is said as “%s”", (kind, word) => {
    expect(changeWord(change(kind))).toBe(word);
  });

  test.each([
    ["a ticket", [field("ticketType", "General", "Student")], ["Ticket: General → Student"]],
    ["what was not there", [field("company", null, "Dock Hall")], ["Company: Dock Hall"]],
    ["what is gone", [field("company", "Dock Hall", null)], ["Company: Dock Hall → none"]],
    ["a status, and not the provider's word for it", [field("status", "ATTENDING", "NOT_ATTENDING"), field("providerStatus", "approved", "declined")], ["Status: Attending → Not attending"]],
    ["the provider's word alone", [field("providerStatus", "invited", "waitlist")], ["Status at Luma: invited → waitlist"]],
    ["a check-in once", [field("checkedInAt", null, "2026-11-23T13:58:00Z"), field("ticketsCheckedIn", "0", "1")], [`Checked in: ${momentWithTime("2026-11-23T13:58:00Z", NOW)}`]],
    ["used tickets alone", [field("ticketsCheckedIn", "1", "2")], ["Tickets used: 1 → 2"]],
    ["a person's fields in one order", [field("email", "a@x", "b@x"), field("name", "Ada", "Bea")], ["Name: Ada → Bea", "E-mail: a@x → b@x"]],
    ["no bookkeeping", [field("updatedAt", "2026-11-23T13:00:00Z", "2026-11-23T13:58:00Z"), field("externalId", "1", "2"), field("version", "1", "2")], []],
  ])("tells %s", (_what, fields, lines) => {
    const told = detailsOf(change("UPDATED", fields), "LUMA", NOW);
    expect(told.map(({ label, before, after }) => `${label}: ${before === null ? "" : `${before} → `}${after}`)).toEqual(lines);
  });
});

describe("the changes", () => {
  test("stand there by name, newest first, with what was and what is", async () => {
    await stage(one);
    core.changes = [
      change("UPDATED", [field("ticketType", "General", "Student"), field("updatedAt", "a", "b")], { at: minutesAgo(0) }),
      change("REGISTERED", [], { name: null, at: minutesAgo(1) }),
    ];
    render(Detail, { itemId: "one" });
    await settled();
    await openTab("Changes");
    expect(rows()).toEqual([
      expect.stringMatching(/Ada Brandt changed Ticket: General → now Student$/),
      expect.stringMatching(/No name registered$/),
    ]);
  });

  test("that are none are said to be none", async () => {
    await stage(one);
    core.changes = [];
    render(Detail, { itemId: "one" });
    await settled();
    const user = await openTab("Changes");
    expect(panel()).toHaveTextContent("Nobody has registered or changed anything yet.");
    await since("Last 24 hours", user);
    await waitFor(() => expect(panel()).toHaveTextContent("Nothing has changed in this time."));
  });

  test("come page by page", async () => {
    await stage(one);
    core.changes = many(250);
    render(Detail, { itemId: "one" });
    await settled();
    const user = await openTab("Changes");
    expect(rows()).toHaveLength(100);
    for (const length of [200, 250]) {
      await user.click(screen.getByRole("button", { name: "Show more" }));
      await waitFor(() => expect(rows()).toHaveLength(length));
    }
    expect(rows().at(-1)).toContain("Person 249");
    expect(screen.queryByRole("button", { name: "Show more" }), "there is no more").toBeNull();
  });

  test("are narrowed to a day or to the last outage, whose time is said", async () => {
    await stage(one);
    const outage = minutesAgo(3 * 24 * 60);
    core.changes = [60, 2 * 24 * 60, 5 * 24 * 60].map((minutes) => change("REGISTERED", [], { at: minutesAgo(minutes) }));
    core.activity = { entries: [], lastOutageAt: outage };
    render(Detail, { itemId: "one" });
    await settled();
    const user = await openTab("Changes");
    expect(rows()).toHaveLength(3);
    await since("Last 24 hours", user);
    await waitFor(() => expect(rows()).toHaveLength(1));
    await since(`Since the last outage (${momentWithTime(outage, Date.now())})`, user);
    await waitFor(() => expect(rows()).toHaveLength(2));
    expect(asked("list_changes").at(-1)).toEqual(["list_changes", "one", { since: outage, after: null }]);
  });

  test("of an item that was always live know no outage", async () => {
    await stage(one);
    core.activity = { entries: [], lastOutageAt: null };
    render(Detail, { itemId: "one" });
    await settled();
    const user = await openTab("Changes");
    screen.getByRole("button", { name: "Since: All changes" }).focus();
    await user.keyboard("{Enter}");
    expect((await choices()).map((choice) => choice.textContent?.trim())).toEqual(["All changes", "Last 24 hours"]);
  });

  test("are read again when the item changed", async () => {
    await stage(one);
    core.changes = many(3);
    route.toItem("one");
    render(App);
    await settled();
    await openTab("Changes");
    core.changes = [change("CANCELLED"), ...many(3)];
    core.change("one", { counts: { ...counts, attending: 2, notAttending: 1 } });
    await waitFor(() => expect(rows()).toHaveLength(4));
    expect(rows()[0]).toContain("no longer attends");
  });

  test("stay under the eyes of whoever reads further down, who is told of newer ones", async () => {
    await stage(one);
    core.changes = many(250);
    route.toItem("one");
    render(App);
    await settled();
    const user = await openTab("Changes");
    await user.click(screen.getByRole("button", { name: "Show more" }));
    await waitFor(() => expect(rows()).toHaveLength(200));
    panel().scrollTop = 900;
    core.change("one", { lastSyncedAt: minutesAgo(0) });
    await settled();
    expect(screen.queryByRole("button", { name: "Show newer changes" }), "a sync that found nothing changes nothing").toBeNull();
    core.changes = [change("CANCELLED"), ...many(250)];
    core.change("one", { counts: { ...counts, attending: 2, notAttending: 1 } });
    const newer = await screen.findByRole("button", { name: "Show newer changes" });
    expect(rows(), "nothing moves").toHaveLength(200);
    await user.click(newer);
    await waitFor(() => expect(rows()[0]).toContain("no longer attends"));
    expect(screen.queryByRole("button", { name: "Show newer changes" })).toBeNull();
  });

  test("stay while they cannot be read, and the reason is said", async () => {
    await stage(one);
    core.changes = many(3);
    render(Detail, { itemId: "one" });
    await settled();
    const user = await openTab("Changes");
    core.refusal = { code: "STORAGE_FAILED", message: "The disk does not answer.", recovery: "CHECK_STORAGE" };
    await since("Last 24 hours", user);
    await waitFor(() => expect(within(panel()).getByRole("status")).toHaveTextContent("The disk does not answer."));
    expect(rows()).toHaveLength(3);
    core.refusal = null;
    await user.click(within(panel()).getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(within(panel()).queryByRole("status")).toBeNull());
  });

  test("carry hostile texts as texts", async () => {
    await stage(one);
    core.changes = HOSTILE.slice(0, 90).map((text) => change("UPDATED", [field("company", text, text)], { name: text }));
    render(Detail, { itemId: "one" });
    await settled();
    await openTab("Changes");
    const shown = [...panel().querySelectorAll("li .name")].slice(0, 8).map((name) => name.textContent);
    expect(shown, "nothing is cut out of a name or changed in it").toEqual(HOSTILE.slice(0, 8));
    expect(panel().querySelector("li :is(script, img, svg, iframe, a, button, input)"), "a text makes no element").toBeNull();
  });
});

const job = (kind: string, end: string | null, done: number, total: number | null, changes: number, cause: string | null = null) =>
  happened({
    type: "JOB",
    change: kind,
    cause,
    fields: [field("end", null, end), field("done", null, String(done)), field("total", null, total === null ? null : String(total)), field("changes", null, String(changes))],
  });
const status = (to: string, before: string | null, cause: string | null = null) =>
  happened({ type: "STATUS", change: to, cause, fields: [field("syncStatus", before, to)] });
const credential = (kind: string, cause: string | null = null) => happened({ type: "CREDENTIAL", change: kind, cause });

const ACTIVITY: [string, HistoryEntry, string][] = [
  ["a first import's begin", status("PENDING", null), "Import began"],
  ["a repair's begin, without the old cause", status("PENDING", "DISCONNECTED", "INTERRUPTED"), "Catching up"],
  ["a success", status("ACTIVE", "PENDING"), "Syncing"],
  ["a failure", status("FAILED", "ACTIVE", "PROVIDER_UNREACHABLE"), "Sync failed Eventbrite does not answer"],
  ["a severance", status("DISCONNECTED", "ACTIVE", "CREDENTIALS_REJECTED"), "Disconnected Eventbrite refuses the sign-in"],
  ["a completed import", job("IMPORT", "COMPLETED", 3000, 3000, 3000), "Import completed 3,000 read · 3,000 changed"],
  ["a sync that found nothing", job("SYNC", "COMPLETED", 412, null, 0), "Sync completed 412 read"],
  ["a failed retry", job("RETRY", "FAILED", 1240, 3000, 12, "PROVIDER_UNREACHABLE"), "Retry failed Eventbrite does not answer · 1,240 of 3,000 read · 12 changed"],
  ["a job that was killed", job("RECONNECT", "INTERRUPTED", 80, 240, 0, "INTERRUPTED"), "Reconnect was cut off 80 of 240 read"],
  ["a job that a person stopped", job("IMPORT", "CANCELLED", 1240, null, 40, "IMPORT_CANCELLED"), "Import stopped by you 1,240 read · 40 changed"],
  ["a job that runs", job("SYNC", null, 10, 20, 0), "Sync is running 10 of 20 read"],
  ["a new account", credential("CONNECTED"), "Account connected"],
  ["a new sign-in", credential("RENEWED"), "Sign-in renewed"],
  ["an account that a person disconnected", credential("SEVERED", "DISCONNECTED_BY_YOU"), "Account disconnected disconnected by you"],
  ["a code of a newer version", credential("constructor", "toString"), "Account changed"],
  ["a status of a newer version", status("valueOf", "ACTIVE"), "Status changed"],
  ["an end of a newer version", job("toString", "constructor", 1, 2, 0), "Sync ended 1 of 2 read"],
];

describe("the activity", () => {
  test.each(ACTIVITY)("tells %s", (_what, entry, words) => {
    const { what, facts } = happeningOf(entry, one);
    expect(`${what} ${facts.join(" · ")}`.trim()).toBe(words);
  });

  test.each(CODES)("has words for the cause %s", (code) => {
    expect(happeningOf(status("FAILED", "ACTIVE", code), one).facts).toEqual([FAILURES[code].brief("EVENTBRITE")]);
  });

  test("counts what runs as the page does", () => {
    const running = { ...one, activeJob: { id: "j", kind: "SYNC" as const, done: 15, total: 20 } };
    expect(happeningOf(job("SYNC", null, 10, 20, 0), running).facts).toEqual(["15 of 20 read"]);
  });

  test("stands there newest first, with times", async () => {
    await stage(one);
    core.activity = { entries: ACTIVITY.map(([, entry], index) => ({ ...entry, at: minutesAgo(index) })), lastOutageAt: null };
    render(Detail, { itemId: "one" });
    await settled();
    await openTab("Activity");
    const expected = ACTIVITY.map(([, , words], index) => `${momentWithTime(minutesAgo(index), Date.now())} ${words}`);
    expect(rows()).toEqual(expected);
  });

  test("that is none is said to be none", async () => {
    await stage(one);
    core.activity = { entries: [], lastOutageAt: null };
    render(Detail, { itemId: "one" });
    await settled();
    await openTab("Activity");
    expect(panel()).toHaveTextContent("Nothing has happened yet.");
  });

  test("of years is shown by the hundred", async () => {
    await stage(one);
    core.activity = { entries: Array.from({ length: 150 }, () => job("SYNC", "COMPLETED", 1, 1, 1)), lastOutageAt: null };
    render(Detail, { itemId: "one" });
    await settled();
    const user = await openTab("Activity");
    expect(rows()).toHaveLength(100);
    await user.click(screen.getByRole("button", { name: "Show more" }));
    expect(rows()).toHaveLength(150);
  });

  test("is read again when the item or its account changed", async () => {
    await stage(one);
    core.activity = { entries: [credential("CONNECTED")], lastOutageAt: null };
    route.toItem("one");
    render(App);
    await settled();
    await openTab("Activity");
    core.activity = { entries: [credential("RENEWED"), credential("CONNECTED")], lastOutageAt: null };
    const account = core.integrations.get("dockhall");
    if (account !== undefined) {
      core.integrations.set("dockhall", { ...account, lastVerifiedAt: minutesAgo(0), connectedAt: minutesAgo(0) });
    }
    core.notify({ type: "INTEGRATION_CHANGED", integrationId: "dockhall" });
    await waitFor(() => expect(rows()).toHaveLength(2));
  });

  test("that cannot be read says why, and is asked for again", async () => {
    await stage(one);
    core.activity = { entries: [credential("CONNECTED")], lastOutageAt: null };
    render(Detail, { itemId: "one" });
    await settled();
    core.refusal = { code: "STORAGE_FAILED", message: "The disk does not answer.", recovery: "CHECK_STORAGE" };
    const user = await openTab("Activity");
    await waitFor(() => expect(within(panel()).getByRole("status")).toHaveTextContent("The disk does not answer."));
    core.refusal = null;
    await user.click(within(panel()).getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(rows()).toHaveLength(1));
  });
});
