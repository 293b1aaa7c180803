/** The frame around every view: where one is, how the rig stands, what just happened. */

import { useEffect, useRef } from "preact/hooks";

import { post } from "./api/client";
import type { RigStatus } from "./api/types";
import { clock, dateTime } from "./lib/format";
import { Icon } from "./parts/icon";
import type { IconName } from "./parts/icon";
import { Do, Note } from "./parts/parts";
import { dismiss, notices } from "./state/notices";
import { link, status } from "./state/rig";
import { href, route } from "./state/route";
import type { Route } from "./state/route";
import { logOut, session } from "./state/session";
import { described, later, putOff } from "./state/setup";
import { nextTheme, theme } from "./state/theme";
import { Calibration } from "./views/calibration/calibration";
import { Live } from "./views/live/live";
import { Login } from "./views/login";
import { ScanView } from "./views/scan/scan";
import { Gallery } from "./views/scans/gallery";
import { OneScan } from "./views/scans/one";
import { Settings } from "./views/settings/settings";
import { Setup } from "./views/setup/setup";
import { System } from "./views/system/system";

const TABS: readonly { view: "live" | "scan" | "scans" | "settings" | "system"; icon: IconName; text: string }[] = [
  { view: "live", icon: "live", text: "Live" },
  { view: "scan", icon: "scan", text: "Scan" },
  { view: "scans", icon: "scans", text: "Scans" },
  { view: "settings", icon: "settings", text: "Settings" },
  { view: "system", icon: "system", text: "System" },
];

export function App() {
  if (session.value === "asking") return <Asking />;
  return (
    <>
      {session.value === null ? <Login /> : <Frame />}
      <Notices />
    </>
  );
}

/** Shown only if the daemon takes its time. */
function Asking() {
  return (
    <div class="login" role="status">
      <p class="dim late">Waiting for the scanner…</p>
    </div>
  );
}

function Frame() {
  const main = useRef<HTMLElement>(null);
  const view = route.value.view === "one" ? "scans" : route.value.view;
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) window.scrollTo(0, 0);
    document.title = `${view === "setup" ? "Setup" : view === "calibration" ? "Calibration" : (TABS.find((tab) => tab.view === view)?.text ?? "")} · scanner`;
    // Who reads with a screen reader is told of the new view.
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [href(route.value)]);
  return (
    <>
      <a class="skip" href="#main" onClick={() => main.current?.focus()}>
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href={href({ view: "live" })} aria-label="scanner">
          <Icon name="scan" />
          scanner
        </a>
        <nav class="tabs" aria-label="Views">
          {TABS.map((tab) => (
            <a key={tab.view} href={href({ view: tab.view })} aria-current={view === tab.view ? "page" : undefined}>
              <Icon name={tab.icon} />
              {tab.text}
            </a>
          ))}
        </nav>
        <RigState />
        <Tools />
      </header>
      <Banners />
      <main id="main" ref={main} tabIndex={-1}>
        <View route={route.value} />
      </main>
    </>
  );
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "live":
      return <Live />;
    case "scan":
      return <ScanView />;
    case "scans":
      return <Gallery />;
    case "one":
      return <OneScan key={route.scan} id={route.scan} />;
    case "settings":
      return <Settings />;
    case "system":
      return <System />;
    case "calibration":
      return <Calibration />;
    case "setup":
      return <Setup at={route.at} />;
  }
}

function RigState() {
  const rig = status.value;
  const { tone, text } = summary(rig);
  const scan = rig?.scanning ? rig.scan : null;
  return (
    <div class="state" role="status" aria-live="polite">
      {scan && (
        <span class="where small dim" aria-hidden="true">
          {scan.stored}/{scan.shots}
          {rig?.left_s != null && ` · ${clock(rig.left_s)} left`}
        </span>
      )}
      <span class={`chip ${tone}`}>{text}</span>
    </div>
  );
}

/** The rig in a word or two. */
export function summary(rig: RigStatus | null): { tone: string; text: string } {
  if (link.value === "lost") return { tone: "bad", text: "no connection" };
  if (!rig) return { tone: "quiet", text: "connecting" };
  if (rig.cameras.some((camera) => camera.state.state === "wedged")) return { tone: "bad", text: "camera wedged" };
  if (rig.fault != null) return { tone: "bad", text: "axes stopped" };
  if (rig.scanning) {
    if (rig.cameras.some((camera) => camera.state.state === "recovering")) return { tone: "warn", text: "recovering" };
    if (rig.scan?.stopping) return { tone: "busy", text: "stopping" };
    return { tone: "busy", text: rig.scan ? "scanning" : route.value.view === "setup" ? "at work" : "starting" };
  }
  if (!rig.open) return { tone: "quiet", text: "out of hours" };
  const last = rig.last;
  if (last?.outcome === "failed") return { tone: "warn", text: "attention" };
  if (last?.outcome === "ended" && last.end !== "complete" && last.end !== "cancelled") {
    return { tone: "warn", text: `scan ${last.end}` };
  }
  return { tone: "good", text: "ready" };
}

const THEME_ICONS = { system: "auto", light: "sun", dark: "moon" } as const;

function Tools() {
  const label = `Colours: ${theme.value === "system" ? "as the system" : theme.value}`;
  return (
    <div class="tools">
      <button type="button" class="plain square" aria-label={label} title={label} onClick={nextTheme}>
        <Icon name={THEME_ICONS[theme.value]} />
      </button>
      <Do kind="plain" icon="leave" label="Log out" title="Log out" does={logOut} />
    </div>
  );
}

function Banners() {
  const rig = status.value;
  return (
    <div aria-live="assertive">
      <SetupBanner />
      {link.value === "lost" && <p class="note warn banner">The scanner cannot be reached; trying again. A scan goes on without this page.</p>}
      {rig && !rig.open && (
        <p class="note banner">
          Outside its hours: the cameras are closed{rig.idle_until != null && ` until ${dateTime(rig.idle_until)}`}; a scan that was
          under way goes on by itself then.
        </p>
      )}
      {rig?.fault != null && (
        <div class="note bad banner row spread">
          <span>The axes are stopped: {rig.fault}</span>
          <Do does={() => post("/api/v1/rig/clear")} doing="Clearing…">
            Let them move again
          </Do>
        </div>
      )}
    </div>
  );
}

/** For whoever opens the page of a machine whose rig nobody has described yet. */
function SetupBanner() {
  if (route.value.view === "setup" || described.value === null || described.value === "rig") return null;
  const none = described.value === "nothing";
  if (!none && putOff.value) return null;
  return (
    <div class="note info banner row spread">
      <span>{none ? "No rig is described yet." : "This rig is simulated: nothing moves."}</span>
      <span class="row">
        <a class="button" href={href({ view: "setup", at: "" })}>
          Set up your rig
        </a>
        {!none && (
          <button type="button" class="plain" onClick={later}>
            Not now
          </button>
        )}
      </span>
    </div>
  );
}

function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, tone, text }) => (
        <Note key={id} tone={tone}>
          <span class="grow">{text}</span>
          <button type="button" class="plain square" aria-label="Put away" onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </Note>
      ))}
    </div>
  );
}
