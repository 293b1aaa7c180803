import "./style/tokens.css";
import "./style/base.css";
import "./style/controls.css";
import "./style/figures.css";
import "./style/shell.css";
import "./style/live.css";
import "./style/scan.css";
import "./style/scans.css";
import "./style/operation.css";
import "./style/settings.css";
import "./style/setup.css";

import { render } from "preact";

import { App } from "./app";
import { resume } from "./state/session";

void resume();
const root = document.getElementById("app");
if (root) render(<App />, root);
