// What jsdom lacks and the window uses: sizes that never change, observers that never call.

import "@testing-library/jest-dom/vitest";
import { configure } from "@testing-library/svelte";

// Facts are waited for, however busy the computer is.
configure({ asyncUtilTimeout: 15_000 });

class NeverObserves {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
  takeRecords(): [] {
    return [];
  }
}

// Tests of built files run without a page.
if (typeof document !== "undefined") {
  // The window reads these a moment after its start; tests begin after that moment.
  await (await import("../src/lib/state/rest.svelte")).rest.read();
  Object.assign(globalThis, { ResizeObserver: NeverObserves, IntersectionObserver: NeverObserves });
  Element.prototype.scrollTo = () => undefined;
  Element.prototype.scrollIntoView = () => undefined;
  // A screenful: the virtual lists draw what fits.
  for (const [name, size] of [
    ["offsetHeight", 600],
    ["offsetWidth", 1000],
    ["clientHeight", 600],
    ["clientWidth", 1000],
  ] as const) {
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => size });
  }
  Element.prototype.getBoundingClientRect = () => new DOMRect(0, 0, 1000, 600);
  globalThis.matchMedia ??= ((query: string) => ({
    matches: false,
    media: query,
    onchange: null,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    addListener: () => undefined,
    removeListener: () => undefined,
    dispatchEvent: () => false,
  })) as typeof matchMedia;
  globalThis.CSS ??= {} as typeof CSS;
  CSS.escape ??= (text: string) => text.replace(/["\\]/g, "\\$&");
}
