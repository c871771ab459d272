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
import type { ItemView, NoticeType } from "../src/lib/types";
import Both from "./support/both.svelte";
import { CODES, FRESHNESSES, itemIn, stage, SYNC_STATUSES } from "./support/core";

afterEach(() => {
  cleanup();
  core.stop();
});

const facts: fc.Arbitrary<Partial<ItemView>> = fc.oneof(
  fc.record({ freshness: fc.constantFrom(...FRESHNESSES) }).map((one) => ({ syncStatus: "ACTIVE" as const, alert: null, failure: null, activeJob: null, waiting: null, ...one })),
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

const NOTICES: NoticeType[] = ["ITEM_CHANGED", "INTEGRATION_CHANGED", "JOB_PROGRESSED", "JOB_WAITS", "JOB_RESUMED", "JOB_ENDED", "JOB_FAILED", "VAULT_ASKED"];

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("change" as const), facts, of: fc.constantFrom("one", "two") }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("notice" as const), type: fc.constantFrom(...NOTICES), of: fc.constantFrom("one", "two") }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), turns: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("deaf" as const), deaf: fc.boolean() }) },
);

function look(): void {
  flushSync();
  const inList = document.querySelector('[data-testid="list"] [role="listitem"]:has([data-row="one"]) [data-testid="badge"]');
  const onPage = document.querySelector('[data-testid="page"] [data-testid="badge"]');
  const words = [inList?.textContent?.trim(), onPage?.textContent?.trim(), document.title.split(" · ").at(-1)];
  expect(new Set(words).size, `list, page and title say the same: ${words.join(" | ")}`).toBe(1);
  expect(inList?.getAttribute("data-tone")).toBe(onPage?.getAttribute("data-tone"));
  const known = items.get("one");
  if (known !== undefined && (known.freshness !== "LIVE" || known.syncStatus !== "ACTIVE")) {
    expect(onPage?.getAttribute("data-tone"), "green only while active and live").not.toBe("good");
  }
  if (items.problem !== null) {
    expect(document.querySelector('[data-tone="good"]'), "nothing is green while the core does not answer").toBeNull();
  }
}

test("list, page and title agree after every step, and with the core at the end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      await stage(item({ id: "one", title: "One" }), item({ id: "two", title: "Two" }));
      core.listen((notice) => items.hear(notice));
      render(Both, { itemId: "one" });
      for (const one of steps) {
        if (one.kind === "change") {
          const before = core.items.get(one.of);
          if (before !== undefined) {
            core.items.set(one.of, { ...before, ...one.facts });
          }
          core.notify({ type: "ITEM_CHANGED", itemId: one.of });
        } else if (one.kind === "notice") {
          core.notify({ type: one.type, itemId: one.of });
        } else if (one.kind === "deaf") {
          core.refusal = one.deaf ? { code: "STORAGE_FAILED", message: "The disk does not answer.", recovery: "CHECK_STORAGE" } : null;
        } else {
          for (let turn = 0; turn < one.turns; turn += 1) {
            await Promise.resolve();
            look();
          }
        }
        look();
      }
      core.refusal = null;
      await items.refresh();
      look();
      const truth = core.items.get("one");
      expect(truth).toBeDefined();
      expect(document.querySelector('[data-testid="page"] [data-testid="badge"]')?.textContent?.trim()).toBe(
        badgeOf(truth as ItemView).word,
      );
      cleanup();
    }),
    { numRuns: 80, seed: 20261123 },
  );
}, 60_000);
