// Signing in at a provider: what the window says while it waits, switches, fails or hears of somebody else.

import { cleanup, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import App from "../src/App.svelte";
import { core } from "../src/lib/ipc.fake";
import { route } from "../src/lib/state/route.svelte";
import type { Provider } from "../src/lib/types";
import { stage } from "./support/core";

const CALLBACK = "http://localhost:47831/oauth/eventbrite/callback?state=1&";

beforeEach(() => localStorage.clear());
afterEach(() => {
  cleanup();
  core.stop();
});

const asked = (name: string) => core.calls.filter(([call]) => call === name);

/** The dialog, open, with an app that is known unless a test says otherwise. */
async function connect(provider: Provider = "EVENTBRITE", app = true) {
  await stage();
  if (app) {
    core.signIns.apps.set(provider, { clientId: "KEY", hasSecret: true, redirectPort: 47831 });
  }
  route.ask({ name: "connect", provider });
  render(App);
  await screen.findByRole("dialog");
  return userEvent.setup();
}

async function signIn() {
  const user = await connect();
  await user.click(await screen.findByRole("button", { name: "Other ways" }));
  await user.click(await screen.findByRole("button", { name: "Sign in with Eventbrite" }));
  await screen.findByText("Waiting for Eventbrite…");
  return user;
}

async function signInByBrowser() {
  const user = await signIn();
  await user.click(screen.getByRole("button", { name: "Use my browser instead" }));
  await screen.findByText(/is in your browser/);
  return user;
}

async function answer(user: ReturnType<typeof userEvent.setup>, address: string) {
  await user.click(screen.getByLabelText("Address"));
  await user.paste(address);
  await user.keyboard("{Enter}");
}

const buttons = () =>
  within(screen.getByRole("group", { name: "Sign in with Eventbrite" }))
    .getAllByRole("button")
    .map((button) => button.textContent?.trim());

test("the private token stays the first way; the keychain is asked for an app only by whoever wants others", async () => {
  const user = await connect("EVENTBRITE", false);
  expect(screen.getByLabelText("Private token")).toHaveFocus();
  expect(asked("sign_in_options")).toHaveLength(0);
  const others = screen.getByRole("button", { name: "Other ways" });
  expect(others).toHaveAttribute("aria-expanded", "false");
  await user.click(others);
  expect(others).toHaveAttribute("aria-expanded", "true");
  expect(await screen.findByLabelText("API key")).toBeVisible();
  expect(screen.getByLabelText("Private token"), "the rest still works").toBeVisible();
});

test("an app is entered with the address to register, and goes on with signing in", async () => {
  const user = await connect("EVENTBRITE", false);
  await user.click(screen.getByRole("button", { name: "Other ways" }));
  await user.type(await screen.findByLabelText("API key"), "HARBOUR7");
  expect(screen.getByRole("button", { name: "Save and sign in" })).toBeDisabled();
  await user.type(screen.getByLabelText("Client secret"), "S3CRET");
  expect(screen.getByText("http://localhost:47831/oauth/eventbrite/callback")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Use another port" }));
  const port = screen.getByLabelText("Port");
  await user.clear(port);
  await user.type(port, "50123");
  expect(screen.getByText("http://localhost:50123/oauth/eventbrite/callback"), "letter by letter what will be sent").toBeVisible();
  await user.click(screen.getByRole("button", { name: "Save and sign in" }));
  await screen.findByText("Waiting for Eventbrite…");
  expect(asked("remember_app")).toEqual([["remember_app", "EVENTBRITE", "HARBOUR7", 50123]]);
  expect(asked("sign_in")).toEqual([["sign_in", "EVENTBRITE", "WINDOW", null]]);
  expect(document.documentElement.outerHTML).not.toContain("S3CRET");
});

test("an app that is none is said beside its form, and nothing begins", async () => {
  const user = await connect("EVENTBRITE", false);
  await user.click(screen.getByRole("button", { name: "Other ways" }));
  await user.type(await screen.findByLabelText("API key"), "two words");
  await user.type(screen.getByLabelText("Client secret"), "S3CRET{Enter}");
  expect(await screen.findByText(/That is no client id/)).toBeVisible();
  expect(asked("sign_in")).toHaveLength(0);
});

test("a keychain that does not tell of the app says so, is asked again, and the token still connects", async () => {
  const user = await connect();
  core.signIns.refusal = { code: "VAULT_LOCKED", message: "Your keychain is locked. Nothing was changed.", recovery: "UNLOCK_KEYCHAIN" };
  await user.click(screen.getByRole("button", { name: "Other ways" }));
  expect(await screen.findByText(/Your keychain is locked/)).toBeVisible();
  core.signIns.refusal = null;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByRole("button", { name: "Sign in with Eventbrite" });
  await user.type(screen.getByLabelText("Private token"), "a-token{Enter}");
  await screen.findByText(/14 events/);
});

describe("at Luma", () => {
  test("nobody hears of signing in without an app", async () => {
    await connect("LUMA", false);
    await waitFor(() => expect(asked("sign_in_options")).toHaveLength(1));
    expect(screen.queryByRole("button", { name: "Other ways" })).not.toBeInTheDocument();
  });

  test("it is offered where an app was entered", async () => {
    const user = await connect("LUMA");
    await user.click(await screen.findByRole("button", { name: "Other ways" }));
    await user.click(await screen.findByRole("button", { name: "Sign in with Luma" }));
    await screen.findByText("Waiting for Luma…");
  });
});

describe("while somebody signs in", () => {
  test("the window says where the page is, and how to have it elsewhere", async () => {
    const user = await signIn();
    expect(screen.getByText(/is in a window of its own/)).toBeVisible();
    expect(buttons()).toEqual(["Show window", "Use my browser instead", "Cancel"]);
    expect(screen.queryByLabelText("Private token"), "one thing at a time").not.toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Use my browser instead" }));
    await screen.findByText(/is in your browser/);
    expect(buttons()).toEqual(["Open again", "Copy link", "Use a window instead", "Cancel", "Go on"]);
    await user.click(screen.getByRole("button", { name: "Open again" }));
    expect(asked("show_sign_in")).toHaveLength(1);
    expect(asked("switch_sign_in")).toEqual([["switch_sign_in", "BROWSER"]]);
  });

  test("the choice is remembered for this provider", async () => {
    const user = await signInByBrowser();
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    await user.click(await screen.findByRole("button", { name: "Sign in with Eventbrite" }));
    await screen.findByText(/is in your browser/);
    expect(asked("sign_in").at(-1)).toEqual(["sign_in", "EVENTBRITE", "BROWSER", null]);
    await user.click(screen.getByRole("button", { name: "Use a window instead" }));
    await screen.findByText(/is in a window of its own/);
  });

  test("a window without storage still signs in", async () => {
    const storage = Object.getOwnPropertyDescriptor(globalThis, "localStorage") as PropertyDescriptor;
    Object.defineProperty(globalThis, "localStorage", {
      configurable: true,
      get: () => {
        throw new Error("denied");
      },
    });
    try {
      await signInByBrowser();
    } finally {
      Object.defineProperty(globalThis, "localStorage", storage);
    }
  });

  test("the link is copied, or shown where it cannot be", async () => {
    const user = await signInByBrowser();
    await user.click(screen.getByRole("button", { name: "Copy link" }));
    await screen.findByRole("button", { name: "Copied" });
    expect(await navigator.clipboard.readText()).toBe("https://eventbrite.example/oauth/authorize?state=1");
    await user.click(screen.getByRole("button", { name: "Use a window instead" }));
    await user.click(await screen.findByRole("button", { name: "Use my browser instead" }));
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: undefined });
    await user.click(await screen.findByRole("button", { name: "Copy link" }));
    expect(await screen.findByLabelText("Link")).toHaveValue("https://eventbrite.example/oauth/authorize?state=1");
  });

  test("what the page could not do is an alert, and the address of a page that cannot be reached ends it", async () => {
    const user = await connect();
    core.signIns.note = "Port 47831 is used by another program.";
    await user.click(screen.getByRole("button", { name: "Other ways" }));
    await user.click(await screen.findByRole("button", { name: "Sign in with Eventbrite" }));
    expect(await screen.findByText(/Port 47831 is used/)).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Use my browser instead" }));
    const field = await screen.findByLabelText("Address");
    await user.type(field, "http://elsewhere.example/{Enter}");
    expect(await screen.findByText(/That is not the address that Eventbrite sent/)).toBeVisible();
    expect(screen.getByText("Waiting for Eventbrite…"), "the attempt goes on").toBeVisible();
    await user.clear(field);
    await answer(user, `${CALLBACK}code=own`);
    expect(await screen.findByText(/14 events/)).toBeVisible();
    expect(screen.getByRole("button", { name: "Import events" })).toHaveFocus();
  });

  test("the account is asked for once the person is done", async () => {
    const user = await signInByBrowser();
    await answer(user, `${CALLBACK}code=slow`);
    const said = await screen.findByText("Asking Eventbrite…");
    expect(said).toHaveAttribute("role", "status");
    const panel = screen.getByRole("group", { name: "Sign in with Eventbrite" });
    expect(within(panel).queryAllByRole("button"), "nothing is left to switch or to stop").toHaveLength(0);
    expect(panel, "the focus stays where it goes on").toHaveFocus();
  });

  test("Cancel goes back to the ways, closing stops it", async () => {
    const user = await signIn();
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(await screen.findByLabelText("Private token")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Sign in with Eventbrite" }));
    await screen.findByText("Waiting for Eventbrite…");
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
    expect(asked("cancel_sign_in"), "nobody signs in behind a closed dialog").toHaveLength(2);
  });

  test("the end of an attempt that was replaced says nothing of the one under way", async () => {
    await signIn();
    core.notify({ type: "SIGN_IN_CHANGED" });
    await Promise.resolve();
    expect(screen.getByText("Waiting for Eventbrite…")).toBeVisible();
  });
});

test("whoever declines reads so, and tries again", async () => {
  const user = await signInByBrowser();
  await answer(user, `${CALLBACK}error=access_denied`);
  expect(await screen.findByText("You declined at Eventbrite. Nothing was changed.")).toBeVisible();
  const again = screen.getByRole("button", { name: "Try again" });
  expect(again).toHaveFocus();
  await user.click(again);
  await screen.findByText("Waiting for Eventbrite…");
});

test("where no window opens, the browser is one click away and remembered", async () => {
  const user = await signIn();
  core.signIns
    .attempt()
    .end({ code: "NOT_POSSIBLE", message: "The sign-in window could not be opened. Use your browser instead.", recovery: "RETRY" });
  await screen.findByText(/The sign-in window could not be opened/);
  await user.click(screen.getByRole("button", { name: "Use my browser instead" }));
  await screen.findByText(/is in your browser/);
  expect(asked("sign_in").at(-1)).toEqual(["sign_in", "EVENTBRITE", "BROWSER", null]);
  core.signIns.attempt().end({ code: "NOT_POSSIBLE", message: "You declined at Eventbrite. Nothing was changed.", recovery: "RETRY" });
  await screen.findByText(/You declined/);
  await user.click(await screen.findByRole("button", { name: "Try again" }));
  await screen.findByText(/is in your browser/);
});

test("a browser is no way out of an app that is refused", async () => {
  await signIn();
  core.signIns.attempt().end({ code: "APP_REJECTED", message: "Eventbrite refuses your app.", recovery: "CHECK_APP_SETTINGS" });
  await screen.findByText("Eventbrite refuses your app.");
  expect(screen.queryByRole("button", { name: "Use my browser instead" })).not.toBeInTheDocument();
});

test("an app that is refused can be changed from there", async () => {
  const user = await signInByBrowser();
  await answer(user, `${CALLBACK}code=refused`);
  expect(await screen.findByText(/Eventbrite refuses your app/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Change app…" }));
  expect(await screen.findByLabelText("API key")).toHaveValue("KEY");
});

test("a known app can be forgotten after a question", async () => {
  const user = await connect();
  await user.click(screen.getByRole("button", { name: "Other ways" }));
  await user.click(await screen.findByRole("button", { name: "Forget app" }));
  expect(screen.getByRole("button", { name: "Keep it" })).toHaveFocus();
  expect(asked("forget_app")).toHaveLength(0);
  await user.click(screen.getByRole("button", { name: "Forget app" }));
  expect(await screen.findByLabelText("API key")).toHaveValue("");
});
