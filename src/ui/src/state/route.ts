/** Which view is shown: the path of the page, so that a view can be reloaded and linked to. */

import { signal } from "@preact/signals";

import { BASE } from "../api/base";

export type Route =
  | { view: "live" }
  | { view: "scan" }
  | { view: "scans" }
  | { view: "one"; scan: string }
  | { view: "settings" }
  | { view: "system" }
  | { view: "calibration" }
  /** `at`: a question, or another place in the setup. */
  | { view: "setup"; at: string };

function parse(path: string): Route {
  const [view, argument] = path.split("/").filter((part) => part !== "");
  switch (view) {
    case "scan":
      return { view };
    case "scans":
      return argument ? { view: "one", scan: decodeURIComponent(argument) } : { view };
    case "settings":
    case "system":
    case "calibration":
      return { view };
    case "setup":
      return { view, at: decodeURIComponent(argument ?? "") };
    default:
      return { view: "live" };
  }
}

/** The view at this path of the page. */
const at = (path: string) => parse(path.slice(BASE.length));

export const route = signal<Route>(at(location.pathname));

export function href(target: Route): string {
  if (target.view === "one") return `${BASE}/scans/${encodeURIComponent(target.scan)}`;
  if (target.view === "setup" && target.at !== "") return `${BASE}/setup/${encodeURIComponent(target.at)}`;
  return `${BASE}/${target.view}`;
}

export function go(target: Route): void {
  history.pushState(null, "", href(target));
  route.value = target;
}

window.addEventListener("popstate", () => (route.value = at(location.pathname)));

/** Links within the page do not load it anew. */
document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.origin !== location.origin || link.target !== "" || link.hasAttribute("download")) return;
  if (!link.pathname.startsWith(`${BASE}/`) || link.hash !== "") return;
  if (link.pathname.startsWith(`${BASE}/api/`) || link.pathname === `${BASE}/docs`) return;
  event.preventDefault();
  history.pushState(null, "", link.pathname);
  route.value = at(link.pathname);
});
