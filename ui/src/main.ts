import { mount } from "svelte";

import "./theme.css";
import App from "./App.svelte";
import { app } from "./lib/state/app.svelte";

const target = document.getElementById("app");
if (!target) {
  throw new Error("index.html has no element #app to draw the window in");
}

void app.ask().then(() => mount(App, { target }));
