import { mount } from "svelte";

import "./theme.css";
import App from "./App.svelte";
import { lookUpFonts } from "./lib/fonts";
import { app } from "./lib/state/app.svelte";

const target = document.getElementById("app");
if (!target) {
  throw new Error("index.html has no element #app to draw the window in");
}

const answered = app.ask();
lookUpFonts(target);
void answered.then(() => mount(App, { target }));
