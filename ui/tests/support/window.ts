// The built screens in a headless Chromium, under the policy of the real window and with the prototype frozen as
// Tauri freezes it. What the policy refuses is collected: there must be nothing.

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";

const ROOT = fileURLToPath(new URL("../../dist-demo/", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../../tauri.conf.json", import.meta.url));
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/** A Monday afternoon: relative times read the same in every run. */
export const NOW = new Date("2026-11-23T14:02:20Z");

export interface Stage {
  browser: Browser;
  address: string;
  close: () => Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const policy = JSON.parse(readFileSync(CONFIG, "utf8")).app.security.csp as string;
  const server: Server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://local").pathname;
    if (path === "/favicon.ico") {
      // The browser asks by itself; the real window does not.
      response.writeHead(204).end();
      return;
    }
    const file = join(ROOT, normalize(path === "/" ? "/index.html" : path));
    try {
      const body = readFileSync(file);
      response.writeHead(200, {
        "content-type": TYPES[extname(file)] ?? "application/octet-stream",
        "content-security-policy": policy,
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  return {
    browser,
    address: `http://127.0.0.1:${port}`,
    close: async () => {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Look {
  scenario?: string;
  scheme?: "light" | "dark";
  width?: number;
  height?: number;
}

export interface OpenPage {
  page: Page;
  /** What the policy refused, what was thrown, what was asked of the network beside the window's own files. */
  troubles: string[];
}

export async function openPage(stage: Stage, look: Look = {}): Promise<OpenPage> {
  const context = await stage.browser.newContext({
    viewport: { width: look.width ?? 1100, height: look.height ?? 760 },
    colorScheme: look.scheme ?? "light",
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "Europe/London",
  });
  const page = await context.newPage();
  // What never comes is told late; a busy computer is told of nothing.
  page.setDefaultTimeout(20_000);
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(`thrown: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      troubles.push(`console: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(stage.address) && !request.url().startsWith("data:")) {
      troubles.push(`asked: ${request.url()}`);
    }
  });
  page.on("dialog", (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.addInitScript(() => {
    Object.freeze(Object.prototype);
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy refused ${event.violatedDirective}: ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
    });
  });
  await page.clock.setFixedTime(NOW);
  await page.goto(`${stage.address}/?scenario=${look.scenario ?? "demo"}`);
  await page.waitForFunction(() => document.querySelector("main")?.childElementCount);
  return { page, troubles };
}

/** Two frames later what was decided is also painted. */
export async function painted(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}
