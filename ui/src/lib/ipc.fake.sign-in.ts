// Signing in, as the stand-in shell does it. The person at the provider is whoever pastes an address: with
// "code=other" somebody else signed in, with "error=" they declined. Tests may end an attempt themselves.

import type { FakeCore } from "./ipc.fake";
import { account } from "./ipc.fake.data";
import type {
  CommandError,
  Connected,
  IntegrationView,
  OauthApp,
  Provider,
  Repaired,
  SignInEnd,
  SignInOptions,
  SignInProgress,
  SignInWay,
  Withdrawal,
} from "./types";

const PORT: Record<Provider, number> = { EVENTBRITE: 47831, LUMA: 47832 };

function refusal(code: CommandError["code"], message: string, recovery: CommandError["recovery"] = "RETRY"): CommandError {
  return { code, message, recovery };
}

const nobody = () => refusal("NOT_POSSIBLE", "Nobody is signing in just now. Begin again.");

interface Attempt {
  progress: SignInProgress;
  renews: string | null;
  end: (end: SignInEnd | CommandError) => void;
}

export class FakeSignIns {
  apps = new Map<Provider, OauthApp>();
  /** Set: the keychain does not tell which apps it keeps. */
  refusal: CommandError | null = null;
  /** Set: what the page could not do, whichever way it is shown. */
  note: string | null = null;
  /** Set: the keychain does not take what it is offered again. */
  savesNothing = false;
  /** What becomes of a sign-in whose account is disconnected. */
  withdrawal: Record<Provider, Withdrawal> = { EVENTBRITE: "NOT_OFFERED", LUMA: "WITHDRAWN" };
  /** Items that no reconnect brings back, with why. */
  lost = new Map<string, CommandError>();
  #core: FakeCore;
  #current: Attempt | null = null;
  #other: IntegrationView | null = null;

  /** Somebody signed in whom the person may still add. */
  get holdsOther(): boolean {
    return this.#other !== null;
  }

  constructor(core: FakeCore) {
    this.#core = core;
  }

  forget(): void {
    this.#current = null;
    this.#other = null;
    this.apps.clear();
    this.lost.clear();
    this.withdrawal = { EVENTBRITE: "NOT_OFFERED", LUMA: "WITHDRAWN" };
    this.refusal = null;
    this.note = null;
    this.savesNothing = false;
  }

  options(provider: Provider): SignInOptions {
    if (this.refusal !== null) {
      throw this.refusal;
    }
    const app = this.apps.get(provider) ?? null;
    const port = app?.redirectPort ?? PORT[provider];
    return { app, redirectUri: `http://localhost:${port}/oauth/${provider.toLowerCase()}/callback` };
  }

  remember(provider: Provider, clientId: string, clientSecret: string | null, redirectPort: number): SignInOptions {
    if (clientId.includes(" ")) {
      throw refusal("BAD_INPUT", "That is no client id. Copy the line called API key from Eventbrite's page of your app.", "CORRECT_INPUT");
    }
    this.apps.set(provider, { clientId, hasSecret: clientSecret !== null, redirectPort });
    return this.options(provider);
  }

  drop(provider: Provider): SignInOptions {
    this.apps.delete(provider);
    return this.options(provider);
  }

  /** Lasts until somebody ends it. */
  begin(provider: Provider, way: SignInWay, renews: string | null): Promise<SignInEnd> {
    const before = this.#current;
    this.#other = null;
    return new Promise((resolve, reject) => {
      const attempt: Attempt = {
        progress: { provider, way, step: "OPENING", note: null },
        renews,
        end: (end) => {
          if (this.#current === attempt) {
            this.#current = null;
          }
          this.#core.notify({ type: "SIGN_IN_CHANGED" });
          if ("type" in end) {
            resolve(end);
          } else {
            reject(end);
          }
        },
      };
      this.#current = attempt;
      before?.end({ type: "CANCELLED" });
      if (!this.apps.has(provider)) {
        attempt.end(refusal("BAD_INPUT", "Enter your app's data first.", "CORRECT_INPUT"));
        return;
      }
      this.#tell();
      this.#wait();
    });
  }

  #tell(): void {
    if (this.#current !== null) {
      this.#core.notify({ type: "SIGN_IN_CHANGED", signIn: this.#current.progress });
    }
  }

  #wait(): void {
    const attempt = this.#current;
    void Promise.resolve().then(() => {
      if (this.#current === attempt && attempt !== null) {
        this.step("WAITING");
      }
    });
  }

  step(step: SignInProgress["step"]): void {
    const attempt = this.attempt();
    attempt.progress = { ...attempt.progress, step, note: step === "WAITING" ? this.note : null };
    this.#tell();
  }

  attempt(): Attempt {
    if (this.#current === null) {
      throw nobody();
    }
    return this.#current;
  }

  switch(way: SignInWay): void {
    const attempt = this.attempt();
    attempt.progress = { ...attempt.progress, way, step: "OPENING", note: null };
    this.#tell();
    this.#wait();
  }

  cancel(): void {
    this.#other = null;
    this.#current?.end({ type: "CANCELLED" });
  }

  address(): string {
    const { provider } = this.attempt().progress;
    return `https://${provider.toLowerCase()}.example/oauth/authorize?state=1`;
  }

  answer(address: string): void {
    const { provider } = this.attempt().progress;
    const own = this.options(provider).redirectUri;
    if (!address.startsWith(own)) {
      throw refusal(
        "BAD_INPUT",
        `That is not the address that Eventbrite sent your browser to. Copy the whole address line; it begins with ${own}.`,
        "CORRECT_INPUT",
      );
    }
    this.step("PROVING");
    void Promise.resolve().then(() => {
      if (address.includes("error=")) {
        this.attempt().end(refusal("NOT_POSSIBLE", "You declined at Eventbrite. Nothing was changed."));
      } else if (address.includes("code=refused")) {
        this.attempt().end(
          refusal(
            "APP_REJECTED",
            "Eventbrite refuses your app: its API key or client secret is not right, or the app was removed. Nothing was changed.",
            "CHECK_APP_SETTINGS",
          ),
        );
      } else if (!address.includes("code=slow")) {
        this.signsIn(address.includes("code=other"));
      }
    });
  }

  /** Somebody has signed in at the provider: the one who was needed, or somebody else. */
  signsIn(asOther: boolean): void {
    const attempt = this.attempt();
    const { provider } = attempt.progress;
    const needed = attempt.renews === null ? undefined : this.#core.integrations.get(attempt.renews);
    if (asOther && needed !== undefined) {
      this.#other = this.#newAccount(provider);
      const [signedInAs, label] = ["box@dockhall.example", needed.accountEmail ?? needed.accountName];
      const message = `You signed in as ${signedInAs}, but ${label} is needed here. Nothing was changed.`;
      attempt.end({ type: "OTHER_ACCOUNT", message, needed: label, signedInAs });
      return;
    }
    const signed: IntegrationView =
      needed === undefined
        ? this.#newAccount(provider)
        : { ...needed, status: "CONNECTED", signIn: "OAUTH", offersWithdrawal: provider === "LUMA", failure: null, lastVerifiedAt: new Date().toISOString() };
    attempt.end({ type: "CONNECTED", connected: this.#keep(signed) });
  }

  addOther(): Connected {
    if (this.#other === null) {
      throw nobody();
    }
    const other = this.#other;
    this.#other = null;
    return this.#keep(other);
  }

  #newAccount(provider: Provider): IntegrationView {
    const id = `account-${this.#core.integrations.size + 1}`;
    const now = new Date().toISOString();
    return account({ id, provider, signIn: "OAUTH", connectedAt: now, lastVerifiedAt: now });
  }

  #keep(integration: IntegrationView): Connected {
    this.#core.integrations.set(integration.id, integration);
    this.#core.notify({ type: "INTEGRATION_CHANGED", integrationId: integration.id });
    return { integration, events: 14 };
  }

  /** The soonest first, each with an outcome of its own. */
  reconnectAll(integrationId: string, withIntegrationId: string): Repaired[] {
    return [...this.#core.items.values()]
      .filter((item) => item.integrationId === integrationId && item.syncStatus === "DISCONNECTED" && !item.archived)
      .sort((left, right) => (left.startsAt ?? "9999").localeCompare(right.startsAt ?? "9999"))
      .map(({ id, title, counts }) => {
        const error = this.lost.get(id) ?? null;
        if (error !== null) {
          return { itemId: id, title, item: null, error };
        }
        this.#core.change(id, { integrationId: withIntegrationId });
        return { itemId: id, title, item: this.#core.read(id, "RECONNECT", counts.total), error };
      });
  }

  saveAll(): void {
    if (this.savesNothing) {
      return;
    }
    this.#core.status = { ...this.#core.status, unsaved: null };
    this.#core.notify({ type: "SIGN_INS_HELD_CHANGED" });
  }
}
