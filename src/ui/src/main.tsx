import "./style/tokens.css";
import "./style/base.css";
import "./style/shell.css";
import "./style/views.css";
import "./style/setup.css";

import { render } from "preact";

import { App } from "./app";
import { resume } from "./state/session";

void resume();
const root = document.getElementById("app");
if (root) render(<App />, root);
