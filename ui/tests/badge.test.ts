import { describe, expect, test } from "vitest";

import { badgeOf, isLive } from "../src/lib/badge";
import { actionOf, bannerOf, FAILURES, syncOffer } from "../src/lib/failures";
import { titleOf } from "../src/lib/title";
import { actionWord } from "../src/lib/words";
import { ALERTS, CODES, FRESHNESSES, itemIn, SYNC_STATUSES } from "./support/core";
import { item } from "../src/lib/ipc.fake.data";

const NOW = Date.parse("2026-11-23T14:02:00Z");

describe("badge", () => {
  test("is green only while active, live, without alert and with a time it is true for", () => {
    for (const syncStatus of SYNC_STATUSES) {
      for (const freshness of FRESHNESSES) {
        for (const alert of ALERTS) {
          for (const archived of [false, true]) {
            for (const lastSyncedAt of [null, "2026-11-23T14:00:00Z"]) {
              for (const heldRemovals of [0, 140]) {
                const one = item({ id: "one", syncStatus, freshness, alert, archived, lastSyncedAt, heldRemovals });
                const green = badgeOf(one).tone === "good";
                const may =
                  syncStatus === "ACTIVE" &&
                  freshness === "LIVE" &&
                  alert === null &&
                  !archived &&
                  lastSyncedAt !== null &&
                  heldRemovals === 0;
                expect(green, JSON.stringify({ syncStatus, freshness, alert, archived, lastSyncedAt, heldRemovals })).toBe(may);
                if (green) {
                  expect(isLive(one)).toBe(true);
                }
              }
            }
          }
        }
      }
    }
  });

  test("has one outline per tone, so that it can be read without colour", () => {
    const outlines = new Map<string, Set<string>>();
    for (const syncStatus of SYNC_STATUSES) {
      for (const freshness of FRESHNESSES) {
        for (const alert of ALERTS) {
          const badge = badgeOf(item({ id: "one", syncStatus, freshness, alert }));
          outlines.set(badge.tone, (outlines.get(badge.tone) ?? new Set()).add(badge.shape));
        }
      }
    }
    const shapes = [...outlines.values()].flatMap((shapes) => [...shapes]);
    expect(new Set(shapes).size, "no outline stands for two tones").toBe(shapes.length);
  });

  test.each([
    [{ syncStatus: "DISCONNECTED", alert: "INTEGRATION_DISCONNECTED" }, "Disconnected"],
    [{ syncStatus: "FAILED", alert: "SYNC_FAILED" }, "Sync failed"],
    [{ syncStatus: "PENDING", alert: "IMPORT_FAILED", lastSyncedAt: null }, "Import failed"],
    [{ syncStatus: "PENDING", activeJob: { id: "j", kind: "IMPORT", done: 1, total: 2 }, lastSyncedAt: null }, "Importing"],
    [{ syncStatus: "PENDING", activeJob: { id: "j", kind: "RETRY", done: 1, total: 2 } }, "Catching up"],
    [{ heldRemovals: 140 }, "Check 140 removals"],
    [{}, "Syncing"],
    [{ freshness: "CHECKING" }, "Checking"],
    [{ freshness: "OFFLINE" }, "Offline"],
    [{ freshness: "PAUSED" }, "Paused"],
    [{ freshness: "STALE" }, "Not confirmed"],
    [{ freshness: "ENDED" }, "Event over"],
    [{ freshness: "ENDED", archived: true }, "Archived"],
  ] as const)("says %j as “%s”", (facts, word) => {
    expect(badgeOf(item({ id: "one", ...facts })).word).toBe(word);
  });
});

describe("every failure", () => {
  test.each(CODES)("%s has a short cause and actions with words", (code) => {
    const entry = FAILURES[code];
    expect(entry.brief("LUMA")).not.toBe("");
    for (const action of entry.actions) {
      expect(actionWord[action]).toBeTruthy();
    }
  });

  test.each(CODES)("%s on a disconnected item leads to Reconnect, and never offers Sync", (code) => {
    const one = itemIn("DISCONNECTED", code);
    expect(actionOf(one)).toBe("RECONNECT");
    expect(bannerOf(one, NOW)?.actions).toEqual(["RECONNECT"]);
    expect(bannerOf(one, NOW)?.title).toBe("Integration disconnected");
    expect(syncOffer(one)).toBeNull();
  });

  test.each(CODES)("%s on a failed item has a way out", (code) => {
    for (const syncStatus of ["FAILED", "PENDING"] as const) {
      const banner = bannerOf(itemIn(syncStatus, code), NOW);
      expect(banner?.text).toContain(`The core's sentence about ${code}.`);
      expect(banner?.actions.length).toBeGreaterThan(0);
      expect(actionOf(itemIn(syncStatus, code))).toBe(banner?.actions[0]);
    }
  });

  test.each(CODES)("%s on an archived item alarms nobody", (code) => {
    const one = itemIn("FAILED", code, { archived: true, alert: null });
    expect(bannerOf(one, NOW)).toBeNull();
    expect(actionOf(one)).toBeNull();
  });
});

test("sync is disabled offline, with its reason", () => {
  const one = item({ id: "one", freshness: "OFFLINE" });
  expect(syncOffer(one)).toEqual({ possible: false, why: "This computer is offline" });
});

test("the next attempt and a status page are said where a failure mends itself", () => {
  const failing = itemIn("FAILED", "PROVIDER_UNREACHABLE", {
    nextAttemptAt: "2026-11-23T14:04:00Z",
    // A list of last week: how old it is says nothing of how long it fails.
    lastSyncedAt: "2026-11-16T14:01:00Z",
  });
  const since = (at: string) => ({ ...failing, failure: failing.failure && { ...failing.failure, since: at } });
  const one = since("2026-11-23T14:01:00Z");
  expect(bannerOf(one, NOW)?.text).toContain("Trying again by itself in 2 min.");
  expect(bannerOf(one, NOW)?.actions).not.toContain("OPEN_STATUS_PAGE");
  expect(bannerOf(one, NOW, 3)?.actions).toContain("OPEN_STATUS_PAGE");
  expect(bannerOf(since("2026-11-23T13:32:30Z"), NOW)?.actions).not.toContain("OPEN_STATUS_PAGE");
  expect(bannerOf(since("2026-11-23T13:31:00Z"), NOW)?.actions).toContain("OPEN_STATUS_PAGE");
});

test("the title says the word of the badge", () => {
  for (const syncStatus of SYNC_STATUSES) {
    for (const freshness of FRESHNESSES) {
      const one = item({ id: "one", title: "Night", syncStatus, freshness });
      expect(titleOf({ name: "item", itemId: "one" }, [one])).toBe(`Night · ${badgeOf(one).word}`);
    }
  }
});
