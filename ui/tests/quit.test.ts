// Closing the window while a sign-in is in memory only: the question, and what each answer does.

import { cleanup, render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";

import App from "../src/App.svelte";
import { core } from "../src/lib/ipc.fake";
import { route } from "../src/lib/state/route.svelte";
import { stage } from "./support/core";

afterEach(() => {
  cleanup();
  core.stop();
});

const UNSAVED = "A renewed sign-in could not be saved. It works until you quit.";
const asked = (name: string) => core.calls.filter(([call]) => call === name);

async function closing() {
  await stage();
  core.status = { ...core.status, unsaved: UNSAVED };
  render(App);
  await screen.findByText(UNSAVED);
  core.notify({ type: "QUIT_ASKED" });
  await screen.findByRole("alertdialog", { name: "Quit without the sign-in?" });
  return userEvent.setup();
}

const gone = () => waitFor(() => expect(screen.queryByRole("alertdialog")).not.toBeInTheDocument());

test("whoever saves it again quits once it is saved", async () => {
  const user = await closing();
  const dialog = screen.getByRole("alertdialog");
  expect(dialog).toHaveTextContent(UNSAVED);
  const save = [...dialog.querySelectorAll("button")].find((button) => button.textContent === "Save again") as HTMLElement;
  expect(save, "the answer that loses nothing").toHaveFocus();
  await user.click(save);
  await gone();
  expect(asked("save_sign_ins")).toHaveLength(1);
  expect(asked("answer_quit")).toEqual([["answer_quit", true]]);
});

test("what still cannot be saved is said, and nobody quits over it", async () => {
  const user = await closing();
  core.signIns.savesNothing = true;
  await user.keyboard("{Enter}");
  expect(await screen.findByText("It could still not be saved.")).toBeVisible();
  expect(asked("answer_quit")).toHaveLength(0);
  await user.click(screen.getByRole("button", { name: "Quit anyway" }));
  await waitFor(() => expect(asked("answer_quit")).toEqual([["answer_quit", true]]));
});

test.each([
  ["Keep it open", (user: ReturnType<typeof userEvent.setup>) => user.click(screen.getByRole("button", { name: "Keep it open" }))],
  ["Escape", (user: ReturnType<typeof userEvent.setup>) => user.keyboard("{Escape}")],
])("the window stays with %s, and asks again the next time", async (_, leave) => {
  const user = await closing();
  await leave(user);
  await gone();
  expect(asked("answer_quit")).toEqual([["answer_quit", false]]);
  core.notify({ type: "QUIT_ASKED" });
  await screen.findByRole("alertdialog", { name: "Quit without the sign-in?" });
});

test("the question stands over a dialog that is open and leaves it as it is", async () => {
  await stage();
  core.status = { ...core.status, unsaved: UNSAVED };
  route.ask({ name: "connect", provider: "EVENTBRITE" });
  render(App);
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText("Private token"), "half");
  core.notify({ type: "QUIT_ASKED" });
  await user.click(await screen.findByRole("button", { name: "Keep it open" }));
  await gone();
  expect(await screen.findByLabelText("Private token")).toHaveValue("half");
});
