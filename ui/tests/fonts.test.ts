// What is laid out before the first picture is out of sight, and gone before anything is drawn.

import { expect, test, vi } from "vitest";

import { lookUpFonts } from "../src/lib/fonts";

test("looking fonts up shows nothing and leaves nothing behind", () => {
  const place = document.createElement("div");
  const looked = vi.fn(() => {
    expect(place.style.visibility).toBe("hidden");
    expect(place.children.length).toBeGreaterThan(0);
    return 0;
  });
  Object.defineProperty(place, "offsetHeight", { get: looked });
  lookUpFonts(place);
  expect(looked, "a layout is what looks them up").toHaveBeenCalledOnce();
  expect(place.outerHTML).toBe('<div style=""></div>');
});
