// The only file that calls Tauri. Every command of the shell stands here once, by name; nothing else of the window
// knows how a command is sent. A refusal always arrives as a CommandError.

import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

import type {
  Activity,
  AppStatus,
  AttendeePage,
  AttendeeRequest,
  Candidate,
  ChangePage,
  ChangeRequest,
  CommandError,
  Connected,
  Disconnected,
  HeldRemovals,
  IntegrationView,
  ItemKind,
  ItemView,
  LinkKind,
  Notice,
  Provider,
  ReconnectOptions,
  Repaired,
  SignInEnd,
  SignInOptions,
  SignInWay,
  ShownRemovals,
} from "./types";

/** What was asked as the document began (beginning.js). */
const asked: Partial<Record<string, Promise<unknown>>> =
  (window as { firstAnswers?: Partial<Record<string, Promise<unknown>>> }).firstAnswers ?? {};

/** The first to ask takes that answer, if it was asked then. */
function firstAnswer<Answer>(command: string): Promise<Answer> | undefined {
  const first = asked[command] as Promise<Answer> | undefined;
  delete asked[command];
  return first;
}

export const listItems = () => answer(firstAnswer<ItemView[]>("list_items") ?? invoke<ItemView[]>("list_items"));

export const showItem = (itemId: string) => answer(invoke<ItemView>("show_item", { itemId }));

export const listAttendees = (itemId: string, request: AttendeeRequest) =>
  answer(invoke<AttendeePage>("list_attendees", { itemId, request }));

export const listIntegrations = () =>
  answer(firstAnswer<IntegrationView[]>("list_integrations") ?? invoke<IntegrationView[]>("list_integrations"));

/** With `renews`, a secret of any other account is refused as WRONG_ACCOUNT and nothing is saved. */
export const connectAccount = (provider: Provider, secret: string, renews: string | null) =>
  answer(invoke<Connected>("connect_account", { provider, secret, renews }));

export const verifyIntegration = (integrationId: string) =>
  answer(invoke<IntegrationView>("verify_integration", { integrationId }));

export const disconnectIntegration = (integrationId: string) =>
  answer(invoke<Disconnected>("disconnect_integration", { integrationId }));

export const listCandidates = (integrationId: string) =>
  answer(invoke<Candidate[]>("list_candidates", { integrationId }));

export const importEvent = (integrationId: string, externalId: string, kind: ItemKind) =>
  answer(invoke<ItemView>("import_event", { integrationId, externalId, kind }));

export const syncItem = (itemId: string) => answer(invoke<ItemView>("sync_item", { itemId }));

export const retryItem = (itemId: string) => answer(invoke<ItemView>("retry_item", { itemId }));

export const reconnectOptions = (itemId: string) =>
  answer(invoke<ReconnectOptions>("reconnect_options", { itemId }));

export const reconnectItem = (itemId: string, withIntegrationId: string | null) =>
  answer(invoke<ItemView>("reconnect_item", { itemId, withIntegrationId }));

export const keepItem = (itemId: string) => answer(invoke<ItemView>("keep_item", { itemId }));

export const removeItem = (itemId: string) => answer(invoke<ItemView>("remove_item", { itemId }));

/** Stops what runs for the item; what arrived is kept. */
export const cancelItem = (itemId: string) => answer(invoke<ItemView>("cancel_item", { itemId }));

export const listChanges = (itemId: string, request: ChangeRequest) =>
  answer(invoke<ChangePage>("list_changes", { itemId, request }));

export const listActivity = (itemId: string) => answer(invoke<Activity>("list_activity", { itemId }));

export const listRemovals = (itemId: string) => answer(invoke<HeldRemovals>("list_removals", { itemId }));

/** Accepted, held removals no longer attend; else they stay in the list. Refused where others are missing than those shown. */
export const decideRemovals = (itemId: string, accept: boolean, shown: ShownRemovals) =>
  answer(invoke<ItemView>("decide_removals", { itemId, accept, shown }));

/** Signs in at the provider; answers when the attempt has ended. With `renews`, only that account will do. */
export const signIn = (provider: Provider, way: SignInWay, renews: string | null) =>
  answer(invoke<SignInEnd>("sign_in", { provider, way, renews }));

export const switchSignIn = (way: SignInWay) => answer(invoke<void>("switch_sign_in", { way }));

export const cancelSignIn = () => answer(invoke<void>("cancel_sign_in"));

/** Shows the provider's page once more. */
export const showSignIn = () => answer(invoke<void>("show_sign_in"));

/** The provider's page, to be opened by hand. */
export const signInAddress = () => answer(invoke<string>("sign_in_address"));

/** The address at which a browser ended that could not reach this app. */
export const answerSignIn = (address: string) => answer(invoke<void>("answer_sign_in", { address }));

/** Keeps whoever signed in while somebody else was needed. */
export const addSignedInAccount = () => answer(invoke<Connected>("add_signed_in_account"));

export const signInOptions = (provider: Provider) => answer(invoke<SignInOptions>("sign_in_options", { provider }));

export const rememberApp = (provider: Provider, clientId: string, clientSecret: string | null, redirectPort: number) =>
  answer(invoke<SignInOptions>("remember_app", { provider, clientId, clientSecret, redirectPort }));

export const forgetApp = (provider: Provider) => answer(invoke<SignInOptions>("forget_app", { provider }));

/** Reconnects every disconnected item of an account; each item has an outcome of its own. */
export const reconnectAll = (integrationId: string, withIntegrationId: string) =>
  answer(invoke<Repaired[]>("reconnect_all", { integrationId, withIntegrationId }));

/** Offers the keychain once more what it did not take. */
export const saveSignIns = () => answer(invoke<void>("save_sign_ins"));

/** Says whether to quit, after QUIT_ASKED. */
export const answerQuit = (quits: boolean) => answer(invoke<void>("answer_quit", { quits }));

export const openLink = (kind: LinkKind, id: string | null) => answer(invoke<void>("open_link", { kind, id }));

/** What is the matter with the keychain, or null. With `ask` it may show its own prompt. */
export const checkKeychain = (ask: boolean) => answer(invoke<CommandError | null>("check_keychain", { ask }));

/** The stored lists are on the screen: from now on they are kept live. */
export const keepLive = () => answer(invoke<void>("keep_live"));

export const appStatus = () => answer(firstAnswer<AppStatus>("app_status") ?? invoke<AppStatus>("app_status"));

/** Calls back for every notice of the core, until the returned function is called. */
export const onNotice = (heard: (notice: Notice) => void): Promise<() => void> =>
  listen<Notice>("notice", (event) => heard(event.payload));

async function answer<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (refusal) {
    throw asCommandError(refusal);
  }
}

function asCommandError(refusal: unknown): CommandError {
  if (
    typeof refusal === "object" &&
    refusal !== null &&
    "code" in refusal &&
    "message" in refusal &&
    typeof refusal.message === "string"
  ) {
    return refusal as CommandError;
  }
  // The glue itself refused (a command that is not granted, an argument of the wrong form): a defect of ours. Its
  // text is no sentence for a person.
  return {
    code: "NOT_POSSIBLE",
    message: "The window asked for something this version cannot do. Nothing was changed.",
    recovery: "RETRY",
  };
}
