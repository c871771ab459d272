// axe finds nothing on any screen, in light and dark; at its smallest no screen is cut off at its side; and none needs
// anything that the window's policy refuses.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afterAll, beforeAll, expect, test } from "vitest";

import { PLACES } from "../support/screens";
import { openPage, openStage, painted, type Stage } from "../support/window";

// Evaluated through the debugger, which the policy does not bind: the page itself could not load it.
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface AxeResult {
  id: string;
  help: string;
  nodes: { target: string[]; failureSummary: string }[];
}

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

// One visit for all of it: most of the time goes into getting there.
test.concurrent.each(PLACES.map((place) => [place.name, place] as const))("%s has no violation in light and dark, and is whole at 720 by 480", async (_name, place) => {
  const { page, troubles } = await openPage(stage, { scenario: place.scenario, scheme: "light" });
  await place.go(page);
  await page.evaluate(AXE);
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await painted(page);
    // "region" is advice, not WCAG, and knows no menus: those stand beside the landmarks, as their pattern has it.
    const violations = (await page.evaluate(
      `axe.run(document, { runOnly: ${JSON.stringify(TAGS)}, resultTypes: ["violations"], rules: { region: { enabled: false } } }).then((result) => result.violations)`,
    )) as AxeResult[];
    const told = violations.flatMap((violation) =>
      violation.nodes.map((node) => `${violation.id}: ${node.target.join(" ")}: ${node.failureSummary}`),
    );
    expect(told, `somebody cannot use this screen in ${scheme}`).toEqual([]);
  }
  await page.setViewportSize({ width: 720, height: 480 });
  await painted(page);
  const wide = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll(".scrolls, main, [role=dialog], [role=alertdialog], [role=menu]")]
      .filter((element) => element.scrollWidth > element.clientWidth + 1)
      .map((element) => `${element.tagName}.${element.className} ${element.scrollWidth} > ${element.clientWidth}`),
  );
  expect(wide, "nobody scrolls a list sideways to find what it says").toEqual([]);
  expect(troubles, "the policy refused nothing, nothing was thrown").toEqual([]);
  await page.context().close();
});
