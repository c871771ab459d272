// Every word of the window that is not the core's own sentence. Sentence case; verbs on buttons; no jargon.

import type { Action } from "./failures";
import type { Group } from "./badge";
import { named, plain } from "./text";
import { counted, number } from "./time";
import type { AttendeeStatus, FailureCode, IntegrationView, ItemKind, ItemView, Pace, Provider, SignIn, SignInWay, SyncStatus, Withdrawal } from "./types";

export const providerName: Record<Provider, string> = { EVENTBRITE: "Eventbrite", LUMA: "Luma" };
export const credentialName: Record<SignIn, string> = { OAUTH: "sign-in", TOKEN: "private token", KEY: "API key" };
export const signInName: Record<SignIn, string> = { OAUTH: "signed in", TOKEN: "private token", KEY: "API key" };
/** What a person finds on the provider's own page. */
const removable: Record<SignIn, string> = { OAUTH: "app", TOKEN: "token", KEY: "key" };
export const kindName: Record<ItemKind, string> = {
  BADGE_EVENT: "Badge event",
  PATH_EVENT: "Path event",
  PATH_CHANNEL: "Path channel",
};
export const attendeeStatusName: Record<AttendeeStatus, string> = {
  ATTENDING: "Attending",
  AWAITING: "Awaiting",
  NOT_ATTENDING: "Not attending",
};
export const groupWords: Record<Group, (count: number) => string> = {
  need: (count) => (count === 1 ? "1 needs you" : `${number(count)} need you`),
  retrying: (count) => `${number(count)} retrying`,
  importing: (count) => `${number(count)} importing`,
  live: (count) => `${number(count)} live`,
  unconfirmed: (count) => `${number(count)} not confirmed`,
  quiet: (count) => `${number(count)} over or archived`,
};

/** How a person recognises the account: its e-mail, else its name. */
export function accountLabel(account: IntegrationView): string {
  const label = account.provider === "EVENTBRITE" && account.accountEmail !== null ? account.accountEmail : account.accountName;
  return named(label, words.unnamedAccount);
}

/** What an event is called, fit to stand inside a sentence, a label or the window's title. */
export function titled(event: { title: string }): string {
  return plain(named(event.title, words.untitled));
}

/** Path items count people, Badge events registrations. */
export function rowsCounted(kind: ItemKind, count: number): string {
  return kind === "BADGE_EVENT" ? counted(count, "registration", "registrations") : counted(count, "person", "people");
}

/** "412 attending" for an event, "88 people" for Path items. */
export function sizeOf(item: ItemView): string {
  return item.kind === "BADGE_EVENT"
    ? `${number(item.counts.attending)} attending`
    : counted(item.counts.total, "person", "people");
}

export const actionWord: Record<Action, string> = {
  RECONNECT: "Reconnect",
  RETRY: "Retry",
  RESUME: "Resume",
  CHECK_AGAIN: "Check again",
  TRY_AGAIN: "Try again",
  SAVE_AGAIN: "Save again",
  SYNC: "Sync",
  USE_ANOTHER_ACCOUNT: "Use another account",
  KEEP: "Keep as archive",
  REMOVE: "Remove",
  UNLOCK_KEYCHAIN: "Unlock keychain",
  OPEN_SIGN_IN_PAGE: "Open sign-in page",
  OPEN_BILLING: "Open Luma billing",
  OPEN_STATUS_PAGE: "Provider status page",
  CHECK_APP: "Check app settings",
  CANCEL: "Cancel",
  CHECK_REMOVALS: "Check",
  SHOW_REMOVALS: "Show who",
  READ_AGAIN: "Read again",
  REJECT_REMOVALS: "Keep them",
  ACCEPT_REMOVALS: "Mark as not attending",
};

/** What the button says on this item: with the number where it acts on many. */
export function actionWordFor(action: Action, item: ItemView): string {
  if (action === "SHOW_REMOVALS" && item.heldRemovals > 1) {
    return `Show the ${number(item.heldRemovals)}`;
  }
  return action === "ACCEPT_REMOVALS" ? `Mark ${number(item.heldRemovals)} as not attending` : actionWord[action];
}

/** A card has little room; its page says it in full. */
export function actionWordOnCard(action: Action): string {
  return action === "CHECK_APP" ? "Check app" : actionWord[action];
}

/** Actions that leave the window for the browser. */
export const LEAVES_WINDOW: ReadonlySet<Action> = new Set(["OPEN_SIGN_IN_PAGE", "OPEN_BILLING", "OPEN_STATUS_PAGE"]);

const condition: Partial<Record<FailureCode, string>> = {
  OFFLINE: "This computer is offline.",
  NETWORK_SIGN_IN: "This network wants you to sign in first (venue Wi-Fi?).",
  RATE_LIMITED: "The provider's hourly limit is used up.",
  VAULT_LOCKED: "Your keychain is locked, so syncing is paused.",
  VAULT_UNAVAILABLE: "This computer's keychain does not answer, so syncing is paused.",
  VAULT_WRITE_FAILED: "A renewed sign-in could not be saved. It works until you quit.",
  STORAGE_FAILED: "The list cannot be saved on this computer, so syncing is paused.",
};

export const words = {
  app: "TalkValue Sync",
  /** For an event whose name shows nothing. */
  untitled: "Event without a name",
  unnamedAccount: "Account without a name",
  more: "Show all",
  less: "Show less",
  about:
    "TalkValue Sync keeps its own copy of your Eventbrite and Luma lists on this computer. It only reads: it changes " +
    "nothing at TalkValue, Eventbrite or Luma, and staff stations do not use this copy.",

  unsaved: "Sign-in not saved",
  quit: {
    title: "Quit without the sign-in?",
    text: "Whoever quits now signs in again after the next start. The lists stay as they are.",
    notSaved: "It could still not be saved.",
    stay: "Keep it open",
    quit: "Quit anyway",
  },
  keepsLists: "The lists stay as they were.",
  goesOnByItself: "Goes on by itself.",
  goingOnByItself: (when: string) => `Going on by itself ${when}.`,
  triesAgainByItself: "Trying again by itself.",
  tryingAgainByItself: (when: string) => `Trying again by itself ${when}.`,

  alert: {
    disconnected: "Integration disconnected",
    syncFailed: "Sync failed",
    importFailed: "Import failed",
    importStopped: "Import stopped",
  },
  cause: {
    offline: "this computer is offline",
    unreachable: (provider: string) => `${provider} does not answer`,
    networkSignIn: "the network wants a sign-in",
    rateLimited: (provider: string) => `${provider}'s limit is used up`,
    rejected: (provider: string) => `${provider} refuses the sign-in`,
    missing: "sign-in no longer in the keychain",
    byYou: "disconnected by you",
    appRejected: "the app's key is refused",
    planRequired: "Luma Plus may have ended",
    permission: "the account may not see it",
    gone: (provider: string) => `no longer shown by ${provider}`,
    changed: (provider: string) => `${provider} answers in a new form`,
    vaultLocked: "keychain locked",
    vaultUnavailable: "keychain does not answer",
    vaultWrite: "sign-in not saved",
    storage: "cannot be saved here",
    interrupted: "was cut off",
    cancelled: "stopped by you",
  },
  condition,

  syncRunning: "A sync is running",
  syncOffline: "This computer is offline",

  list: {
    heading: "Events",
    search: "Search events and accounts",
    importEvent: "Import event",
    settings: "Settings",
    all: "All",
    badge: "Badge events",
    path: "Path events",
    channel: "Path channels",
    noneMatch: "Nothing matches.",
    showAll: "Show all",
    noItems: "No lists here yet",
    noItemsText: "Import an event or a whole audience. Its list then stays live on this computer.",
    view: "View",
    sync: "Sync",
    arrived: (count: string) => `${count} arrived`,
    notComplete: "list not complete",
    sortBy: "Sort by",
    provider: "Provider",
    bothProviders: "Both",
    sort: { urgency: "Urgency", start: "Start", title: "Name" },
  },

  firstStart: {
    heading: "Which lists should be live here?",
    connect: (provider: string) => `Connect ${provider}`,
    eventbrite: "With the private token of somebody who sees the events.",
    luma: "With the API key of a calendar on Luma Plus.",
  },

  detail: {
    back: "Events",
    importing: "Import in progress",
    importingText: "The list fills while it is read. You can leave this page.",
    soFar: (done: string) => `${done} so far`,
    ofTotal: (done: string, total: string) => `${done} of ${total}`,
    /** "about 180 a second · under a minute left". */
    pace: ({ count, per, minutesLeft }: Pace) => {
      const rate = `about ${number(count)} a ${per === "SECOND" ? "second" : "minute"}`;
      if (minutesLeft === null) {
        return rate;
      }
      const left =
        minutesLeft === 0 ? "under a minute" : minutesLeft < 120 ? `about ${minutesLeft} min` : `about ${Math.ceil(minutesLeft / 60)} h`;
      return `${rate} · ${left} left`;
    },
    attendees: "Attendees",
    people: "People",
    cards: {
      total: "Total attendees",
      people: "Total people",
      attending: "Attending",
      checkedIn: "Checked in",
      awaiting: "Awaiting",
      notAttending: "Not attending",
    },
    tickets: (used: number, all: number) => `${number(used)} of ${counted(all, "ticket", "tickets")} used`,
    unreadable: (count: number) =>
      count === 1 ? "1 registration could not be read." : `${number(count)} registrations could not be read.`,
    openAt: (provider: string) => `Open at ${provider}`,
    archived: "Kept as an archive: no syncs, no alerts.",
    gone: "This list is no longer on this computer.",
    more: "More actions",
    keep: "Keep as archive",
    remove: "Remove…",
    asOf: (time: string, newSince: number) =>
      newSince === 0 ? `as of ${time}` : `as of ${time}, ${number(newSince)} new since`,
  },

  grid: {
    search: (count: string) => `Search ${count}`,
    anyStatus: "Any status",
    anyTicket: "Any ticket",
    status: "Status",
    ticket: "Ticket",
    clear: "Clear filters",
    shown: (matching: string, total: string) => `${matching} of ${total}`,
    empty: "Nobody is in this list yet.",
    noneMatch: "Nobody matches.",
    noName: "No name",
    columns: {
      NAME: "Name",
      EMAIL: "E-mail",
      TICKET: "Ticket",
      STATUS: "Status",
      CHECKED_IN: "Checked in",
      REGISTERED: "Registered",
    },
    registrations: (count: number) => `${number(count)} registrations`,
  },

  history: {
    tabs: "What to show",
    changes: "Changes",
    activity: "Activity",
    since: "Since",
    sinceAll: "All changes",
    sinceDay: "Last 24 hours",
    sinceOutage: (time: string) => `Since the last outage (${time})`,
    more: "Show more",
    newer: "Show newer changes",
    noChanges: "Nobody has registered or changed anything yet.",
    noChangesSince: "Nothing has changed in this time.",
    noActivity: "Nothing has happened yet.",
    nothing: "none",
    became: "now",
    changed: "changed",
    change: {
      REGISTERED: "registered",
      UPDATED: "changed",
      CANCELLED: "no longer attends",
      RESTORED: "attends again",
      CHECKED_IN: "checked in",
      CHECK_IN_UNDONE: "no longer checked in",
    } as Readonly<Record<string, string>>,
    field: {
      name: "Name",
      email: "E-mail",
      company: "Company",
      ticketType: "Ticket",
      status: "Status",
      checkedInAt: "Checked in",
      tickets: "Tickets",
      ticketsCheckedIn: "Tickets used",
      orderId: "Order",
      registeredAt: "Registered",
    },
    statusAt: (provider: string) => `Status at ${provider}`,
    status: { PENDING: "Catching up", ACTIVE: "Syncing", FAILED: "Sync failed", DISCONNECTED: "Disconnected" } satisfies Record<
      SyncStatus,
      string
    >,
    firstStatus: "Import began",
    otherStatus: "Status changed",
    credential: {
      CONNECTED: "Account connected",
      RENEWED: "Sign-in renewed",
      SEVERED: "Account disconnected",
    } as Readonly<Record<string, string>>,
    otherCredential: "Account changed",
    job: { IMPORT: "Import", RETRY: "Retry", RECONNECT: "Reconnect", SYNC: "Sync" } as Readonly<Record<string, string>>,
    jobEnd: {
      COMPLETED: "completed",
      FAILED: "failed",
      INTERRUPTED: "was cut off",
      CANCELLED: "stopped by you",
    } as Readonly<Record<string, string>>,
    jobRuns: "is running",
    jobEnded: "ended",
    read: (done: string, total: string | null) => (total === null ? `${done} read` : `${done} of ${total} read`),
    changedCount: (count: string) => `${count} changed`,
  },

  importDialog: {
    title: "Import event",
    account: "Account",
    search: "Search events",
    loading: (provider: string) => `Asking ${provider} for its events…`,
    none: "This account shows no events.",
    noneMatch: "No event matches.",
    kind: "Import as",
    kinds: {
      BADGE_EVENT: { name: "For check-in", text: "One row per registration." },
      PATH_EVENT: { name: "For your audience", text: "Each e-mail once." },
      PATH_CHANNEL: { name: "Everyone of this account", text: "All its events, new ones included." },
    } satisfies Record<ItemKind, { name: string; text: string }>,
    already: "Imported",
    open: "Open",
    import: "Import",
    cancel: "Cancel",
    noDate: "No date",
    allEvents: "All events",
    noAccounts: "Connect an account first.",
  },

  settings: {
    title: "Settings",
    integrations: "Integrations",
    about: "About",
    noAccounts: "No account connected.",
    connect: (provider: string) => `Connect ${provider}`,
    connectedSince: (time: string) => `Connected since ${time}`,
    disconnected: "Disconnected",
    disconnectedSince: (time: string) => `Disconnected since ${time}`,
    verified: (time: string) => `verified ${time}`,
    verify: "Verify now",
    verifiedToast: (account: string) => `${account} works`,
    disconnect: "Disconnect…",
    items: (count: number) => counted(count, "item", "items"),
    needIt: (count: number) => (count === 1 ? "1 item needs it" : `${number(count)} items need it`),
    ofThemNeedIt: (count: number) => (count === 1 ? "1 needs it" : `${number(count)} need it`),
    renewsItself: "renews itself",
    renewedUntil: (time: string) => `renewed until ${time}`,
    ranOut: (time: string) => `ran out ${time}`,
    version: "Version",
    dataFolder: "Data folder",
    schema: "Data format",
    keyboard: "Keyboard",
  },

  connect: {
    title: (provider: string) => `Connect ${provider}`,
    eventbriteSteps: {
      open: "Eventbrite's API keys page",
      openAfter: ", signed in as the person who sees the events.",
      create: "No key yet? Create one; any name will do.",
      copyBefore: "Copy the ",
      copy: "private token",
      paste: "Paste it here.",
    },
    lumaNeeds: "You need admin rights on the calendar, and Luma Plus on it. One key opens one calendar.",
    lumaSteps: {
      open: "Luma's API keys page",
      openAfter: " of the calendar. It opens in your own browser.",
      create: "Create a key, or take the one there is.",
      copyBefore: "Copy the ",
      copy: "API key",
      paste: "Paste it here.",
    },
    lumaReads: "The key could also change your calendar; TalkValue Sync only reads.",
    openPage: "Open ",
    label: { EVENTBRITE: "Private token", LUMA: "API key" } satisfies Record<Provider, string>,
    show: "Show",
    hide: "Hide",
    submit: "Connect",
    proving: (provider: string) => `Asking ${provider}…`,
    connectedAs: "Connected as ",
    eventsFound: (count: number | null) => (count === null ? "." : `: ${counted(count, "event", "events")}.`),
    kept: "The sign-in is kept in this computer's keychain, nowhere else.",
    importEvents: "Import events",
    addAsAnother: "Add it as another account",
    another: { EVENTBRITE: "Connect another account", LUMA: "Connect another calendar" } satisfies Record<Provider, string>,
    cancel: "Cancel",
  },

  copied: "Copied",

  signIn: {
    with: (provider: string) => `Sign in with ${provider}`,
    otherWays: "Other ways",
    askingKeychain: "Asking the keychain…",
    opening: (provider: string) => `Opening ${provider}…`,
    waiting: (provider: string) => `Waiting for ${provider}…`,
    where: {
      WINDOW: "Its sign-in page is in a window of its own.",
      BROWSER: "Its sign-in page is in your browser.",
    } satisfies Record<SignInWay, string>,
    as: (account: string | null) =>
      account === null ? "Sign in there; this goes on by itself." : `Sign in there as ${account}; this goes on by itself.`,
    showWindow: "Show window",
    useBrowser: "Use my browser instead",
    openAgain: "Open again",
    copyLink: "Copy link",
    linkByHand: "The link could not be copied. Take it from here.",
    link: "Link",
    useWindow: "Use a window instead",
    cancel: "Cancel",
    unreachable: "Did your browser end on a page that cannot be reached? Paste its address here.",
    address: "Address",
    goOn: "Go on",
    tryAgain: "Try again",
    enterApp: "Change app…",
    otherAccount: (signedInAs: string, needed: string) =>
      `You signed in as ${signedInAs}, but this event needs ${needed}. Nothing was changed.`,
    signInAs: (account: string) => `Sign in as ${account}`,
    addOther: (account: string) => `Add ${account} as another account`,
  },

  ownApp: {
    intro: (provider: string) => `Through an app of your own at ${provider}: you sign in there, and no token is copied.`,
    app: "App",
    id: { EVENTBRITE: "API key", LUMA: "Client id" } satisfies Record<Provider, string>,
    secret: "Client secret",
    redirect: "Redirect address",
    redirectText: "Set this as the redirect URI of your app, letter by letter.",
    copy: "Copy",
    copyByHand: "It could not be copied: select it by hand.",
    anotherPort: "Use another port",
    port: "Port",
    portText: "Choose a port between 1024 and 65535.",
    saveAndSignIn: "Save and sign in",
    save: "Save",
    keep: "Keep it as it is",
    open: (provider: string) => `Open ${provider}'s API keys page`,
    through: "Through your app",
    change: "Change app…",
    forget: "Forget app",
    forgetText: "Accounts that signed in through it work on until they have to be renewed.",
    keepIt: "Keep it",
    saved: (provider: string) => `App at ${provider} saved`,
    forgotten: (provider: string) => `App at ${provider} forgotten`,
  },

  reconnect: {
    title: (kind: ItemKind) => (kind === "PATH_CHANNEL" ? "Reconnect audience" : "Reconnect event"),
    own: "This event's account",
    others: "Use another account",
    noOthers: (provider: string) => `No other ${provider} account is connected.`,
    lumaOnlyOwn: "A Luma event is visible to its own calendar's key only.",
    signInAgain: "Sign in again",
    reconnect: "Reconnect",
    withThis: "Reconnect with this account",
    connected: "Connected",
    disconnected: "Disconnected",
    sees: "can see this event",
    seesNot: "cannot see this event",
    seesUnknown: "could not be tried",
    testing: "Trying the other accounts…",
    alsoRepair: (count: number) =>
      count === 1 ? "Also repair the 1 other item of this account" : `Also repair the ${number(count)} other items of this account`,
    goToIntegrations: "Go to integrations",
    close: "Close",
    switchQuestion: (from: string, to: string, count: number) =>
      `Switch ${counted(count, "event", "events")} from ${from} to ${to}?`,
    switch: "Switch",
    cancel: "Cancel",
    toast: (kind: ItemKind) => (kind === "PATH_CHANNEL" ? "Reconnecting audience" : "Reconnecting event"),
    toastMany: (count: number) => `Reconnecting ${counted(count, "item", "items")}`,
    askOwner: "Ask the account owner…",
    askByHand: "It could not be copied. Take the text from here.",
    ownerText: "Text for the account owner",
    /** Names the account and the lists, and nothing that opens them. */
    forOwner: (account: string, provider: string, titles: readonly string[]) =>
      `TalkValue Sync can no longer read ${titles.length === 1 ? "this list" : "these lists"} from ${provider} through ${account}:\n\n` +
      `${titles.map((title) => `- ${title}`).join("\n")}\n\n` +
      `Could you sign in again as ${account}? In TalkValue Sync: Settings, Integrations, Reconnect beside the account. ` +
      `Please send no password, token or key in a message.`,
    accountTitle: (account: string) => `Reconnect ${account}`,
    accountText: (count: number) =>
      count === 0
        ? "No list waits for this account."
        : count === 1
          ? "Once it is back, the list that waits for it is brought up to date."
          : `Once it is back, the ${number(count)} lists that wait for it are brought up to date, the next event first.`,
    accountBack: (account: string) => `${account} is connected again`,
    accountAdded: (account: string, needed: string) => `${account} is connected as another account. ${needed} is still disconnected.`,
    working: (count: number) => `Reconnecting ${counted(count, "item", "items")}…`,
    notAll: (failed: number, all: number) =>
      all === 1 ? "This one could not be reconnected:" : `${number(failed)} of ${number(all)} could not be reconnected:`,
    tryAgain: "Try again",
  },

  remove: {
    title: (title: string) => `Remove ${title} from this computer?`,
    text: (item: ItemView) =>
      `${rowsErased(item)}, their history and our temporary files are erased and will not come back by ` +
      `themselves. ${providerName[item.provider]} and files you exported are not touched. This cannot be undone.`,
    confirm: (item: ItemView) => `Remove ${rowsErased(item)}`,
    cancel: "Cancel",
  },

  removals: {
    /** A Badge event's registrations are its people; elsewhere one person may have several. */
    text: (item: ItemView) => {
      const [what, still] =
        item.kind !== "BADGE_EVENT"
          ? [counted(item.heldRemovals, "registration", "registrations"), item.heldRemovals === 1 ? "It is" : "They are"]
          : [
              `${number(item.heldRemovals)} of ${counted(item.counts.total, "person", "people")}`,
              item.heldRemovals === 1 ? "This person is" : "They are",
            ];
      return `${providerName[item.provider]}'s answer lacks ${what}. ${still} still in your list.`;
    },
    title: (item: ItemView) => `Missing at ${providerName[item.provider]}`,
    none: "Nobody is missing any more.",
    kept: "They stay in your list",
    marked: (count: number) => `${counted(count, "registration", "registrations")} marked as not attending`,
  },

  disconnect: {
    title: (account: string) => `Disconnect ${account}?`,
    lists: (count: number, asOf: string | null) => {
      const kept = asOf === null ? "as they are" : `as of ${asOf}`;
      return count === 0
        ? "No list reads through this account."
        : count === 1
          ? `1 list stops being live and is kept ${asOf === null ? "as it is" : kept}.`
          : `${number(count)} lists stop being live and are kept ${kept}.`;
    },
    alreadySevered: "Its lists are kept as they are.",
    erased: (what: string) => `Its ${what} is erased from this computer's keychain.`,
    /** Whether the provider then does is told when it is done. */
    asked: (provider: string) => `Its sign-in is erased from this computer's keychain, and we ask ${provider} to withdraw it.`,
    alsoThere: (provider: string, signIn: SignIn) => `${provider} offers no sign-out for apps: remove the ${removable[signIn]} there too.`,
    done: (account: string, provider: string, signIn: SignIn, withdrawal: Withdrawal) =>
      ({
        WITHDRAWN: `${account} is disconnected. ${provider} has withdrawn its sign-in.`,
        NOT_OFFERED: `${account} is disconnected here. ${words.disconnect.alsoThere(provider, signIn)}`,
        FAILED: `${account} is disconnected here. ${provider} did not withdraw its sign-in: remove the ${removable[signIn]} there too.`,
        OVER: `${account} is disconnected.`,
      })[withdrawal],
    openPage: { EVENTBRITE: "Open API keys page", LUMA: "Open API keys page" } satisfies Record<Provider, string>,
    confirm: "Disconnect",
    cancel: "Cancel",
  },

  accountBar: {
    disconnected: (account: string, provider: string, since: string) =>
      since === "" ? `${account} (${provider}) is disconnected` : `${account} (${provider}) disconnected ${since}`,
    back: (account: string, provider: string) => `${account} (${provider}) works again`,
    items: (count: number) => (count === 1 ? "1 item needs it" : `${number(count)} items need it`),
    wait: (count: number) => (count === 1 ? "1 item waits to be reconnected" : `${number(count)} items wait to be reconnected`),
    first: (when: string) => `first ${when}`,
    reconnect: (count: number) => (count === 1 ? "Reconnect" : `Reconnect all ${number(count)}`),
  },

  toast: {
    region: "Messages",
    close: "Close",
    importing: (title: string) => `Importing ${title}`,
    syncing: "Syncing",
    retrying: "Trying again",
    kept: "Kept as an archive",
    removed: "Removed from this computer",
    waitingForLock: "Another TalkValue Sync works on this data; this one waits for it",
  },

  problem: {
    heading: "The lists cannot be opened",
    noAnswer: "What you see may be out of date: the part of the app that reads the lists does not answer.",
    tryAgain: "Try again",
    read: "OK",
    folder: "Data folder",
  },

  keys: [
    ["Search this page", "mod", "F"],
    ["Import event", "mod", "N"],
    ["Settings", "mod", ","],
    ["Through a list", "↑", "↓"],
    ["Open", "Enter"],
    ["The row's action", "R"],
    ["Back", "Esc"],
  ] as const,

  heard: {
    one: (title: string, word: string) => `${title}: ${word}`,
    many: (count: number, word: string) => `${counted(count, "item", "items")}: ${word}`,
    importStarted: (title: string) => `Importing ${title}`,
    importPercent: (title: string, percent: number) => `${title}: ${percent} % imported`,
  },
};

function rowsErased(item: ItemView): string {
  return item.kind === "BADGE_EVENT"
    ? counted(item.counts.total, "attendee", "attendees")
    : counted(item.counts.total, "person", "people");
}
