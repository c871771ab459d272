// Whatever the core does and however its notices arrive: list, page and title show one status, and none is green while
// the core does not say LIVE.

import { cleanup, render } from "@testing-library/svelte";
import fc from "fast-check";
import { flushSync } from "svelte";
import { afterEach, expect, test } from "vitest";

import { badgeOf } from "../src/lib/badge";
import { core } from "../src/lib/ipc.fake";
import { item } from "../src/lib/ipc.fake.data";
import { items } from "../src/lib/state/items.svelte";
import { route } from "../src/lib/state/route.svelte";
import type { ItemView, NoticeType } from "../src/lib/types";
import Both from "./support/both.svelte";
import { CODES, FRESHNESSES, itemIn, stage, SYNC_STATUSES } from "./support/core";

afterEach(() => {
  cleanup();
  core.stop();
  core.delay = null;
  core.answered = null;
});

const facts: fc.Arbitrary<Partial<ItemView>> = fc.oneof(
  fc.record({ freshness: fc.oneof(fc.constant("LIVE" as const), fc.constantFrom(...FRESHNESSES)) }).map((one) => ({ syncStatus: "ACTIVE" as const, alert: null, failure: null, activeJob: null, waiting: null, archived: false, lastSyncedAt: "2026-11-23T13:00:00Z", ...one })),
  fc.tuple(fc.constantFrom(...SYNC_STATUSES), fc.constantFrom(...CODES)).map(([status, code]) => {
    const { id: _id, title: _title, ...rest } = itemIn(status, code);
    return rest;
  }),
  fc.integer({ min: 0, max: 500 }).map((done) => ({
    syncStatus: "PENDING" as const,
    alert: null,
    failure: null,
    activeJob: { id: "j", kind: "RETRY" as const, done, total: 500 },
  })),
  fc.record({ archived: fc.boolean() }),
);

const NOTICES: NoticeType[] = ["ITEM_CHANGED", "INTEGRATION_CHANGED", "JOB_PROGRESSED", "JOB_WAITS", "JOB_RESUMED", "JOB_ENDED", "JOB_FAILED", "VAULT_ASKED", "OUT_OF_DATE"];

const which = fc.constantFrom("one", "two");
const step = fc.oneof(
  { weight: 7, arbitrary: fc.record({ kind: fc.constant("change" as const), facts, of: which, told: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("notice" as const), type: fc.constantFrom(...NOTICES), of: which }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("wait" as const), turns: fc.integer({ min: 1, max: 6 }) }) },
  // Answers set out in any order: an older one may arrive after a newer one.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("slow" as const), slow: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("arrive" as const), nth: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("deaf" as const), deaf: fc.boolean() }) },
);

/** What the core last said of each item, heard beside the window's own memory; and what it said before, while the newer
 *  answer is still on its way through the window's promises. */
const told = new Map<string, { last: ItemView; before: ItemView | undefined }>();
const STEPS_INSIDE = 8;
/** Answers on their way. */
let underWay: (() => void)[] = [];

const isLiveByCore = (item: ItemView | undefined) => item?.syncStatus === "ACTIVE" && item.freshness === "LIVE" && !item.archived;

function look(): void {
  flushSync();
  const page = document.querySelector('[data-testid="page"] [data-testid="badge"]');
  const badges = [...document.querySelectorAll('[data-testid="list"] [data-testid="badge"]')];
  const rowOf = (badge: Element) => badge.closest('[role="listitem"]')?.querySelector("[data-row]")?.getAttribute("data-row") ?? "";
  const inList = badges.find((badge) => rowOf(badge) === "one");
  const words = [inList?.textContent?.trim(), page?.textContent?.trim(), document.title.split(" · ").at(-1)];
  expect(new Set(words).size, `list, page and title must say the same: ${words.join(" | ")}`).toBe(1);
  expect(inList?.getAttribute("data-tone"), "one word in two colours is two statuses").toBe(page?.getAttribute("data-tone"));
  const green = badges.filter((badge) => badge.getAttribute("data-tone") === "good").map(rowOf);
  for (const id of green) {
    const word = told.get(id);
    const may = isLiveByCore(word?.last) || isLiveByCore(word?.before);
    expect(may, `${id} is green, and the core's last word about it was ${JSON.stringify(word?.last)}`).toBe(true);
  }
  if (page?.getAttribute("data-tone") === "good") {
    expect(green, "a green page is a green row").toContain("one");
  }
  const live = document.querySelector(".group.live")?.textContent ?? "0 live";
  expect(live, "the count of live lists counts the green rows").toBe(`${green.length} live`);
  if (items.problem !== null) {
    expect(document.querySelector('[data-tone="good"]'), "nothing is green while the core does not answer").toBeNull();
  }
}

async function hear(name: string, answer: unknown): Promise<void> {
  const heard = name === "list_items" ? (answer as ItemView[]) : name === "show_item" ? [answer as ItemView] : [];
  const words = heard.map((last) => ({ last, before: told.get(last.id)?.last }));
  for (const word of words) {
    told.set(word.last.id, word);
  }
  for (let step = 0; step < STEPS_INSIDE; step += 1) {
    await Promise.resolve();
  }
  for (const word of words) {
    word.before = undefined;
  }
}

test("list, page and title agree after every step, and with the core at the end", async () => {
  const seen = { green: 0, other: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30, size: "max" }), async (steps) => {
      // Also after a run that failed: while fast-check shrinks it, nothing of the last one may stand there.
      cleanup();
      told.clear();
      underWay = [];
      core.refusal = null;
      core.delay = null;
      core.answered = (name, answer) => void hear(name, answer);
      await stage(item({ id: "one", title: "One" }), item({ id: "two", title: "Two" }));
      route.toItem("one");
      render(Both);
      look();
      for (const one of steps) {
        if (one.kind === "change") {
          const before = core.items.get(one.of);
          if (before !== undefined) {
            core.items.set(one.of, { ...before, ...one.facts });
          }
          if (one.told) {
            core.notify({ type: "ITEM_CHANGED", itemId: one.of });
          }
        } else if (one.kind === "notice") {
          core.notify({ type: one.type, itemId: one.of });
        } else if (one.kind === "deaf") {
          core.refusal = one.deaf ? { code: "STORAGE_FAILED", message: "The disk does not answer.", recovery: "CHECK_STORAGE" } : null;
        } else if (one.kind === "slow") {
          core.delay = one.slow ? () => new Promise<void>((arrive) => underWay.push(arrive)) : null;
        } else if (one.kind === "arrive") {
          underWay.splice(one.nth % Math.max(1, underWay.length), 1).forEach((arrive) => arrive());
          await Promise.resolve();
        } else {
          for (let turn = 0; turn < one.turns; turn += 1) {
            await Promise.resolve();
            look();
          }
        }
        look();
        const tone = document.querySelector('[data-testid="page"] [data-testid="badge"]')?.getAttribute("data-tone");
        seen[tone === "good" ? "green" : "other"] += 1;
      }
      core.refusal = null;
      core.delay = null;
      underWay.splice(0).forEach((arrive) => arrive());
      await items.refresh();
      look();
      const truth = core.items.get("one");
      expect(
        document.querySelector('[data-testid="page"] [data-testid="badge"]')?.textContent?.trim(),
        "once everything has arrived, the window says what the core says",
      ).toBe(badgeOf(truth as ItemView).word);
    }),
    { numRuns: 80, seed: 20261123 },
  );
  expect(Math.min(seen.green, seen.other), `both green and other states came up often, else nothing was tried: ${JSON.stringify(seen)}`).toBeGreaterThan(100);
}, 120_000);
