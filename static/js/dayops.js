// What every page runs. Figures and the image viewer load only where a page has one.
import { startClocks } from "./clock.js";
import { startKeyboard } from "./keyboard.js";
import { startPolling } from "./poll.js";
import { startThemes } from "./theme.js";

startThemes();
startClocks();
startKeyboard();
startPolling();
if (document.querySelector("[data-figure]")) import("./figure.js").then((module) => module.startFigures());
if (document.querySelector("[data-viewer]")) import("./viewer.js").then((module) => module.startViewers());
document.addEventListener("dayops:updated", (event) => {
  if (event.target.querySelector("[data-figure]")) import("./figure.js").then((module) => module.startFigures());
});

// The date is written as YYYY-MM-DD whatever the browser's language; its own calendar opens from there.
for (const button of document.querySelectorAll("[data-day-button]")) {
  button.addEventListener("click", () => button.form.querySelector("input[type=date]").showPicker());
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-day-form]");
  if (form && event.target.value >= "1990-01-01") {
    location.assign(form.dataset.url.replace(form.dataset.day, event.target.value));
  } else if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
});
