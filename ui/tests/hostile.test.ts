// Whatever somebody typed at a provider: it makes no element and no attribute on any screen, and cannot turn the reading
// direction of our own words. Held against the same screens with plain words: what is drawn must be the same.

import { cleanup, render } from "@testing-library/svelte";
import { tick } from "svelte";
import { afterEach, beforeAll, expect, test } from "vitest";

import App from "../src/App.svelte";
import { core } from "../src/lib/ipc.fake";
import { account, failure, item } from "../src/lib/ipc.fake.data";
import { happened } from "../src/lib/ipc.fake.history";
import { HOSTILE } from "../src/lib/ipc.fake.hostile";
import { tell } from "../src/lib/state/act.svelte";
import { app } from "../src/lib/state/app.svelte";
import { items } from "../src/lib/state/items.svelte";
import { route } from "../src/lib/state/route.svelte";
import { sentence } from "../src/lib/text";
import type { Attendee } from "../src/lib/types";
import { stage } from "./support/core";

/** Marks that turn the reading direction. */
const STEERING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const counts = { total: 2, attending: 2, awaiting: 0, notAttending: 0, checkedIn: 0 };

function clear(): void {
  cleanup();
  core.stop();
  core.refusal = null;
  core.status = { ...core.status, problem: null };
}

afterEach(clear);

async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    await tick();
  }
}

/** Every field that a provider's words can be in. */
async function stageWith(text: string): Promise<void> {
  const refused = failure("CREDENTIALS_REJECTED", "RECONNECT", `Eventbrite refuses ${text}.`);
  const severed = { syncStatus: "DISCONNECTED", alert: "INTEGRATION_DISCONNECTED", failure: refused, freshness: "STALE", counts } as const;
  await stage(
    item({ id: "severed", title: text, timezone: text, ...severed }),
    item({ id: "severed-too", title: text, ...severed }),
    item({ id: "live", title: text, integrationId: "calendar", provider: "LUMA", counts }),
    item({ id: "asks", title: text, heldRemovals: 2, counts }),
    item({ id: "waits", title: text, freshness: "PAUSED", waiting: { code: "RATE_LIMITED", until: null }, counts }),
    item({
      id: "imports",
      title: text,
      syncStatus: "PENDING",
      lastSyncedAt: null,
      activeJob: { id: "j", kind: "IMPORT", done: 1, total: 2 },
      counts,
    }),
  );
  core.integrations.set("dockhall", account({ id: "dockhall", accountId: text, accountName: text, accountEmail: text, status: "DISCONNECTED", failure: refused }));
  core.integrations.set("calendar", account({ id: "calendar", provider: "LUMA", accountName: text, accountEmail: null, signIn: "KEY" }));
  core.integrations.set("other", account({ id: "other", accountName: text, accountEmail: text }));
  core.candidates = [0, 1].map((index) => ({ externalId: `c-${index}`, title: text, startsAt: null, kinds: ["BADGE_EVENT", "PATH_EVENT"], importedAs: [] }));
  core.people = [0, 1].map(
    (index): Attendee => ({
      id: `p-${index}`,
      externalId: text,
      name: text,
      email: text,
      company: text,
      // Two different ones, else there is nothing to choose between.
      ticketType: `${index} ${text}`,
      status: "ATTENDING",
      providerStatus: text,
      checkedInAt: null,
      orderId: text,
      registeredAt: null,
      updatedAt: null,
      registrations: 1,
    }),
  );
  core.removals = core.people;
  // Also in the fields and codes that are ours today: the window does not know who wrote them.
  const fields = ["name", "email", "company", "ticketType", "status", "checkedInAt", "providerStatus", "orderId"];
  core.changes = [text, "UPDATED", "REGISTERED"].flatMap((change) => [
    happened({ type: "ATTENDEE", change, attendeeId: text, name: text, cause: text, fields: [{ field: text, before: text, after: text }] }),
    ...fields.map((field) => happened({ type: "ATTENDEE", change, name: text, fields: [{ field, before: text, after: text }] })),
  ]);
  core.activity = {
    lastOutageAt: new Date().toISOString(),
    entries: (["STATUS", "JOB", "CREDENTIAL"] as const).map((type) =>
      happened({ type, change: text, name: text, cause: text, fields: [{ field: "end", before: text, after: text }] }),
    ),
  };
}

/** Each screen, as one arrives there. */
const SCREENS: Record<string, (text: string) => unknown> = {
  list: () => undefined,
  "detail, severed": () => route.toItem("severed"),
  "detail, waiting": () => route.toItem("waits"),
  "detail, changes": async () => {
    route.toItem("asks");
    await settled();
    document.querySelector<HTMLElement>('[role="tab"]:nth-child(2)')?.click();
  },
  "detail, activity": () => document.querySelector<HTMLElement>('[role="tab"]:nth-child(3)')?.click(),
  "detail, importing": () => route.toItem("imports"),
  import: () => route.ask({ name: "import", integrationId: "other" }),
  removals: () => route.ask({ name: "removals", itemId: "asks" }),
  reconnect: () => route.ask({ name: "reconnect", itemId: "severed" }),
  remove: () => route.ask({ name: "remove", itemId: "live" }),
  disconnect: () => route.ask({ name: "disconnect", integrationId: "other" }),
  settings: () => {
    route.closeDialog();
    route.toSettings();
  },
  problem: (text) => {
    core.refusal = { code: "STORAGE_FAILED", message: text, recovery: "CHECK_STORAGE" };
    core.status = { ...core.status, problem: core.refusal };
    items.forget();
    return app.refresh();
  },
};

/** The page without its words: which elements there are, and which attributes they have. */
function skeleton(within: Element = document.body): string[] {
  return [...within.querySelectorAll("*")].map((element) => `${element.localName} ${element.getAttributeNames().sort().join(" ")}`);
}

/** What of a provider's text could turn our own words around, and where. */
function steering(): string[] {
  const told: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (STEERING.test(node.textContent ?? "") && parent?.closest("bdi") === null) {
      told.push(`the text of ${parent.localName}.${parent.className}`);
    }
  }
  for (const element of document.querySelectorAll("body *")) {
    for (const name of element.getAttributeNames()) {
      if (STEERING.test(element.getAttribute(name) ?? "")) {
        told.push(`${name} of ${element.localName}.${element.className}`);
      }
    }
  }
  if (STEERING.test(document.title)) {
    told.push("the window's title");
  }
  return told;
}

async function visit(text: string): Promise<Record<string, { skeleton: string[]; steering: string[] }>> {
  await stageWith(text);
  render(App);
  await settled();
  const seen: Record<string, { skeleton: string[]; steering: string[] }> = {};
  for (const [name, go] of Object.entries(SCREENS)) {
    await go(text);
    await settled();
    seen[name] = { skeleton: skeleton(), steering: steering() };
  }
  return seen;
}

type Visit = Awaited<ReturnType<typeof visit>>;
let plainly: Visit;
/** A text of that length is shortened, with a button for the rest: elements of ours, whatever it says. */
let atLength: Visit;
beforeAll(async () => {
  plainly = await visit("Plain words");
  clear();
  atLength = await visit("Plain words ".repeat(400));
  clear();
}, 60_000);

test("the texts are many, and the plain screens show what they hold", () => {
  expect(new Set(HOSTILE).size, "a handful of payloads proves little").toBeGreaterThanOrEqual(200);
  for (const tab of ["detail, changes", "detail, activity"]) {
    expect(plainly[tab]?.skeleton.filter((line) => line.startsWith("time ")).length, `${tab} that shows nothing would prove nothing`).toBeGreaterThan(2);
  }
  for (const dialog of ["import", "removals", "reconnect", "remove", "disconnect"]) {
    expect(plainly[dialog]?.skeleton.join(" "), `${dialog} that did not open would prove nothing`).toMatch(/ aria-labelledby[^,]* role/);
  }
  expect(plainly["import"]?.skeleton.filter((line) => line.includes("aria-selected") && !line.startsWith("button")), "both candidates are drawn").toHaveLength(2);
  for (const [name, { steering }] of Object.entries(plainly)) {
    expect(steering, `our own words on ${name} turn nothing`).toEqual([]);
  }
});

test.each(HOSTILE.map((text, index) => [`${index}: ${JSON.stringify(text).slice(0, 40)}`, text] as const))("text %s stays text on every screen", async (_name, text) => {
  const seen = await visit(text);
  const expected = sentence(text).length > 1_000 ? atLength : plainly;
  for (const [name, { skeleton, steering }] of Object.entries(seen)) {
    expect(skeleton, `${name}: a provider's text must make no element and no attribute`).toEqual(expected[name]?.skeleton);
    expect(steering, `${name}: a provider's text must not turn ours around`).toEqual([]);
  }
});

test("a message that quotes them stays a message", async () => {
  await stageWith("Plain words");
  render(App);
  for (const message of ["Plain words", ...HOSTILE]) {
    tell({ code: "BAD_INPUT", message, recovery: "CORRECT_INPUT" });
  }
  await settled();
  const messages = [...document.querySelectorAll("[data-sonner-toast]")].map((one) => skeleton(one));
  expect(messages).toHaveLength(HOSTILE.length + 1);
  for (const drawn of messages) {
    expect(drawn, "a provider's text must make no element and no attribute").toEqual(messages[0]);
  }
  expect(steering(), "a provider's text must not turn ours around").toEqual([]);
}, 60_000);
