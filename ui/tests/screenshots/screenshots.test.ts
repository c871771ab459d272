// Pictures of every screen, to be looked at. They compare with nothing.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, test } from "vitest";

import { PLACES } from "../support/screens";
import { openPage, openStage, painted, type Stage } from "../support/window";

const FOLDER = fileURLToPath(new URL("../../screenshots/", import.meta.url));
let stage: Stage;

beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  stage = await openStage();
});
afterAll(() => stage.close());

const only = process.env["ONLY"]?.split(",");

for (const place of PLACES.filter(({ name }) => only === undefined || only.includes(name))) {
  for (const scheme of ["light", "dark"] as const) {
    for (const [width, height] of [
      [1100, 760],
      [720, 480],
    ] as const) {
      test(`${place.name} ${scheme} ${width}x${height}`, async () => {
        const { page } = await openPage(stage, { scenario: place.scenario, scheme, width, height });
        await place.go(page);
        await painted(page);
        await page.screenshot({ path: `${FOLDER}${place.name}-${scheme}-${width}.png` });
        await page.context().close();
      });
    }
  }
}
