"use strict";

// Text from the worlds is hostile on purpose: it only ever reaches the page as text.
const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "press") made.addEventListener("click", value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};

const message = document.getElementById("message");

const act = async (provider, action, more = {}) => {
  try {
    const answer = await fetch("/control", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ provider, action, ...more }),
    });
    const body = await answer.json();
    message.className = body.ok ? "" : "bad";
    message.textContent = body.ok ? `${action}: done${body.result ? ` (${body.result})` : ""}` : body.error;
  } catch {
    message.className = "bad";
    message.textContent = "The sandbox does not answer.";
  }
  await refresh();
};

const button = (label, provider, action, more) =>
  element("button", { type: "button", press: () => act(provider, action, typeof more === "function" ? more() : more) }, label);

const events = (provider, state) =>
  element("div", { class: "scroll" }, element("table", {}, ...state.events.map((event) =>
    element("tr", {},
      element("td", { class: "title" }, event.title, element("br"), element("code", {}, `${event.id} · ${event.status}`)),
      element("td", { class: "count" }, `${event.registrations.toLocaleString("en")}`, element("br"), `${event.checkedIn.toLocaleString("en")} in`),
      element("td", { class: "buttons" },
        button("Add", provider, "add", { event: event.id, count: 1 }), " ",
        button("Cancel", provider, "cancel", { event: event.id }), " ",
        button("Check in", provider, "check-in", { event: event.id }))))));

const credentials = (provider, state) =>
  element("table", {}, ...state.credentials.map((one) =>
    element("tr", {},
      element("td", { class: "title" }, one.owner, element("br"), element("code", {}, one.text)),
      element("td", { class: one.works ? "works" : "dead" }, one.works ? "works" : "revoked"),
      element("td", { class: "buttons" }, one.works ? button("Revoke", provider, "revoke", { credential: one.text }) : ""))));

const requests = (state) =>
  element("div", { class: "scroll" }, element("table", {}, ...state.requests.map((one) =>
    element("tr", {},
      element("td", { class: one.status >= 400 || one.status === 0 ? "error" : "" }, String(one.status || "none")),
      element("td", { class: "title" }, element("code", {}, `${one.method} ${one.path}${one.query ? `?${one.query}` : ""}`)),
      element("td", { class: "count" }, one.at.slice(11, 19))))));

// Made once, so that a choice survives the refreshing.
const faultControls = {};
const faults = (provider, names) => {
  if (!faultControls[provider]) {
    const choice = element("select", { "aria-label": "Fault" }, ...names.map((name) => element("option", { value: name }, name)));
    const times = element("input", { type: "number", min: "1", placeholder: "always", "aria-label": "Times" });
    const wait = element("input", { type: "number", min: "0", placeholder: "ms", "aria-label": "Latency in milliseconds" });
    const chosen = () => ({ fault: choice.value, ...(times.value ? { times: Number(times.value) } : {}) });
    faultControls[provider] = element("div", {},
      element("div", { class: "row" }, choice, times, button("Inject", provider, "fault", chosen), button("Clear faults", provider, "clear-faults")),
      element("div", { class: "row" }, wait, button("Set latency", provider, "latency", () => ({ milliseconds: Number(wait.value) || 0 })),
        button("Use up rate limit", provider, "rate-limit-after"), button("Go down", provider, "down"), button("Come back", provider, "up")));
  }
  return faultControls[provider];
};

const select = (label, names) => element("select", { "aria-label": label }, ...names.map((name) => element("option", { value: name }, name)));

const oauthControls = {};
const oauthRows = (provider, state, names) => {
  if (!oauthControls[provider]) {
    const dialect = select("Dialect", names.dialectNames);
    dialect.value = state.oauth.dialect;
    const seconds = element("input", { type: "number", min: "1", placeholder: "s", "aria-label": "Lifetime in seconds" });
    const fault = select("Token fault", names.tokenFaultNames);
    const times = element("input", { type: "number", min: "1", placeholder: "always", "aria-label": "Times" });
    const chosen = () => ({ fault: fault.value, ...(times.value ? { times: Number(times.value) } : {}) });
    oauthControls[provider] = element("div", {},
      element("div", { class: "row" }, dialect, button("Speak", provider, "oauth-dialect", () => ({ dialect: dialect.value })),
        seconds, button("Set lifetime", provider, "oauth-lifetime", () => (seconds.value ? { seconds: Number(seconds.value) } : {})),
        button("Expire access tokens", provider, "oauth-expire")),
      element("div", { class: "row" }, fault, times, button("Inject", provider, "oauth-fault", chosen), button("Clear faults", provider, "oauth-clear-faults"),
        button("Go down", provider, "oauth-down"), button("Come back", provider, "oauth-up")));
  }
  return oauthControls[provider];
};

const grants = (state) =>
  element("table", {}, ...state.oauth.grants.map((one) =>
    element("tr", {},
      element("td", { class: "title" }, state.owners.find((owner) => owner.id === one.accountId)?.name ?? one.accountId,
        element("br"), element("code", {}, `grant ${one.number} · ${one.refreshes} refreshes`)),
      element("td", { class: one.revoked ? "dead" : "works" }, one.revoked ? "revoked" : `${one.liveAccessTokens} live`))));

const oauth = (provider, state, names) =>
  element("div", {},
    element("p", {}, element("code", {}, [state.oauth.url, state.oauth.app.clientId, state.oauth.app.clientSecret].filter(Boolean).join(" · ")), element("br"),
      `${state.oauth.dialect}, access tokens live ${state.oauth.accessLifetimeSecs.toLocaleString("en")} s, consent ${state.oauth.consent}`),
    grants(state),
    element("div", { class: "row" }, button("Revoke all grants", provider, "oauth-revoke-all"), button("Show the page", provider, "oauth-ask"),
      button("Refuse", provider, "oauth-refuse"),
      ...state.owners.flatMap((owner) => [
        button(`Approve as ${owner.name}`, provider, "oauth-approve", { owner: owner.id }),
        button(`Revoke ${owner.name}`, provider, "oauth-revoke", { owner: owner.id })])),
    oauthRows(provider, state, names),
    state.oauth.faults.length ? element("ul", {}, ...state.oauth.faults.map((text) => element("li", {}, text))) : "",
    state.oauth.requests.length ? requests(state.oauth) : "",
    element("div", { class: "row" }, button("Clear requests", provider, "oauth-clear-requests")));

const provider = (name, title, state, names) =>
  element("section", { "aria-label": title },
    element("div", { class: "head" }, element("h2", {}, title), element("code", {}, state.apiUrl)),
    element("h3", {}, "Events"), events(name, state),
    element("h3", {}, "Credentials"), credentials(name, state),
    element("div", { class: "row" }, button("Revoke all", name, "revoke-all"),
      ...state.owners.map((owner) => button(`Issue for ${owner.name}`, name, "issue", { owner: owner.id }))),
    element("h3", {}, "Faults"), faults(name, names.faultNames),
    state.faults.length ? element("ul", {}, ...state.faults.map((text) => element("li", {}, text))) : element("p", { class: "empty" }, "None set."),
    element("h3", {}, `Requests (${state.requestCount.toLocaleString("en")})`),
    state.requests.length ? requests(state) : element("p", { class: "empty" }, "None yet."),
    element("div", { class: "row" }, button("Clear requests", name, "clear-requests")),
    element("h3", {}, `OAuth (${state.oauth.requestCount.toLocaleString("en")} requests)`), oauth(name, state, names));

let last = "";
const refresh = async () => {
  let text;
  try {
    text = await (await fetch("/state")).text();
  } catch {
    message.className = "bad";
    message.textContent = "The sandbox does not answer.";
    return;
  }
  const state = JSON.parse(text);
  document.getElementById("now").textContent = `${state.now.slice(0, 19).replace("T", " ")} UTC`;
  const facts = JSON.stringify({ ...state, now: null });
  // Rebuilding would take the focus from a control in use.
  if (facts === last || document.activeElement?.matches("select, input")) return;
  last = facts;
  const place = document.getElementById("providers");
  const offsets = [...place.querySelectorAll(".scroll")].map((one) => one.scrollTop);
  place.replaceChildren(
    provider("eventbrite", "Eventbrite", state.eventbrite, state),
    provider("luma", "Luma", state.luma, state));
  place.querySelectorAll(".scroll").forEach((one, index) => { one.scrollTop = offsets[index] ?? 0; });
};

refresh();
setInterval(refresh, 1000);
