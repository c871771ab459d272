import { cleanup, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { afterEach, describe, expect, test } from "vitest";

import App from "../src/App.svelte";
import { badgeOf } from "../src/lib/badge";
import { bannerOf } from "../src/lib/failures";
import { core } from "../src/lib/ipc.fake";
import { account, item } from "../src/lib/ipc.fake.data";
import { HOSTILE } from "../src/lib/ipc.fake.hostile";
import { people } from "../src/lib/ipc.fake.people";
import { items } from "../src/lib/state/items.svelte";
import type { Attendee } from "../src/lib/types";
import { route } from "../src/lib/state/route.svelte";
import { actionWordFor, words } from "../src/lib/words";
import Detail from "../src/screens/Detail.svelte";
import EventList from "../src/screens/EventList.svelte";
import { CODES, itemIn, stage, SYNC_STATUSES } from "./support/core";

afterEach(() => {
  cleanup();
  core.stop();
});

const settled = async () => {
  await new Promise((resolve) => setTimeout(resolve, 0));
  await tick();
};

describe.each(SYNC_STATUSES)("an item that is %s", (syncStatus) => {
  test.each(CODES)("shows one badge, one banner and its buttons for %s", async (code) => {
    const one = itemIn(syncStatus, code);
    await stage(one);
    render(Detail, { itemId: one.id });
    await settled();
    expect(screen.getByTestId("badge")).toHaveTextContent(badgeOf(one).word);
    const expected = bannerOf(one, Date.now());
    expect(screen.queryAllByTestId("banner")).toHaveLength(expected === null ? 0 : 1);
    if (expected !== null) {
      const banner = screen.getByTestId("banner");
      expect(banner).toHaveTextContent(expected.title);
      const buttons = within(banner).queryAllByRole("button");
      expect(buttons.map((button) => button.textContent?.trim())).toEqual(expected.actions.map((action) => actionWordFor(action, one)));
      if (one.failure !== null) {
        expect(banner).toHaveTextContent(one.failure.message);
      }
    }
    cleanup();
    render(EventList);
    await settled();
    expect(screen.getByTestId("badge")).toHaveTextContent(badgeOf(one).word);
  });
});

test("a person walks the list with arrows, opens with Enter and acts with R", async () => {
  await stage(
    item({ id: "a", title: "Alpha", startsAt: "2030-01-01T10:00:00Z" }),
    itemIn("FAILED", "PROVIDER_CHANGED"),
    item({ id: "c", title: "Gamma", startsAt: "2030-01-02T10:00:00Z" }),
  );
  const user = userEvent.setup();
  render(EventList);
  await settled();
  const rows = document.querySelectorAll<HTMLElement>("[data-row]");
  expect([...rows].filter((row) => row.tabIndex === 0), "the list is one tab stop").toHaveLength(1);
  rows[0]?.focus();
  expect(rows[0]).toHaveAccessibleName(/Harbour Makers Night, sync failed/);
  await user.keyboard("r");
  expect(core.calls.map(([name]) => name)).toContain("retry_item");
  await user.keyboard("{ArrowDown}{ArrowDown}");
  await settled();
  expect(document.activeElement).toHaveAttribute("data-row", "c");
  await user.keyboard("{Enter}");
  expect(route.screen).toEqual({ name: "item", itemId: "c" });
});

test("one kind is chosen by pointer and by arrows, with the count of each beside it", async () => {
  await stage(
    item({ id: "a", title: "Alpha" }),
    item({ id: "b", title: "Beta", kind: "PATH_EVENT" }),
    item({ id: "c", title: "Gamma", kind: "PATH_EVENT" }),
  );
  const user = userEvent.setup();
  render(EventList);
  await settled();
  const rows = () => [...document.querySelectorAll("[data-row]")].map((row) => row.getAttribute("data-row"));
  const kinds = within(screen.getByRole("radiogroup", { name: "Kind" })).getAllByRole("radio");
  const said = kinds.map((kind) => kind.closest("label")?.textContent?.replace(/\s+/g, " ").trim());
  expect(said).toEqual(["All 3", "Badge events 1", "Path events 2", "Path channels 0"]);
  expect(kinds.filter((kind) => (kind as HTMLInputElement).checked)).toEqual([kinds[0]]);
  await user.click(screen.getByText("Path events"));
  await settled();
  expect(rows()).toEqual(["b", "c"]);
  await user.keyboard("{ArrowLeft}");
  await settled();
  expect(rows()).toEqual(["a"]);
});

test("a window that cannot be told anything asks all the same", async () => {
  await stage(item({ id: "a", title: "Alpha" }));
  core.tellsNothing = true;
  try {
    render(App);
    await waitFor(() => expect(core.calls.map(([name]) => name)).toContain("keep_live"));
  } finally {
    core.tellsNothing = false;
  }
});

test("before the first answer the frame stands there and claims nothing", async () => {
  await stage(item({ id: "a", title: "Alpha" }));
  items.forget();
  core.calls = [];
  const { container } = render(App);
  expect(core.calls.map(([name]) => name), "the question is on its way before anything is laid out").toContain("list_items");
  const frame = container.querySelector("main");
  expect(frame).toHaveTextContent(words.list.heading);
  expect(frame?.textContent, "no count, no empty list, no status is known yet").not.toMatch(/\d|No lists|Nothing/);
  expect(container.querySelector('[data-testid="badge"]')).toBeNull();
  await settled();
  expect(container.querySelectorAll("[data-row]"), "the rows come into the frame that stands there").toHaveLength(1);
  expect(container.querySelector("main"), "it is filled, not drawn again").toBe(frame);
});

test("at the start the list is drawn from one answer, and asked again once it stands", async () => {
  await stage(item({ id: "a", title: "Alpha" }));
  items.forget();
  core.calls = [];
  const frames: FrameRequestCallback[] = [];
  const ask = () => core.calls.filter(([name]) => name === "list_items").length;
  const real = globalThis.requestAnimationFrame;
  globalThis.requestAnimationFrame = (drawn) => frames.push(drawn);
  try {
    render(App);
    await settled();
    await settled();
    expect(document.querySelectorAll("[data-row]"), "the first answer is drawn").toHaveLength(1);
    expect(ask(), "a second reading of every item would keep the first from the screen").toBe(1);
    for (let frame = 0; frame < 3; frame += 1) {
      frames.splice(0).forEach((drawn) => drawn(0));
      await settled();
    }
    expect(ask(), "what changed before the window listened is not missed").toBe(2);
  } finally {
    globalThis.requestAnimationFrame = real;
  }
});

test("rows are not re-sorted under the focus", async () => {
  await stage(item({ id: "a", title: "Alpha", startsAt: "2030-01-01T10:00:00Z" }), item({ id: "b", title: "Beta", startsAt: "2030-02-01T10:00:00Z" }));
  render(EventList);
  await settled();
  const order = () => [...document.querySelectorAll("[data-row]")].map((row) => row.getAttribute("data-row"));
  expect(order()).toEqual(["a", "b"]);
  document.querySelector<HTMLElement>('[data-row="a"]')?.focus();
  core.items.set("b", itemIn("DISCONNECTED", "CREDENTIALS_REJECTED", { id: "b" }));
  await items.refresh();
  await settled();
  expect(order(), "the order holds while the focus is inside").toEqual(["a", "b"]);
  (document.activeElement as HTMLElement).blur();
  await settled();
  expect(order(), "and follows urgency once it left").toEqual(["b", "a"]);
});

test("each part of the count line filters, and the parts add up", async () => {
  await stage(
    item({ id: "a", title: "Alpha" }),
    itemIn("DISCONNECTED", "CREDENTIALS_REJECTED", { id: "b", title: "Beta" }),
    itemIn("FAILED", "PROVIDER_UNREACHABLE", { id: "c", title: "Gamma" }),
  );
  const user = userEvent.setup();
  render(EventList);
  await settled();
  await user.click(screen.getByRole("button", { name: "1 needs you" }));
  expect([...document.querySelectorAll("[data-row]")].map((row) => row.getAttribute("data-row"))).toEqual(["b"]);
  expect(screen.getByRole("button", { name: "1 retrying" })).toBeVisible();
  expect(screen.getByRole("button", { name: "1 live" })).toBeVisible();
});

test("first start asks which lists should be live", async () => {
  await stage();
  core.integrations.clear();
  render(App);
  await settled();
  await settled();
  expect(screen.getByRole("heading", { name: "Which lists should be live here?" })).toBeVisible();
});

test("going to the end of a long list asks for its end, not for all between", async () => {
  const counts = { total: 20_000, attending: 20_000, awaiting: 0, notAttending: 0, checkedIn: 0 };
  await stage(item({ id: "long", title: "Long", counts }));
  const user = userEvent.setup();
  render(Detail, { itemId: "long" });
  await settled();
  core.calls = [];
  document.querySelector<HTMLElement>('[data-index="0"]')?.focus();
  await user.keyboard("{End}");
  await settled();
  const asked = core.calls.filter(([name]) => name === "list_attendees").map(([, , request]) => (request as { offset: number }).offset);
  expect(asked, "the row with the focus and the rows on the screen are far apart: 200 pages lie between").toContain(19_900);
  expect(asked.length, "each page is a query of the whole list: a few, or the window hangs").toBeLessThan(5);
});

test("removing asks first, with the focus on Cancel", async () => {
  const one = item({ id: "one", title: "Night", counts: { total: 431, attending: 412, awaiting: 0, notAttending: 19, checkedIn: 30 } });
  await stage(one);
  const user = userEvent.setup();
  render(App);
  await settled();
  route.ask({ name: "remove", itemId: "one" });
  await settled();
  await settled();
  expect(screen.getByRole("alertdialog")).toHaveAccessibleName("Remove Night from this computer?");
  expect(screen.getByRole("button", { name: "Cancel" })).toHaveFocus();
  expect(core.calls.map(([name]) => name)).not.toContain("remove_item");
  await user.click(screen.getByRole("button", { name: "Remove 431 attendees" }));
  await settled();
  expect(core.calls.map(([name]) => name)).toContain("remove_item");
  expect(items.get("one")).toBeUndefined();
});

test("what a provider wrote is shown as it was written", async () => {
  const titles = HOSTILE.slice(0, 8);
  await stage(...titles.map((title, index) => item({ id: `hostile-${index}`, title })));
  const { container } = render(EventList);
  await settled();
  const shown = [...container.querySelectorAll(".title")].map((title) => title.textContent);
  expect(new Set(shown), "nothing is cut out of a name or changed in it").toEqual(new Set(titles));
});

test("a name of which nothing can be seen is called so", async () => {
  await stage(...["\u200b", "\u00ad\u034f\u3164\u2800", "\n\n", ""].map((title, index) => item({ id: `blank-${index}`, title })));
  render(EventList);
  await settled();
  for (const row of document.querySelectorAll("[data-row]")) {
    expect(row, "nobody can speak of, find or tell apart what has no name").toHaveAccessibleName(/^Event without a name, /);
  }
  expect([...document.querySelectorAll(".title")].map((title) => title.textContent)).toEqual(Array(4).fill("Event without a name"));
});

test("a person of whose name nothing can be seen has no name", async () => {
  await stage(item({ id: "one", counts: { total: 1, attending: 1, awaiting: 0, notAttending: 0, checkedIn: 0 } }));
  const [someone] = people(item({ id: "one", counts: { total: 1, attending: 1, awaiting: 0, notAttending: 0, checkedIn: 0 } }), {
    search: "", status: null, ticket: null, sort: "NAME", descending: false, offset: 0, limit: 1,
  }).rows;
  core.people = [{ ...(someone as Attendee), name: "\u200b\u3164" }];
  render(Detail, { itemId: "one" });
  await settled();
  expect(document.querySelector('[data-index="0"] .NAME'), "an empty cell looks like a mistake of this app").toHaveTextContent("No name");
});

test("a secret is sent once and kept nowhere in the page", async () => {
  await stage();
  core.integrations.clear();
  const user = userEvent.setup();
  render(App);
  await settled();
  route.ask({ name: "connect", provider: "EVENTBRITE" });
  await settled();
  const field = screen.getByLabelText("Private token");
  expect(field).toHaveAttribute("type", "password");
  await user.type(field, "S3CRET{Enter}");
  await settled();
  await settled();
  expect(screen.getByRole("dialog")).toHaveTextContent(/Connected as box@dockhall.example: 14 events/);
  expect(document.documentElement.outerHTML).not.toContain("S3CRET");
});

test("a list that cannot be opened says which folder and why", async () => {
  await stage();
  core.refusal = { code: "STORAGE_FAILED", message: "The data folder is read-only.", recovery: "CHECK_STORAGE" };
  core.status = { ...core.status, problem: core.refusal };
  items.forget();
  render(App);
  await settled();
  await settled();
  expect(screen.getByRole("alert")).toHaveTextContent("The data folder is read-only.");
  core.status = { ...core.status, problem: null };
});

describe("signing in again", () => {
  const severed = itemIn("DISCONNECTED", "CREDENTIALS_REJECTED", { integrationId: "dockhall" });

  async function pasteIntoReconnect(secret: string) {
    await stage(severed);
    core.integrations.set("dockhall", account({ id: "dockhall", status: "DISCONNECTED" }));
    route.ask({ name: "reconnect", itemId: severed.id });
    render(App);
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Sign in again" }));
    await user.type(screen.getByLabelText("Private token"), secret);
    await user.click(screen.getByRole("button", { name: "Connect" }));
    return user;
  }

  test("as somebody else changes nothing until a person adds the account", async () => {
    const user = await pasteIntoReconnect("other-token");
    expect(await screen.findByRole("alert")).toHaveTextContent("is needed here. Nothing was changed.");
    expect(core.integrations.size, "nothing was saved").toBe(1);
    expect(core.calls.map(([name]) => name)).not.toContain("reconnect_item");
    await user.click(screen.getByRole("button", { name: "Add it as another account" }));
    await screen.findByText("Use another account");
    expect(core.integrations.size).toBe(2);
    expect(core.calls.map(([name]) => name), "no event is switched silently").not.toContain("reconnect_item");
  });

  test("as the event's own account repairs it", async () => {
    await pasteIntoReconnect("own-token");
    await settled();
    expect(core.calls).toContainEqual(["reconnect_item", severed.id, null]);
  });
});

test("a data file that was made anew is said once, until it is read", async () => {
  await stage(item({ id: "a", title: "Alpha" }));
  core.status = { ...core.status, mended: "The data file was damaged and was set aside. Your lists are kept." };
  render(App);
  expect(await screen.findByText(/was damaged and was set aside/)).toBeInTheDocument();
  await userEvent.setup().click(screen.getByRole("button", { name: "OK" }));
  expect(screen.queryByText(/was damaged/)).not.toBeInTheDocument();
});

describe("a keychain in trouble", () => {
  const locked = {
    code: "VAULT_LOCKED" as const,
    message: "Your keychain is locked, so syncing is paused. Your lists are kept as they are.",
    recovery: "UNLOCK_KEYCHAIN" as const,
  };

  test("is said over the list, which is there first, and unlocked with one click", async () => {
    await stage(item({ id: "a", title: "Alpha" }));
    core.keychain = locked;
    render(App);
    expect(await screen.findByText(/^Alpha$/)).toBeInTheDocument();
    expect(await screen.findByText(/Your keychain is locked/)).toBeInTheDocument();
    const asked = core.calls.map(([name]) => name);
    expect(asked.indexOf("list_items"), "the list does not wait for the keychain").toBeLessThan(asked.indexOf("check_keychain"));
    core.keychain = null;
    await userEvent.setup().click(screen.getByRole("button", { name: "Unlock keychain" }));
    expect(core.calls).toContainEqual(["check_keychain", true]);
    await waitFor(() => expect(screen.queryByText(/Your keychain is locked/)).not.toBeInTheDocument());
  });

  test("is asked about again when a job failed for its sake", async () => {
    await stage(item({ id: "a", title: "Alpha" }));
    render(App);
    await settled();
    core.keychain = locked;
    core.notify({ type: "JOB_FAILED", itemId: "a", jobId: "job", error: locked });
    expect(await screen.findAllByText(/Your keychain is locked/)).not.toHaveLength(0);
    await screen.findByRole("button", { name: "Unlock keychain" });
  });
});
