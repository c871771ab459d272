// Everything that no start shows: a file of its own, so that the list does not wait for it. See lib/state/rest.svelte.ts.

export { Toaster } from "svelte-sonner";

export { default as AccountDialog } from "./AccountDialog.svelte";
export { default as ConnectDialog } from "./ConnectDialog.svelte";
export { default as Detail } from "./Detail.svelte";
export { default as DisconnectDialog } from "./DisconnectDialog.svelte";
export { default as ImportDialog } from "./ImportDialog.svelte";
export { default as QuitDialog } from "./QuitDialog.svelte";
export { default as ReconnectDialog } from "./ReconnectDialog.svelte";
export { default as RemovalsDialog } from "./RemovalsDialog.svelte";
export { default as RemoveDialog } from "./RemoveDialog.svelte";
export { default as Settings } from "./Settings.svelte";
export { default as ViewMenu } from "./ViewMenu.svelte";
