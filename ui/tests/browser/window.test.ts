// What only a real engine can show: layout, scrolling, focus, and that hostile text stays text.

import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Page } from "playwright-core";

import { openRow, PLACES } from "../support/screens";
import { openPage, openStage, type Stage } from "../support/window";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** Walks the whole list, and looks at each row while it has the focus: a button that waits for it shows then. */
async function everyRowIsWhole(page: Page, width: number): Promise<void> {
  await page.focus("[data-row]");
  const rows = Number(await page.locator('[role="listitem"]').first().getAttribute("aria-setsize"));
  expect(rows, "a short list would prove little").toBeGreaterThan(15);
  for (let index = 1; index <= rows; index += 1) {
    const told = await page.evaluate((width) => {
      const row = document.activeElement?.closest('[role="listitem"]');
      const list = row?.closest('[role="list"]')?.getBoundingClientRect();
      const name = row?.querySelector("[data-row]")?.getAttribute("aria-label") ?? "no row has the focus";
      return ['[data-testid="badge"]', ".title", ".button"].flatMap((selector) => {
        const part = row?.querySelector(selector);
        if (selector === ".button" && part === null) {
          return [];
        }
        const box = part?.getBoundingClientRect();
        const seen =
          !!box && !!list && box.width > 20 && box.left >= 0 && box.right <= width && box.top >= list.top - 1 && box.bottom <= list.bottom + 1;
        return seen && getComputedStyle(part as Element).opacity === "1" ? [] : [`${selector} of ${name}: ${JSON.stringify(box)}`];
      });
    }, width);
    expect(told, "whoever reads at 200 % must see what is wrong and how to mend it").toEqual([]);
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction((at) => document.activeElement?.closest('[role="listitem"]')?.getAttribute("aria-posinset") === at, String(Math.min(rows, index + 1)));
  }
}

describe("at 720 by 480", () => {
  test("name, status and action of every row stay in sight", async () => {
    const { page } = await openPage(stage, { width: 720, height: 480 });
    await everyRowIsWhole(page, 720);
    await page.context().close();
  });
});

test("the beginning looks up the faces that the first picture is set in, and no other", async () => {
  const listed = readFileSync("beginning.js", "utf8").match(/FACES = (\[[^;]+\]);/)?.[1] ?? "[]";
  const lookedUp = JSON.parse(listed.replaceAll(/,\s*\]/g, "]")) as [number, number][];
  const { page } = await openPage(stage);
  await page.waitForSelector("[data-row]");
  const set = await page.evaluate(() => {
    const faces = new Set<string>();
    const texts = document.createTreeWalker(document.querySelector("main") as Element, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const parent = texts.currentNode.parentElement as Element;
      // Beside the list, in a section of its own, stands only what is the matter.
      if (texts.currentNode.textContent?.trim() !== "" && parent.checkVisibility() && parent.closest("section") === null) {
        const style = getComputedStyle(parent);
        faces.add(`${style.fontSize} ${style.fontWeight}`);
      }
    }
    return [...faces];
  });
  expect(set.sort()).toEqual(lookedUp.map(([size, weight]) => `${size}px ${weight}`).sort());
  await page.context().close();
});

test("10,000 items draw few rows, wherever one scrolls", async () => {
  const { page, troubles } = await openPage(stage, { scenario: "many" });
  await page.waitForSelector("[data-row]");
  const drawn = await page.evaluate(async () => {
    const list = document.querySelector('[role="list"][aria-label="Events"]') as HTMLElement;
    const counts: number[] = [];
    for (let frame = 0; frame < 120; frame += 1) {
      list.scrollTop = frame < 60 ? frame * 90 : frame * 4_000;
      await new Promise(requestAnimationFrame);
      counts.push(list.querySelectorAll("[data-row]").length);
    }
    return counts;
  });
  // What a frame costs follows from what it draws; its time would say more of the machine.
  expect(Math.max(...drawn)).toBeLessThan(60);
  expect(Math.min(...drawn)).toBeGreaterThan(0);
  expect(troubles).toEqual([]);
  await page.context().close();
});

test("a list of 100,000 people shows its end", async () => {
  const { page } = await openPage(stage, { scenario: "many" });
  await page.fill('[aria-label="Search events and accounts"]', "A hundred thousand");
  await page.click('[data-row="huge"]');
  await page.waitForSelector('[data-index="0"] bdi');
  expect(await page.locator('[role="grid"]').getAttribute("aria-rowcount")).toBe("100001");
  await page.focus('[data-index="0"]');
  await page.keyboard.press("End");
  await page.waitForSelector('[data-index="99999"] bdi');
  expect(await page.evaluate(() => document.activeElement?.getAttribute("data-index"))).toBe("99999");
  await page.context().close();
});

test("hostile texts stay text, keep the row's height and its layout", async () => {
  const { page, troubles } = await openPage(stage, { scenario: "hostile" });
  await page.waitForSelector('[data-row="hostile-0"]');
  const heights = await page.locator('[role="listitem"]').evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
  expect(new Set(heights)).toEqual(new Set([60]));
  const right = await page.locator(".when").evaluateAll((cells) => cells.map((cell) => Math.round(cell.getBoundingClientRect().right)));
  expect(new Set(right).size, "the columns stand in line").toBe(1);
  for (let index = 0; index < 8; index += 1) {
    await openRow(`hostile-${index}`)(page);
    expect(await page.title()).not.toMatch(/[\u202a-\u202e\u2066-\u2069\n]/);
    await page.keyboard.press("Escape");
    await page.waitForSelector(`[data-row="hostile-${index}"]`);
  }
  expect(troubles, "nothing was asked, thrown or refused").toEqual([]);
  await page.context().close();
});

test("messages speak in the window's own type", async () => {
  const { page } = await openPage(stage);
  await PLACES.find((place) => place.name === "toast")?.go(page);
  const type = (selector: string) =>
    page.locator(selector).first().evaluate((element) => {
      const style = getComputedStyle(element);
      return [style.fontFamily, style.fontSize, style.fontVariantNumeric];
    });
  expect(await type("[data-sonner-toast] [data-title]"), "the library brings a font of its own").toEqual(await type("body"));
  await page.context().close();
});

test("at 200 % name, status and action of every row stay in sight", async () => {
  // Zooming a window of 1100 by 760 to 200 % leaves the page half of it.
  const { page } = await openPage(stage, { width: 550, height: 380 });
  await everyRowIsWhole(page, 550);
  await page.context().close();
});

test("the focus returns to the row after its page and its dialog", async () => {
  const { page } = await openPage(stage);
  await page.focus('[data-row="makers-night"]');
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForSelector("h1");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement?.getAttribute("data-row") === "open-studio");
  await page.keyboard.press("r");
  await page.waitForSelector('[role="dialog"]');
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement?.getAttribute("data-row") === "open-studio");
  await page.context().close();
});

test("a long list stands where it stood when one comes back, with the focus on the row", async () => {
  const { page } = await openPage(stage, { scenario: "many" });
  await page.focus("[data-row]");
  await page.keyboard.press("End");
  const last = '[role="listitem"][aria-posinset="10001"] [data-row]';
  await page.waitForFunction((selector) => document.activeElement === document.querySelector(selector), last);
  await page.keyboard.press("Enter");
  await page.waitForSelector("h1");
  await page.keyboard.press("Escape");
  await page.waitForFunction((selector) => document.activeElement?.matches(selector), last);
  const top = await page.locator('[role="list"][aria-label="Events"]').evaluate((list) => list.scrollTop);
  expect(top, "whoever looked at one of ten thousand goes on from there").toBeGreaterThan(500_000);
  await page.context().close();
});

test("the people stand where they stood after a look at the changes, and scroll with keys there", async () => {
  const { page } = await openPage(stage);
  await openRow("quay-dinner")(page);
  await page.focus('[data-index="0"]');
  await page.keyboard.press("End");
  await page.waitForSelector('[data-index="430"] bdi');
  const top = () => page.locator('[role="grid"] .scrolls').evaluate((list) => list.scrollTop);
  const before = await top();
  expect(before, "the end of a long list").toBeGreaterThan(5_000);
  await page.click('[role="tab"]:has-text("Changes")');
  await page.waitForSelector('[role="tabpanel"] li');
  await page.keyboard.press("Tab");
  await page.keyboard.press("End");
  await page.waitForFunction(() => (document.querySelector('[role="tabpanel"]:not([hidden])')?.scrollTop ?? 0) > 1_000);
  await page.click('[role="tab"]:has-text("Attendees")');
  await page.waitForSelector('[data-index="430"] bdi');
  expect(await top(), "whoever compares goes on from there").toBe(before);
  await page.context().close();
});

test("import goes from account to kind, and the new item shows its progress", async () => {
  const { page } = await openPage(stage);
  await page.keyboard.press("Control+n");
  await page.fill('[aria-label="Search events"]', "kite");
  await page.keyboard.press("ArrowDown");
  await page.click("text=For your audience");
  await page.click('[role="dialog"] footer >> text=Import');
  await page.waitForSelector("text=Importing Kite Festival");
  await page.fill('[aria-label="Search events and accounts"]', "kite");
  await page.waitForSelector('[role="progressbar"]');
  await page.context().close();
});

test("reconnecting by pasting repairs the item and its neighbour", async () => {
  const { page } = await openPage(stage);
  await page.focus('[data-row="makers-night"]');
  await page.keyboard.press("r");
  await page.click("text=Sign in again");
  await page.fill('[aria-label="Private token"]', "a-token");
  await page.keyboard.press("Enter");
  await page.waitForSelector("text=Reconnecting 2 items");
  await page.waitForFunction(() => document.querySelector('[data-row="open-studio"]')?.getAttribute("aria-label")?.includes("catching up"));
  await page.context().close();
});
