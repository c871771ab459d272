// @vitest-environment node
// What the built window contains: nothing of the stand-in shell, nothing that its policy refuses, not too much.

import { gzipSync } from "node:zlib";
import { build } from "vite";
import { beforeAll, expect, test } from "vitest";

const LARGEST = 200 * 1024;
let files: { name: string; text: string }[] = [];

beforeAll(async () => {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  const built = await build({ mode: "production", logLevel: "error", build: { write: false } });
  process.env.NODE_ENV = before;
  files = [built].flat().flatMap((one) =>
    "output" in one
      ? one.output.map((file) => ({
          name: file.fileName,
          text: file.type === "chunk" ? file.code : Buffer.from(file.source).toString("utf8"),
        }))
      : [],
  );
}, 60_000);

test("scripts and styles together stay under 200 KB, gzipped", () => {
  const size = files.reduce((sum, file) => sum + gzipSync(file.text).length, 0);
  console.log(`The window's files: ${(size / 1024).toFixed(1)} KB gzipped.`);
  expect(size).toBeLessThanOrEqual(LARGEST);
});

test("the stand-in shell is not in it", () => {
  for (const file of files) {
    expect(file.text.includes("canary.invalid") || file.text.includes("harbour.example"), file.name).toBe(false);
  }
  expect(files.some((file) => file.text.includes("list_items")), "the real shell's commands are").toBe(true);
});

test("no style or script is written into pages", () => {
  const code = files.filter((file) => file.name.endsWith(".js")).map((file) => file.text).join("\n");
  expect(code).not.toMatch(/\beval\(|new Function\(/);
  expect(code).not.toMatch(/insertRule\(/);
  expect(code).not.toMatch(/createElement\(["'`]style["'`]\)/);
  // Svelte's templates are HTML strings: a style attribute in one would be refused by the policy.
  expect(code).not.toMatch(/<[a-z][^<>`]{0,400} style="/);
  const page = files.find((file) => file.name === "index.html")?.text ?? "";
  expect(page).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/);
});
