// Bringing back what an account reads: from an item, from the bar over the list and from the settings; one sign-in for
// all of it, an outcome for each.

import { cleanup, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { toast } from "svelte-sonner";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import App from "../src/App.svelte";
import { core } from "../src/lib/ipc.fake";
import { account, failure } from "../src/lib/ipc.fake.data";
import { integrations } from "../src/lib/state/integrations.svelte";
import { route } from "../src/lib/state/route.svelte";
import type { IntegrationView, Withdrawal } from "../src/lib/types";
import { itemIn, stage } from "./support/core";

const CALLBACK = "http://localhost:47831/oauth/eventbrite/callback?state=1&";
const NEEDED = "events@harbour.example";

beforeEach(() => localStorage.clear());
afterEach(async () => {
  toast.dismiss();
  await waitFor(() => expect(document.querySelector("[data-sonner-toast]")).toBeNull());
  cleanup();
  core.stop();
});

const settled = async () => {
  await new Promise((resolve) => setTimeout(resolve, 0));
  await tick();
};
const asked = (name: string) => core.calls.filter(([call]) => call === name);
const severed = (id: string, title: string, startsAt: string | null = null) =>
  itemIn("DISCONNECTED", "CREDENTIALS_REJECTED", { id, title, startsAt, integrationId: "harbour" });

/** Two events of one account that is disconnected, unless a test says otherwise. */
async function harbour(facts: Partial<IntegrationView> = {}) {
  await stage(severed("night", "Makers Night", "2030-01-01T18:00:00Z"), severed("studio", "Open Studio", "2030-01-05T18:00:00Z"));
  core.integrations.set("harbour", account({ id: "harbour", accountEmail: NEEDED, status: "DISCONNECTED", signIn: "OAUTH", ...facts }));
  core.signIns.apps.set("EVENTBRITE", { clientId: "KEY", hasSecret: true, redirectPort: 47831 });
  await integrations.refresh();
  return userEvent.setup();
}

type User = ReturnType<typeof userEvent.setup>;

async function signInAgain(user: User) {
  route.ask({ name: "reconnect", itemId: "night" });
  render(App);
  await user.click(await screen.findByRole("button", { name: "Sign in again" }));
  await screen.findByText("Waiting for Eventbrite…");
}

async function endsWith(user: User, how: string) {
  await user.click(screen.getByRole("button", { name: "Use my browser instead" }));
  await user.click(await screen.findByLabelText("Address"));
  await user.paste(`${CALLBACK}${how}`);
  await user.keyboard("{Enter}");
}

const gone = () => waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());

describe("from an item whose account signed in", () => {
  test("signing in again repairs it and the others with one command", async () => {
    const user = await harbour();
    await signInAgain(user);
    expect(screen.getByText(/Sign in there as events@harbour.example/), "whoever signs in must know as whom").toBeVisible();
    expect(asked("sign_in")).toEqual([["sign_in", "EVENTBRITE", "WINDOW", "harbour"]]);
    await endsWith(user, "code=own");
    await gone();
    expect(asked("reconnect_all")).toEqual([["reconnect_all", "harbour", "harbour"]]);
    expect(asked("reconnect_item"), "one command for all of them").toHaveLength(0);
    expect(await screen.findByText("Reconnecting 2 items")).toBeVisible();
  });

  test("without the tick only the item itself is repaired", async () => {
    const user = await harbour();
    await signInAgain(user);
    await user.click(screen.getByRole("checkbox", { name: /Also repair the 1 other item/ }));
    await endsWith(user, "code=own");
    await gone();
    expect(asked("reconnect_item")).toEqual([["reconnect_item", "night", null]]);
    expect(asked("reconnect_all")).toHaveLength(0);
  });

  test("what could not be repaired is named with its reason, and tried again from there", async () => {
    const user = await harbour();
    core.signIns.lost.set("studio", { code: "PERMISSION_MISSING", message: "The account may no longer see it.", recovery: "RETRY" });
    await signInAgain(user);
    await endsWith(user, "code=own");
    expect(await screen.findByText("1 of 2 could not be reconnected:")).toBeVisible();
    const dialog = screen.getByRole("dialog");
    expect(within(dialog).getByText("Open Studio")).toBeVisible();
    expect(within(dialog).getByText("The account may no longer see it.")).toBeVisible();
    expect(within(dialog).getAllByRole("listitem"), "what is on its way is no failure").toHaveLength(1);
    core.signIns.lost.clear();
    await user.click(within(dialog).getByRole("button", { name: "Try again" }));
    await gone();
    expect(asked("reconnect_all")).toHaveLength(2);
  });

  test("somebody else changes nothing, and a fresh window does not sign them in again", async () => {
    const user = await harbour();
    await signInAgain(user);
    await endsWith(user, "code=other");
    expect(
      await screen.findByText(`You signed in as box@dockhall.example, but this event needs ${NEEDED}. Nothing was changed.`),
    ).toBeVisible();
    const again = screen.getByRole("button", { name: `Sign in as ${NEEDED}` });
    expect(again).toHaveFocus();
    expect(core.integrations.size, "nothing was saved").toBe(2);
    await user.click(again);
    await screen.findByText("Waiting for Eventbrite…");
    expect(asked("sign_in").at(-1), "the browser still knows who signed in; a window of ours knows nobody").toEqual([
      "sign_in", "EVENTBRITE", "WINDOW", "harbour",
    ]);
    expect(asked("reconnect_all").concat(asked("reconnect_item"))).toHaveLength(0);
  });

  test("somebody else can be added, and stands among the others: no event is switched silently", async () => {
    const user = await harbour();
    await signInAgain(user);
    await endsWith(user, "code=other");
    await user.click(await screen.findByRole("button", { name: "Add box@dockhall.example as another account" }));
    await screen.findByText("Use another account");
    expect(asked("add_signed_in_account")).toHaveLength(1);
    await waitFor(() => expect(core.integrations.size).toBe(3));
    expect(asked("reconnect_all").concat(asked("reconnect_item"))).toHaveLength(0);
  });

  test.each([
    ["Cancel", (user: User) => user.click(screen.getByRole("button", { name: "Cancel" }))],
    ["Escape", (user: User) => user.keyboard("{Escape}")],
  ])("somebody else whom nobody adds is not kept: %s", async (_, leave) => {
    const user = await harbour();
    await signInAgain(user);
    await endsWith(user, "code=other");
    await screen.findByRole("button", { name: /^Add box@dockhall.example/ });
    expect(core.signIns.holdsOther).toBe(true);
    await leave(user);
    await waitFor(() => expect(core.signIns.holdsOther).toBe(false));
  });

  test("Cancel goes back to the accounts", async () => {
    const user = await harbour();
    await signInAgain(user);
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(await screen.findByRole("button", { name: "Sign in again" })).toBeVisible();
  });

  test("without an app there are the other ways", async () => {
    const user = await harbour();
    core.signIns.apps.clear();
    route.ask({ name: "reconnect", itemId: "night" });
    render(App);
    await user.click(await screen.findByRole("button", { name: "Sign in again" }));
    expect(await screen.findByLabelText("API key")).toBeVisible();
    expect(screen.getByLabelText("Private token")).toBeVisible();
    expect(asked("sign_in")).toHaveLength(0);
  });
});

test("an account with a token is renewed by pasting, and all its items come back", async () => {
  const user = await harbour({ signIn: "TOKEN" });
  route.ask({ name: "reconnect", itemId: "night" });
  render(App);
  await user.click(await screen.findByRole("button", { name: "Sign in again" }));
  await user.type(await screen.findByLabelText("Private token"), "own-token{Enter}");
  await gone();
  expect(asked("connect_account")).toEqual([["connect_account", "EVENTBRITE", "harbour"]]);
  expect(asked("reconnect_all")).toEqual([["reconnect_all", "harbour", "harbour"]]);
});

test("an item that only looks for another account is repaired alone", async () => {
  const user = await harbour();
  const looking = itemIn("FAILED", "PERMISSION_MISSING", { id: "looking", title: "Looking", integrationId: "harbour" });
  core.items.set("looking", looking);
  core.notify({ type: "ITEM_CHANGED", itemId: "looking" });
  render(App);
  await screen.findByText("Looking");
  route.ask({ name: "reconnect", itemId: "looking" });
  await user.click(await screen.findByRole("button", { name: "Reconnect with this account" }));
  await user.click(screen.getByRole("button", { name: "Switch" }));
  await gone();
  expect(asked("reconnect_item")).toEqual([["reconnect_item", "looking", "dockhall"]]);
  expect(asked("reconnect_all")).toHaveLength(0);
});

test("another account takes over all of them with one command", async () => {
  const user = await harbour();
  route.ask({ name: "reconnect", itemId: "night" });
  render(App);
  await user.click(await screen.findByRole("button", { name: "Reconnect with this account" }));
  expect(screen.getByText(/Switch 2 events from events@harbour.example to box@dockhall.example/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Switch" }));
  await gone();
  expect(asked("reconnect_all")).toEqual([["reconnect_all", "harbour", "dockhall"]]);
});

test("the text for the account's owner names account and events, and no secret", async () => {
  const user = await harbour();
  route.ask({ name: "reconnect", itemId: "night" });
  render(App);
  await user.click(await screen.findByRole("button", { name: "Ask the account owner…" }));
  await screen.findByRole("button", { name: "Copied" });
  const text = await navigator.clipboard.readText();
  expect(text).toContain(NEEDED);
  expect(text).toContain("Eventbrite");
  expect(text).toContain("- Makers Night\n- Open Studio");
  expect(text).toContain("Please send no password, token or key");
});

describe("from the bar over the list", () => {
  test("it says since when the account is disconnected", async () => {
    const refused = (since: string) => failure("CREDENTIALS_REJECTED", "RECONNECT", "Eventbrite refuses the sign-in.", since);
    await harbour({ failure: refused(new Date().toISOString()) });
    render(App);
    const bar = await screen.findByRole("region", { name: /disconnected at \d\d:\d\d$/ });
    expect(bar).toHaveTextContent(/^events@harbour\.example \(Eventbrite\) disconnected at \d\d:\d\d · 2 items need it/);
    core.integrations.set("harbour", account({ id: "harbour", accountEmail: NEEDED, status: "DISCONNECTED", failure: refused("2024-11-21T10:00:00Z") }));
    await integrations.refresh();
    await waitFor(() => expect(bar).toHaveTextContent("(Eventbrite) disconnected on 21 Nov 2024 ·"));
  });

  test("an account that works again is repaired at once", async () => {
    const user = await harbour({ status: "CONNECTED" });
    render(App);
    await user.click(await screen.findByRole("button", { name: "Reconnect all 2" }));
    expect(await screen.findByText("Reconnecting 2 items")).toBeVisible();
    expect(asked("reconnect_all")).toEqual([["reconnect_all", "harbour", "harbour"]]);
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  });

  test("what fails then is listed in a dialog", async () => {
    const user = await harbour({ status: "CONNECTED" });
    for (const id of ["night", "studio"]) {
      core.signIns.lost.set(id, { code: "REMOTE_GONE", message: `${id} is gone.`, recovery: "KEEP_OR_REMOVE" });
    }
    render(App);
    await user.click(await screen.findByRole("button", { name: "Reconnect all 2" }));
    expect(await screen.findByText("2 of 2 could not be reconnected:")).toBeVisible();
    expect(screen.getByText("studio is gone.")).toBeVisible();
    expect(screen.getByRole("button", { name: "Try again" })).toHaveFocus();
  });

  test("an account that is disconnected signs in first: one sign-in, then everything", async () => {
    const user = await harbour();
    render(App);
    await user.click(await screen.findByRole("button", { name: "Reconnect all 2" }));
    await screen.findByText("Waiting for Eventbrite…");
    expect(screen.getByRole("dialog")).toHaveAccessibleName(`Reconnect ${NEEDED}`);
    await endsWith(user, "code=own");
    await gone();
    expect(asked("sign_in")).toHaveLength(1);
    expect(asked("reconnect_all")).toEqual([["reconnect_all", "harbour", "harbour"]]);
  });

  test("an account with a token is asked for one", async () => {
    const user = await harbour({ signIn: "TOKEN" });
    render(App);
    await user.click(await screen.findByRole("button", { name: "Reconnect all 2" }));
    await user.type(await screen.findByLabelText("Private token"), "own-token{Enter}");
    await gone();
    expect(asked("reconnect_all")).toHaveLength(1);
  });

  test("somebody else who is added leaves the account as it is, and says so", async () => {
    const user = await harbour();
    render(App);
    await user.click(await screen.findByRole("button", { name: "Reconnect all 2" }));
    await screen.findByText("Waiting for Eventbrite…");
    await endsWith(user, "code=other");
    await user.click(await screen.findByRole("button", { name: /^Add box@dockhall.example/ }));
    expect(await screen.findByText(/is connected as another account. events@harbour.example is still disconnected/)).toBeVisible();
    expect(asked("reconnect_all")).toHaveLength(0);
  });
});

describe("in the settings", () => {
  const card = async (label: string) => (await screen.findByText(label)).closest("li") as HTMLElement;

  test("a card says since when, how it signs in, when it was verified, until when, and what it feeds", async () => {
    await harbour();
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    core.integrations.set("luma", account({ id: "luma", provider: "LUMA", accountName: "Makers", signIn: "OAUTH", expiresAt }));
    core.integrations.set("other", account({ id: "other", accountEmail: "info@dockhall.example" }));
    core.items.set("gone", itemIn("FAILED", "REMOTE_GONE", { id: "gone", integrationId: "other" }));
    route.toSettings();
    render(App);
    expect(await card("Makers")).toHaveTextContent(
      /Connected since .+ · verified .+ · signed in · renews itself · renewed until .+ · 0 items/,
    );
    const other = await card("info@dockhall.example");
    expect(other).toHaveTextContent(/private token · 1 item, 1 needs you/);
    expect(other, "a private token has no end").not.toHaveTextContent(/renew/);
    const disconnected = await card(NEEDED);
    expect(disconnected).toHaveTextContent(/Disconnected · verified .+ · signed in · 2 items need it/);
    expect(disconnected, "nothing claims to be connected").not.toHaveTextContent(/Connected since|renews itself/);
  });

  test("Reconnect brings the account back, with or without items", async () => {
    const user = await harbour();
    core.items.clear();
    core.notify({ type: "OUT_OF_DATE" });
    route.toSettings();
    render(App);
    await user.click(await screen.findByRole("button", { name: `Reconnect: ${NEEDED}` }));
    await screen.findByText("Waiting for Eventbrite…");
    await endsWith(user, "code=own");
    await gone();
    expect(await screen.findByText(`${NEEDED} is connected again`)).toBeVisible();
  });

  test("disconnecting says what stops, what is kept, and what happens to the sign-in", async () => {
    const user = await harbour();
    core.integrations.set("luma", account({ id: "luma", provider: "LUMA", accountName: "Makers", signIn: "OAUTH" }));
    route.toSettings();
    render(App);
    const open = (integrationId: string) => {
      route.ask({ name: "disconnect", integrationId });
      return screen.findByRole("alertdialog");
    };
    const luma = await open("luma");
    expect(luma, "nobody knows yet what Luma will say").toHaveTextContent(
      "Its sign-in is erased from this computer's keychain, and we ask Luma to withdraw it.",
    );
    await user.click(within(luma).getByRole("button", { name: "Cancel" }));
    await waitFor(() => expect(screen.queryByRole("alertdialog")).not.toBeInTheDocument());
    const eventbrite = await open("dockhall");
    expect(eventbrite).toHaveTextContent("Its private token is erased from this computer's keychain.");
    expect(eventbrite).toHaveTextContent("Eventbrite offers no sign-out for apps: remove the token there too.");
  });

  const AFTERWARDS: [string, Partial<IntegrationView>, Withdrawal, string][] = [
    ["withdrawn", { provider: "LUMA", signIn: "OAUTH" }, "WITHDRAWN", "Makers is disconnected. Luma has withdrawn its sign-in."],
    ["not offered", { provider: "LUMA", signIn: "OAUTH" }, "NOT_OFFERED", "Makers is disconnected here. Luma offers no sign-out for apps: remove the app there too."],
    ["failed", { provider: "LUMA", signIn: "OAUTH" }, "FAILED", "Makers is disconnected here. Luma did not withdraw its sign-in: remove the app there too."],
    ["pasted", { provider: "LUMA", signIn: "KEY" }, "WITHDRAWN", "Makers is disconnected here. Luma offers no sign-out for apps: remove the key there too."],
  ];
  test.each(AFTERWARDS)("after disconnecting, the core's own word of the sign-in is told: %s", async (_, facts, withdrawal, told) => {
    const user = await harbour();
    core.integrations.set("luma", account({ id: "luma", accountName: "Makers", accountEmail: null, ...facts }));
    core.signIns.withdrawal.LUMA = withdrawal;
    route.toSettings();
    render(App);
    route.ask({ name: "disconnect", integrationId: "luma" });
    await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Disconnect" }));
    expect(await screen.findByText(told)).toBeVisible();
  });

  test("an account that was refused can be disconnected, which takes its sign-in out of the keychain", async () => {
    const refused = failure("CREDENTIALS_REJECTED", "RECONNECT", "Eventbrite refuses the private token.");
    const user = await harbour({ failure: refused });
    route.toSettings();
    render(App);
    const more = { name: `More actions: ${NEEDED}` };
    await user.click(await screen.findByRole("button", more));
    const choices = await screen.findAllByRole("menuitem", { hidden: true });
    expect(choices.map((choice) => choice.textContent.trim()), "nothing can be read through it").toEqual(["Disconnect…"]);
    await user.click(choices[0] as HTMLElement);
    const dialog = await screen.findByRole("alertdialog");
    expect(dialog, "its lists stopped being live before").not.toHaveTextContent(/stops? being live/);
    expect(dialog).toHaveTextContent("erased from this computer's keychain");
    await user.click(within(dialog).getByRole("button", { name: "Disconnect" }));
    await waitFor(() => expect(asked("disconnect_integration")).toEqual([["disconnect_integration", "harbour"]]));
    await waitFor(() => expect(screen.queryByRole("button", more), "there is nothing left to take away").toBeNull());
    expect(screen.getByRole("button", { name: `Reconnect: ${NEEDED}` })).toBeVisible();
  });

  test("an app that is refused leads to its form", async () => {
    const user = await harbour();
    core.items.set("refused", itemIn("FAILED", "APP_REJECTED", { id: "refused", title: "Refused" }));
    core.notify({ type: "OUT_OF_DATE" });
    route.toItem("refused");
    render(App);
    await user.click(within(await screen.findByTestId("banner")).getByRole("button", { name: "Check app settings" }));
    const field = await screen.findByLabelText("API key");
    expect(field).toHaveValue("KEY");
    await waitFor(() => expect(field).toHaveFocus());
    await user.type(screen.getByLabelText("Client secret"), "S3CRET");
    await user.click(screen.getByRole("button", { name: "Save" }));
    expect(await screen.findByText("App at Eventbrite saved")).toBeVisible();
    expect(await screen.findByRole("button", { name: "Forget app" })).toBeVisible();
    expect(document.documentElement.outerHTML).not.toContain("S3CRET");
  });
});

test("a sign-in that was not saved is said at once, and offered to the keychain again", async () => {
  const user = await harbour();
  render(App);
  await settled();
  core.status = { ...core.status, unsaved: "A renewed sign-in could not be saved. It works until you quit." };
  core.notify({ type: "SIGN_INS_HELD_CHANGED" });
  expect(await screen.findByText(/could not be saved/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Save again" }));
  expect(asked("save_sign_ins")).toHaveLength(1);
  await waitFor(() => expect(screen.queryByText(/could not be saved/)).not.toBeInTheDocument());
});
