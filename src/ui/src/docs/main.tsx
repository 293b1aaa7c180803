/** The viewer of the API's document: every route, to be read and tried. */

import "../style/tokens.css";
import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";

import { effect } from "@preact/signals";
import { render } from "preact";
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";

import { BASE } from "../api/base";
import { resume } from "../state/session";
import { theme } from "../state/theme";
import { Top } from "./top";
import { endless } from "./endless";

void resume();
const top = document.getElementById("top");
if (top) render(<Top />, top);

const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = () => document.documentElement.classList.toggle("dark-mode", theme.value === "dark" || (theme.value === "system" && dark.matches));
effect(() => void colour());
dark.addEventListener("change", colour);

const viewer = document.getElementById("viewer");
if (viewer) {
  SwaggerUI({
    domNode: viewer,
    url: `${BASE}/api/v1/openapi.json`,
    // The document's paths are the daemon's own.
    requestInterceptor: (request: { url: string }) => {
      const own = new URL(request.url, location.href);
      if (own.origin === location.origin && !own.pathname.startsWith(`${BASE}/`)) own.pathname = BASE + own.pathname;
      request.url = own.href;
      return request;
    },
    deepLinking: true,
    displayRequestDuration: true,
    filter: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    // It would ask a host of its makers.
    validatorUrl: null,
    plugins: [endless],
  });
}
