// Every screen, and how a person gets there.

import { ENDLESS, HOSTILE } from "../../src/lib/ipc.fake.hostile";
import type { Page } from "playwright-core";

const ENDLESS_ID = `hostile-${HOSTILE.indexOf(ENDLESS[0] ?? "")}`;

export interface Place {
  name: string;
  scenario: string;
  go: (page: Page) => Promise<unknown>;
}

/** Opens one item from the list, scrolling there first. */
export const openRow = (id: string) => async (page: Page) => {
  // Rows that are not on the screen do not exist: the list is scrolled until the row does, or to its end.
  const list = page.locator('[role="list"][aria-label="Events"]');
  await page.waitForSelector("[data-row]");
  for (let top = 0, end = false; !end && (await page.locator(`[data-row="${id}"]`).count()) === 0; top += 480) {
    end = await list.evaluate(async (list, at) => {
      list.scrollTo(0, at);
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      return list.scrollTop < at;
    }, top);
  }
  await page.focus(`[data-row="${id}"]`);
  await page.keyboard.press("Enter");
  await page.waitForSelector('[role="grid"] [data-index="0"]');
};
const settings = (page: Page) => page.click('[aria-label="Settings"], button:has-text("Settings")');
const reconnectFor = (id: string) => async (page: Page) => {
  await openRow(id)(page);
  await page.click('[data-testid="banner"] >> text=Reconnect');
  await page.waitForSelector('[role="dialog"]');
};

const openTab = (id: string, tab: string) => async (page: Page) => {
  await openRow(id)(page);
  await page.click(`[role="tab"]:has-text("${tab}")`);
  await page.waitForSelector('[role="tabpanel"] li');
};
const removalsOf = (id: string) => async (page: Page) => {
  await openRow(id)(page);
  await page.click('[data-testid="banner"] >> text=Show the');
  await page.waitForSelector('[role="dialog"] [role="listitem"]');
};

const CALLBACK = "http://localhost:47831/oauth/eventbrite/callback?state=1&";
const signInFrom = async (page: Page) => {
  await page.click("text=Connect Eventbrite");
  await page.click("text=Other ways");
  await page.fill('label:has-text("API key") + * input', "HARBOUR7QTALKVALUE");
  await page.fill('label:has-text("Client secret") + * input', "a-client-secret");
  await page.click("text=Save and sign in");
  await page.waitForSelector("text=Waiting for Eventbrite");
};
const inBrowser = async (page: Page) => {
  await page.click("text=Use my browser instead");
  await page.waitForSelector("text=is in your browser");
};
const ended = (how: string, seen: string) => async (page: Page) => {
  await inBrowser(page);
  await page.fill('[aria-label="Address"]', `${CALLBACK}${how}`);
  await page.keyboard.press("Enter");
  await page.waitForSelector(`text=${seen}`);
};
const signInAgain = async (page: Page) => {
  await reconnectFor("makers-night")(page);
  await page.click("text=Sign in again");
  await page.waitForSelector("text=Waiting for Eventbrite");
};
const accountOf = async (page: Page) => {
  await page.click("text=Reconnect all 2");
  await page.waitForSelector("text=Waiting for Eventbrite");
};

export const PLACES: Place[] = [
  { name: "first-start", scenario: "first-start", go: (page) => page.waitForSelector("text=Connect Luma") },
  { name: "no-items", scenario: "no-items", go: (page) => page.waitForSelector("text=No lists here yet") },
  { name: "problem", scenario: "problem", go: (page) => page.waitForSelector("text=Data folder") },
  { name: "list", scenario: "demo", go: (page) => page.waitForSelector('[data-row="makers-night"]') },
  { name: "list-offline", scenario: "offline", go: (page) => page.waitForSelector("text=This computer is offline") },
  { name: "list-keychain", scenario: "keychain", go: (page) => page.waitForSelector("text=Unlock keychain") },
  { name: "list-repaired", scenario: "repaired", go: (page) => page.waitForSelector("text=works again") },
  {
    name: "list-filtered",
    scenario: "demo",
    go: async (page) => {
      await page.click("text=need you");
      await page.click('button:has-text("View")');
      await page.waitForSelector('[role="menu"]');
    },
  },
  {
    name: "list-none",
    scenario: "demo",
    go: async (page) => {
      await page.fill('[aria-label="Search events and accounts"]', "zzz");
      await page.waitForSelector("text=Nothing matches.");
    },
  },
  { name: "list-hostile", scenario: "hostile", go: (page) => page.waitForSelector('[data-row="hostile-0"]') },
  { name: "detail-live", scenario: "demo", go: openRow("tool-library") },
  { name: "detail-disconnected", scenario: "demo", go: openRow("makers-night") },
  { name: "detail-failed", scenario: "demo", go: openRow("repair-cafe") },
  { name: "detail-gone", scenario: "demo", go: openRow("lantern-walk") },
  { name: "detail-import-failed", scenario: "demo", go: openRow("river-swim") },
  { name: "detail-importing", scenario: "demo", go: openRow("autumn-summit") },
  { name: "detail-catching-up", scenario: "demo", go: openRow("boat-parade") },
  { name: "detail-waiting", scenario: "demo", go: openRow("choir") },
  { name: "detail-stale", scenario: "demo", go: openRow("winter-fair") },
  {
    name: "detail-changes",
    scenario: "demo",
    go: async (page) => {
      await openTab("tool-library", "Changes")(page);
      await page.click('[aria-label^="Since:"]');
      await page.waitForSelector('[role="menuitemradio"]:has-text("Since the last outage")');
    },
  },
  {
    name: "detail-changes-hostile",
    scenario: "hostile",
    go: async (page) => {
      await openTab("hostile-3", "Changes")(page);
      await page.keyboard.press("Tab");
    },
  },
  {
    name: "detail-changes-more",
    scenario: "demo",
    go: async (page) => {
      await openTab("quay-dinner", "Changes")(page);
      await page.click("text=Show more");
      await page.waitForFunction(() => document.querySelectorAll('[role="tabpanel"] li').length === 200);
    },
  },
  { name: "detail-activity", scenario: "demo", go: openTab("makers-night", "Activity") },
  { name: "detail-activity-importing", scenario: "demo", go: openTab("autumn-summit", "Activity") },
  { name: "detail-removals", scenario: "demo", go: openRow("quay-dinner") },
  { name: "removals", scenario: "demo", go: removalsOf("quay-dinner") },
  { name: "removals-hostile", scenario: "hostile", go: removalsOf("hostile-quay-dinner") },
  { name: "detail-archived", scenario: "demo", go: openRow("summer") },
  { name: "detail-channel", scenario: "demo", go: openRow("calendar") },
  { name: "detail-hostile", scenario: "hostile", go: openRow("hostile-3") },
  {
    name: "detail-filtered",
    scenario: "demo",
    go: async (page) => {
      await openRow("calendar")(page);
      await page.click('[aria-label^="Status:"]');
      await page.click('[role="menuitemradio"]:has-text("Not attending")');
      await page.waitForSelector("text=Clear filters");
      await page.click('[aria-label^="Ticket:"]');
    },
  },
  {
    name: "detail-menu",
    scenario: "demo",
    go: async (page) => {
      await openRow("makers-night")(page);
      await page.click('[aria-label="More actions"]');
      await page.waitForSelector('[role="menu"]');
    },
  },
  {
    name: "import",
    scenario: "demo",
    go: async (page) => {
      await page.click("text=Import event");
      await page.waitForSelector("#candidate-1");
      await page.click("#candidate-2");
    },
  },
  {
    name: "import-channel",
    scenario: "demo",
    go: async (page) => {
      await page.click("text=Import event");
      await page.click("#candidate-0");
    },
  },
  {
    name: "import-hostile",
    scenario: "hostile",
    go: async (page) => {
      await page.click("text=Import event");
      await page.click("#candidate-1");
    },
  },
  { name: "detail-hostile-alert", scenario: "hostile", go: openRow("hostile-makers-night") },
  { name: "detail-hostile-long", scenario: "hostile", go: openRow(ENDLESS_ID) },
  { name: "settings-hostile", scenario: "hostile", go: settings },
  { name: "reconnect-hostile", scenario: "hostile", go: reconnectFor("hostile-makers-night") },
  {
    name: "remove-hostile",
    scenario: "hostile",
    go: async (page) => {
      await openRow(ENDLESS_ID)(page);
      await page.click('[aria-label="More actions"]');
      await page.click("text=Remove…");
      await page.waitForSelector('[role="alertdialog"]');
    },
  },
  {
    name: "tickets-hostile",
    scenario: "hostile",
    go: async (page) => {
      await openRow("hostile-1")(page);
      await page.click('[aria-label^="Ticket:"]');
      await page.waitForSelector('[role="menu"]');
    },
  },
  {
    name: "connect-eventbrite",
    scenario: "first-start",
    go: async (page) => {
      await page.click("text=Connect Eventbrite");
      await page.fill('[aria-label="Private token"]', "wrong-kind");
      await page.keyboard.press("Enter");
      await page.waitForSelector("text=Copy the line called");
    },
  },
  {
    name: "connect-luma",
    scenario: "first-start",
    go: async (page) => {
      await page.click("text=Connect Luma");
      await page.waitForSelector('[role="dialog"]');
    },
  },
  {
    name: "connected",
    scenario: "first-start",
    go: async (page) => {
      await page.click("text=Connect Luma");
      await page.fill('[aria-label="API key"]', "a-key");
      await page.keyboard.press("Enter");
      await page.waitForSelector("text=14 events");
    },
  },
  {
    name: "connect-others",
    scenario: "first-start",
    go: async (page) => {
      await page.click("text=Connect Eventbrite");
      await page.click("text=Other ways");
      await page.click("text=Use another port");
      await page.fill('label:has-text("Port") + * input', "80");
      await page.fill('label:has-text("API key") + * input', "HARBOUR7QTALKVALUE");
      await page.fill('label:has-text("Client secret") + * input', "a-client-secret");
      await page.click("text=Save and sign in");
      await page.waitForSelector("text=Choose a port between");
    },
  },
  {
    name: "connect-app",
    scenario: "signed-in",
    go: async (page) => {
      await settings(page);
      await page.click("text=Connect Eventbrite");
      await page.click("text=Other ways");
      await page.waitForSelector("text=Sign in with Eventbrite");
    },
  },
  { name: "sign-in-window", scenario: "first-start", go: signInFrom },
  {
    name: "sign-in-browser",
    scenario: "first-start",
    go: async (page) => {
      await signInFrom(page);
      await inBrowser(page);
    },
  },
  {
    name: "sign-in-asking",
    scenario: "first-start",
    go: async (page) => {
      await signInFrom(page);
      await ended("code=slow", "Asking Eventbrite")(page);
    },
  },
  {
    name: "sign-in-declined",
    scenario: "first-start",
    go: async (page) => {
      await signInFrom(page);
      await ended("error=access_denied", "You declined")(page);
    },
  },
  {
    name: "sign-in-app-refused",
    scenario: "first-start",
    go: async (page) => {
      await signInFrom(page);
      await ended("code=refused", "refuses your app")(page);
    },
  },
  { name: "reconnect-signing-in", scenario: "signed-in", go: signInAgain },
  {
    name: "reconnect-other-account",
    scenario: "signed-in",
    go: async (page) => {
      await signInAgain(page);
      await ended("code=other", "this event needs")(page);
    },
  },
  {
    name: "reconnect-not-all",
    scenario: "signed-in",
    go: async (page) => {
      await signInAgain(page);
      await ended("code=own", "1 of 2 could not be reconnected")(page);
    },
  },
  { name: "account-signing-in", scenario: "signed-in", go: accountOf },
  {
    name: "account-other",
    scenario: "signed-in",
    go: async (page) => {
      await accountOf(page);
      await ended("code=other", "is needed here")(page);
    },
  },
  {
    name: "account-paste",
    scenario: "demo",
    go: async (page) => {
      await page.click("text=Reconnect all 2");
      await page.waitForSelector('[aria-label="Private token"]');
    },
  },
  { name: "list-unsaved", scenario: "signed-in", go: (page) => page.waitForSelector("text=Save again") },
  {
    name: "settings-apps",
    scenario: "signed-in",
    go: async (page) => {
      await settings(page);
      await page.waitForSelector("text=client-harbour-makers");
    },
  },
  {
    name: "settings-app-refused",
    scenario: "signed-in",
    go: async (page) => {
      await openRow("repair-cafe")(page);
      await page.click("text=Check app settings");
      await page.waitForSelector('label:has-text("Client id")');
    },
  },
  {
    name: "settings-forget-app",
    scenario: "signed-in",
    go: async (page) => {
      await settings(page);
      await page.click("text=Forget app >> nth=0");
      await page.waitForSelector("text=Keep it");
    },
  },
  {
    name: "disconnect-withdrawn",
    scenario: "signed-in",
    go: async (page) => {
      await settings(page);
      await page.click('[aria-label^="More actions: Harbour Makers"]');
      await page.click("text=Disconnect…");
      await page.waitForSelector('[role="alertdialog"]');
    },
  },
  { name: "reconnect", scenario: "demo", go: reconnectFor("makers-night") },
  {
    name: "reconnect-sign-in",
    scenario: "demo",
    go: async (page) => {
      await reconnectFor("makers-night")(page);
      await page.click("text=Sign in again");
    },
  },
  {
    name: "reconnect-switch",
    scenario: "demo",
    go: async (page) => {
      await reconnectFor("makers-night")(page);
      await page.click("text=Reconnect with this account");
      await page.waitForSelector("text=Switch 2 events");
    },
  },
  { name: "reconnect-repaired", scenario: "repaired", go: reconnectFor("makers-night") },
  {
    name: "remove",
    scenario: "demo",
    go: async (page) => {
      await openRow("makers-night")(page);
      await page.click('[aria-label="More actions"]');
      await page.click("text=Remove…");
      await page.waitForSelector('[role="alertdialog"]');
    },
  },
  { name: "settings", scenario: "demo", go: settings },
  { name: "settings-empty", scenario: "first-start", go: settings },
  {
    name: "about",
    scenario: "demo",
    go: async (page) => {
      await settings(page);
      await page.click("nav >> text=About");
    },
  },
  {
    name: "disconnect",
    scenario: "demo",
    go: async (page) => {
      await settings(page);
      await page.click('[aria-label^="More actions: box"]');
      await page.click("text=Disconnect…");
      await page.waitForSelector('[role="alertdialog"]');
    },
  },
  {
    name: "toast",
    scenario: "demo",
    go: async (page) => {
      await openRow("lantern-walk")(page);
      await page.click('[data-testid="banner"] >> text=Keep as archive');
      await page.waitForSelector("[data-sonner-toast]");
    },
  },
];
