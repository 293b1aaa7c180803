/** Which view is shown: the path of the page, so that a view can be reloaded and linked to. */

import { signal } from "@preact/signals";

export type Route =
  | { view: "live" }
  | { view: "scan" }
  | { view: "scans" }
  | { view: "one"; scan: string }
  | { view: "system" };

function parse(path: string): Route {
  const [view, argument] = path.split("/").filter((part) => part !== "");
  switch (view) {
    case "scan":
      return { view };
    case "scans":
      return argument ? { view: "one", scan: decodeURIComponent(argument) } : { view };
    case "system":
      return { view };
    default:
      return { view: "live" };
  }
}

export const route = signal<Route>(parse(location.pathname));

export function href(target: Route): string {
  return target.view === "one" ? `/scans/${encodeURIComponent(target.scan)}` : `/${target.view}`;
}

export function go(target: Route): void {
  history.pushState(null, "", href(target));
  route.value = target;
}

window.addEventListener("popstate", () => (route.value = parse(location.pathname)));

/** Links within the page do not load it anew. */
document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.origin !== location.origin || link.target !== "" || link.hasAttribute("download")) return;
  if (link.pathname.startsWith("/api/") || link.pathname === "/docs" || link.hash !== "") return;
  event.preventDefault();
  history.pushState(null, "", link.pathname);
  route.value = parse(link.pathname);
});
