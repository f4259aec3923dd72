// @ts-check
// Entry point of the page: connects buttons and pickers to the flow.

import { BUILD } from "../build.js";
import { showError } from "./kit/alert.js";
import { App } from "./flow/app.js";
import { bindByPlace } from "./views/by_place.js";
import { byId } from "./kit/dom.js";
import { drawLines } from "./figures/lines.js";
import { drawOverview } from "./figures/overview.js";
import { tellOfInterrupted } from "./flow/interrupted.js";
import { bindPickers } from "./flow/pick.js";
import { bindPlan } from "./views/plan.js";
import { prepare } from "./flow/prepare.js";
import { bindReport } from "./views/report.js";
import { bindSettings } from "./settings/settings.js";
import { showObstacle } from "./kit/state.js";

const prepared = prepare();
const app = new App(prepared);
prepared.then(tellOfInterrupted, () => {}); // the app says why it failed

/** @param {string} id @param {() => unknown} action */
function onClick(id, action) {
  byId(id, HTMLButtonElement).addEventListener("click", action);
}

/** @param {unknown} error */
function unforeseen(error) {
  showError(app.isRunning ? "merge" : "files", "Something went wrong in this page.", error);
}

addEventListener("error", (event) => unforeseen(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => unforeseen(event.reason));

addEventListener("beforeunload", (event) => {
  if (app.isRunning || app.hasUnsaved) event.preventDefault();
});

bindPickers(
  (files) => app.add(files),
  () => app.isRunning,
);
bindSettings(() => app.settingsChanged());
bindPlan();
bindByPlace();
bindReport();
onClick("sample", () => app.loadSample());
onClick("clear", () => app.clear());
onClick("merge-why-show", showObstacle);
onClick("merge", () => app.merge());
onClick("cancel", () => app.cancel());
onClick("save-to", () => app.saveTo());
byId("build", HTMLElement).textContent = `Build ${BUILD.slice(0, 12)}.`;
drawOverview(byId("overview", HTMLElement));
drawLines(byId("lines", HTMLElement));
