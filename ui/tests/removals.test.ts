// Registrations that are missing at the provider in such numbers that a person is asked; and jobs that a person stops.

import { cleanup, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { afterEach, describe, expect, test, vi } from "vitest";

import App from "../src/App.svelte";
import { actionOf, bannerOf } from "../src/lib/failures";
import { core } from "../src/lib/ipc.fake";
import { item } from "../src/lib/ipc.fake.data";
import { HOSTILE } from "../src/lib/ipc.fake.hostile";
import { items } from "../src/lib/state/items.svelte";
import { paces } from "../src/lib/state/pace.svelte";
import { route } from "../src/lib/state/route.svelte";
import type { ItemView, Notice } from "../src/lib/types";
import { words } from "../src/lib/words";
import { CODES, itemIn, stage } from "./support/core";

const NOW = Date.parse("2026-11-23T14:02:00Z");
const counts = { total: 431, attending: 412, awaiting: 0, notAttending: 19, checkedIn: 30 };
const asking = (facts: Partial<ItemView> = {}) => item({ id: "one", title: "Makers Night", counts, heldRemovals: 140, ...facts });

afterEach(() => {
  cleanup();
  core.stop();
  core.refusal = null;
  core.delay = null;
  paces.forget();
});

const settled = async () => {
  await new Promise((resolve) => setTimeout(resolve, 0));
  await tick();
};
const asked = (name: string) => core.calls.filter(([call]) => call === name);

/** Answers set out only when the returned function is called. */
function holdAnswers(): () => void {
  const underWay: (() => void)[] = [];
  core.delay = () => new Promise<void>((arrive) => underWay.push(arrive));
  return () => {
    core.delay = null;
    underWay.splice(0).forEach((arrive) => arrive());
  };
}

async function open(one: ItemView) {
  await stage(one);
  route.toItem(one.id);
  render(App);
  await settled();
  return userEvent.setup();
}

describe("held removals", () => {
  test("are one banner on the page: what is missing, what we kept, and four ways on", async () => {
    await open(asking());
    const banner = screen.getByTestId("banner");
    expect(banner).toHaveTextContent("Check 140 removals");
    expect(banner).toHaveTextContent("Eventbrite's answer lacks 140 of 431 people. They are still in your list.");
    expect(within(banner).getAllByRole("button").map((button) => button.textContent?.trim())).toEqual([
      "Show the 140",
      "Read again",
      "Keep them",
      "Mark 140 as not attending",
    ]);
  });

  test("of one person speak of one person", () => {
    expect(bannerOf(asking({ heldRemovals: 1, counts: { ...counts, total: 1 } }), NOW)?.text).toBe(
      "Eventbrite's answer lacks 1 of 1 person. This person is still in your list.",
    );
  });

  test("of a list of people are counted as what they are: registrations", () => {
    const text = bannerOf(asking({ kind: "PATH_EVENT", heldRemovals: 500 }), NOW)?.text;
    expect(text, "one person may have many: 500 of 431 people would be nonsense").toBe(
      "Eventbrite's answer lacks 500 registrations. They are still in your list.",
    );
  });

  test.each(CODES)("never stand in the place of the alert about %s", (code) => {
    for (const syncStatus of ["FAILED", "DISCONNECTED", "PENDING"] as const) {
      const one = itemIn(syncStatus, code, { heldRemovals: 140 });
      expect(bannerOf(one, NOW)).toEqual(bannerOf({ ...one, heldRemovals: 0 }, NOW));
      expect(actionOf(one)).toBe(actionOf({ ...one, heldRemovals: 0 }));
    }
  });

  test("are not asked about where nobody keeps the list live", () => {
    expect(bannerOf(asking({ archived: true }), NOW)).toBeNull();
    expect(actionOf(asking({ archived: true }))).toBeNull();
  });

  test("lead from the list to the page: nobody is taken out with one key", async () => {
    await stage(asking());
    const user = userEvent.setup();
    render(App);
    await settled();
    expect(screen.getByRole("button", { name: "Check: Makers Night" })).toBeVisible();
    document.querySelector<HTMLElement>('[data-row="one"]')?.focus();
    await user.keyboard("r");
    await settled();
    expect(route.screen).toEqual({ name: "item", itemId: "one" });
    expect(asked("decide_removals")).toEqual([]);
  });

  test.each([
    ["Keep them", false, 412, "They stay in your list"],
    ["Mark 140 as not attending", true, 272, "140 registrations marked as not attending"],
  ])("“%s” is carried out and said, and the banner goes", async (button, accept, attending, said) => {
    const user = await open(asking());
    await user.click(screen.getByRole("button", { name: button }));
    await settled();
    expect(asked("decide_removals")).toEqual([["decide_removals", "one", accept, { count: 140, mark: null }]]);
    expect(screen.queryByTestId("banner")).toBeNull();
    expect(items.get("one")?.counts.attending).toBe(attending);
    expect(await screen.findByText(said)).toBeInTheDocument();
  });

  test("beside what is new since the last complete read do not hide it", async () => {
    await open(asking({ newSince: 1203 }));
    expect(screen.getByText(/^as of .*, 1,203 new since$/)).toBeInTheDocument();
  });

  test("are read again with a sync, which waits for the network", async () => {
    const user = await open(asking());
    await user.click(screen.getByRole("button", { name: "Read again" }));
    expect(asked("sync_item")).toHaveLength(1);
    core.change("one", { freshness: "OFFLINE", waiting: { code: "OFFLINE", until: null } });
    await waitFor(() => expect(screen.getByRole("button", { name: /Read again/ })).toBeDisabled());
    expect(screen.getByRole("button", { name: "Read again: This computer is offline" })).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Keep them" }), "what was read can be decided without a network").toBeEnabled();
  });

  test("are shown by name, however many, and decided there too", async () => {
    const user = await open(asking());
    await user.click(screen.getByRole("button", { name: "Show the 140" }));
    const dialog = await screen.findByRole("dialog", { name: "Missing at Eventbrite" });
    await waitFor(() => expect(within(dialog).getAllByRole("listitem").length).toBeGreaterThan(5));
    const rows = within(dialog).getAllByRole("listitem");
    expect(rows[0]).toHaveAttribute("aria-setsize", "140");
    expect(rows.length, "only the rows on the screen exist").toBeLessThan(60);
    expect(rows[0]?.textContent).toMatch(/@example\.com/);
    await user.click(within(dialog).getByRole("button", { name: "Mark 140 as not attending" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(asked("decide_removals")).toEqual([["decide_removals", "one", true, { count: 140, mark: "mark-of-140" }]]);
  });

  test("cannot be decided before those are shown of whom the button speaks", async () => {
    const user = await open(asking());
    await user.click(screen.getByRole("button", { name: "Show the 140" }));
    const dialog = await screen.findByRole("dialog");
    await waitFor(() => expect(within(dialog).getByRole("button", { name: "Keep them" })).toBeEnabled());
    core.items.set("one", asking({ heldRemovals: 200 }));
    await items.refresh();
    const arrive = holdAnswers();
    await waitFor(() => expect(within(dialog).getByRole("button", { name: "Mark 200 as not attending" })).toBeDisabled());
    arrive();
    await waitFor(() => expect(within(dialog).getByRole("button", { name: "Mark 200 as not attending" })).toBeEnabled());
  });

  test("are shown anew where a decision is refused because more are missing", async () => {
    const user = await open(asking());
    await user.click(screen.getByRole("button", { name: "Show the 140" }));
    const dialog = await screen.findByRole("dialog");
    const button = within(dialog).getByRole("button", { name: "Mark 140 as not attending" });
    await waitFor(() => expect(button).toBeEnabled());
    const before = asked("list_removals").length;
    // Nobody has told the window yet, and in one turn nobody can.
    core.items.set("one", asking({ heldRemovals: 143 }));
    button.click();
    expect(await screen.findByText("3 more are missing now. Look again.")).toBeInTheDocument();
    await waitFor(() => expect(asked("list_removals").length).toBeGreaterThan(before));
    await waitFor(() => expect(within(dialog).getByRole("button", { name: "Mark 143 as not attending" })).toBeEnabled());
  });

  test("that came back meanwhile are said to be back", async () => {
    const user = await open(asking());
    await user.click(screen.getByRole("button", { name: "Show the 140" }));
    const dialog = await screen.findByRole("dialog");
    core.change("one", { heldRemovals: 0 });
    await waitFor(() => expect(dialog).toHaveTextContent("Nobody is missing any more."));
    expect(within(dialog).queryByRole("button", { name: /Mark/ })).toBeNull();
  });

  test("whose names cannot be read now say so, and are asked for again", async () => {
    const user = await open(asking());
    core.refusal = { code: "STORAGE_FAILED", message: "The disk does not answer.", recovery: "CHECK_STORAGE" };
    await user.click(screen.getByRole("button", { name: "Show the 140" }));
    const dialog = await screen.findByRole("dialog");
    await waitFor(() => expect(dialog).toHaveTextContent("The disk does not answer."));
    expect(within(dialog).getByRole("button", { name: "Mark 140 as not attending" })).toBeDisabled();
    core.refusal = null;
    await user.click(within(dialog).getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(within(dialog).getAllByRole("listitem").length).toBeGreaterThan(5));
  });

  test("carry hostile names as text", async () => {
    const user = await open(asking({ heldRemovals: HOSTILE.length }));
    core.removals = HOSTILE.map((text, index) => ({
      id: `p-${index}`,
      externalId: text,
      name: text,
      email: text,
      company: text,
      ticketType: text,
      status: "ATTENDING",
      providerStatus: text,
      checkedInAt: null,
      orderId: text,
      registeredAt: null,
      updatedAt: null,
      registrations: 1,
    }));
    await user.click(screen.getByRole("button", { name: `Show the ${HOSTILE.length}` }));
    const dialog = await screen.findByRole("dialog");
    await waitFor(() => expect(within(dialog).getAllByRole("listitem").length).toBeGreaterThan(5));
    expect(within(dialog).getAllByRole("listitem")[0]?.querySelector("bdi")).toHaveTextContent(HOSTILE[0] ?? "");
    expect(dialog.querySelector(".missing :is(script, img, svg, iframe, a, button)"), "a name makes no element").toBeNull();
  });
});

describe("a job that runs", () => {
  const importing = item({
    id: "one",
    title: "Summit",
    syncStatus: "PENDING",
    freshness: "CHECKING",
    lastSyncedAt: null,
    activeJob: { id: "j", kind: "IMPORT", done: 1240, total: 3000 },
    counts: { ...counts, total: 1240 },
  });

  test("can be stopped, and an import then waits to be resumed", async () => {
    const user = await open(importing);
    await user.click(within(screen.getByRole("region", { name: "Import in progress" })).getByRole("button", { name: "Cancel" }));
    await settled();
    expect(asked("cancel_item")).toEqual([["cancel_item", "one"]]);
    const banner = screen.getByTestId("banner");
    expect(banner).toHaveTextContent("Import stopped by you.");
    expect(within(banner).getByRole("button", { name: "Remove" })).toBeVisible();
    await user.click(within(banner).getByRole("button", { name: "Resume" }));
    expect(asked("retry_item")).toHaveLength(1);
  });

  test("is stopped once, however often one clicks", async () => {
    const user = await open(importing);
    const arrive = holdAnswers();
    const cancel = screen.getByRole("button", { name: "Cancel" });
    await user.click(cancel);
    await user.click(cancel);
    expect(cancel, "stopping may take as long as the page that is being read").toBeDisabled();
    expect(asked("cancel_item")).toHaveLength(1);
    arrive();
    await waitFor(() => expect(screen.getByTestId("banner")).toHaveTextContent("Import stopped"));
  });

  test("can be stopped while it catches up", async () => {
    const user = await open({ ...importing, lastSyncedAt: "2026-11-23T11:45:00Z", activeJob: { id: "j", kind: "RECONNECT", done: 90, total: 240 } });
    await user.click(within(screen.getByRole("region", { name: "Catching up" })).getByRole("button", { name: "Cancel" }));
    await settled();
    expect(asked("cancel_item")).toHaveLength(1);
    expect(screen.queryByRole("progressbar")).toBeNull();
  });

  const progressed: Notice = { type: "JOB_PROGRESSED", itemId: "one", jobId: "j", done: 1240, total: 3000, pace: { count: 180, per: "SECOND", minutesLeft: 0 } };

  test("tells how fast it reads and what is left, beside its numbers and in no live region", async () => {
    await open(importing);
    const panel = screen.getByRole("region", { name: "Import in progress" });
    expect(panel, "nothing is said before it is known").not.toHaveTextContent("about");
    core.notify(progressed);
    await tick();
    const line = within(panel).getByText(/1,240 of 3,000/);
    expect(line).toHaveTextContent("1,240 of 3,000 · about 180 a second · under a minute left");
    expect(line.closest("[aria-live], [role=status], [role=alert], [role=log]"), "it would be read out with every page").toBeNull();
  });

  test("that waits tells no speed", async () => {
    await open(importing);
    core.notify(progressed);
    core.notify({ type: "JOB_WAITS", itemId: "one", jobId: "j", waiting: { code: "RATE_LIMITED", until: null } });
    await tick();
    expect(screen.getByRole("region", { name: "Import in progress" })).not.toHaveTextContent("about 180");
  });

  test("that has brought nothing for a while has no speed any more", () => {
    vi.useFakeTimers();
    try {
      paces.hear(progressed);
      vi.advanceTimersByTime(9_000);
      expect(paces.of("one")).toEqual({ count: 180, per: "SECOND", minutesLeft: 0 });
      paces.hear(progressed);
      vi.advanceTimersByTime(9_000);
      expect(paces.of("one"), "each page counts anew").toBeDefined();
      vi.advanceTimersByTime(1_001);
      expect(paces.of("one")).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  test.each([
    [{ count: 50, per: "SECOND", minutesLeft: null }, "about 50 a second"],
    [{ count: 1200, per: "MINUTE", minutesLeft: 1 }, "about 1,200 a minute · about 1 min left"],
    [{ count: 36, per: "MINUTE", minutesLeft: 119 }, "about 36 a minute · about 119 min left"],
    [{ count: 36, per: "MINUTE", minutesLeft: 121 }, "about 36 a minute · about 3 h left"],
  ] as const)("names %o as %s", (pace, expected) => {
    expect(words.detail.pace(pace)).toBe(expected);
  });

  test("that ended by itself meanwhile is not stopped, and that is said", async () => {
    await open(importing);
    const cancel = screen.getByRole("button", { name: "Cancel" });
    core.items.set("one", { ...importing, activeJob: null, syncStatus: "ACTIVE", freshness: "LIVE", lastSyncedAt: "2026-11-23T14:00:00Z" });
    cancel.click();
    expect(await screen.findByText("Nothing runs for Summit that could be stopped.")).toBeInTheDocument();
    await waitFor(() => expect(screen.queryByRole("progressbar"), "the page shows what holds now").toBeNull());
  });

  test("by itself has nothing to be stopped by", async () => {
    await open(item({ id: "one", activeJob: { id: "j", kind: "SYNC", done: 0, total: null } }));
    expect(screen.queryByRole("button", { name: "Cancel" })).toBeNull();
  });
});

test("what another process changed is asked for anew, once for many notices", async () => {
  await open(item({ id: "one", title: "Before", counts }));
  // The start asks for everything twice.
  await waitFor(() => expect(asked("keep_live")).not.toEqual([]));
  await items.refresh();
  core.calls = [];
  core.items.set("one", item({ id: "one", title: "After", counts: { ...counts, total: 432 } }));
  core.items.set("two", item({ id: "two", title: "New" }));
  core.integrations.clear();
  for (let notice = 0; notice < 20; notice += 1) {
    core.notify({ type: "OUT_OF_DATE" });
  }
  await waitFor(() => expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("After"));
  await settled();
  expect(items.get("two")?.title).toBe("New");
  expect(asked("list_items").length, "an import elsewhere says so many times a second").toBeLessThanOrEqual(2);
  expect(asked("list_integrations").length).toBeLessThanOrEqual(2);
  expect(asked("list_attendees"), "the open page shows the list as it is now").not.toEqual([]);
});
