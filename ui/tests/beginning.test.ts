// What runs as the document begins. What it asks is answered once, to whoever asks first; what the shell refused then is
// refused in words, as ever (the real ipc.ts, with the glue below it stood in for). The fonts it looks up are out of sight.
import { readFileSync } from "node:fs";

import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { afterEach, expect, test, vi } from "vitest";

const BEGINNING = readFileSync("beginning.js", "utf8");

type Ipc = typeof import("../src/lib/ipc");

/** A document that begins with those questions; `asked` are all commands the shell has met. */
async function begins(shell: (command: string) => unknown): Promise<{ ipc: Ipc; asked: string[] }> {
  const asked: string[] = [];
  mockIPC((command) => {
    asked.push(command);
    return shell(command);
  });
  new Function(BEGINNING)();
  vi.resetModules();
  return { ipc: await import("../src/lib/ipc.js"), asked };
}

afterEach(() => {
  // Whatever waits for it has had its turn.
  document.dispatchEvent(new Event("readystatechange"));
  clearMocks();
  delete (window as { firstAnswers?: unknown }).firstAnswers;
});

test("the first answers are those of the beginning, and the next ones are new", async () => {
  let calls = 0;
  const { ipc, asked } = await begins((command) => [`${command} ${(calls += 1)}`]);
  expect(asked).toEqual(["list_items", "list_integrations", "app_status"]);
  expect(await Promise.all([ipc.listItems(), ipc.listIntegrations(), ipc.appStatus()])).toEqual([
    ["list_items 1"],
    ["list_integrations 2"],
    ["app_status 3"],
  ]);
  expect(asked).toHaveLength(3);
  expect(await Promise.all([ipc.listItems(), ipc.listIntegrations(), ipc.appStatus()])).toEqual([
    ["list_items 4"],
    ["list_integrations 5"],
    ["app_status 6"],
  ]);
});

test("a refusal at the beginning is told to who asks, and the next question is asked anew", async () => {
  let refuses = true;
  const refusal = { code: "STORAGE_FAILED", message: "The data file cannot be read.", recovery: "CHECK_STORAGE" };
  const { ipc } = await begins(() => (refuses ? Promise.reject(refusal) : []));
  await expect(ipc.listItems()).rejects.toEqual(refusal);
  refuses = false;
  expect(await ipc.listItems()).toEqual([]);
});

test("looking fonts up shows nothing and leaves nothing behind", async () => {
  const before = document.body.innerHTML;
  const looked = vi.fn(function (this: HTMLElement) {
    expect(this.style.visibility).toBe("hidden");
    expect(this.children.length).toBeGreaterThan(0);
    return 0;
  });
  const height = vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockImplementation(looked);
  await begins(() => []);
  document.dispatchEvent(new Event("readystatechange"));
  document.dispatchEvent(new Event("readystatechange"));
  expect(looked, "a layout is what looks them up, and once is enough").toHaveBeenCalledOnce();
  expect(document.body.innerHTML).toBe(before);
  height.mockRestore();
});
