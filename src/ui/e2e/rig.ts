/** The real daemon on its simulated rig, in a folder and at a port of its own. */

import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Where cargo put the program. */
const PROGRAM = resolve(process.env["SCANNER"] ?? "../../target/debug/scanner");

/** What simulates its cameras; looked up beside the program, unless told otherwise. */
const DRIVER = process.env["SCANNER_SIM"] ?? "scanner-sim";

export interface Recipe {
  /** Points of the plan. */
  angles?: number;
  /** How many times faster than real axes. */
  timeScale?: number;
  cameras?: number;
  /** Lines for `[camera.options]` of the first camera. */
  options?: string;
  /** Lines for `[recovery]`. */
  recovery?: string;
  size?: readonly [number, number];
  heights?: string;
  /** The configuration says where files go, and nothing of a rig. */
  bare?: boolean;
  /** Nothing stands on the table, until the daemon is started again. */
  emptied?: boolean;
  /** No model is made behind a scan, and no masks for it. */
  hull?: boolean;
}

export class Rig {
  #process: ChildProcess | null = null;
  #log = "";

  private constructor(
    readonly folder: string,
    readonly port: number,
  ) {}

  /** A rig with the daemon running. */
  static async start(recipe: Recipe = {}): Promise<Rig> {
    const folder = mkdtempSync(join(tmpdir(), "scanner-ui-"));
    const port = await freePort();
    const rig = new Rig(folder, port);
    writeFileSync(join(folder, "scanner.toml"), config(recipe, port));
    await rig.run(recipe.emptied ? { SCANNER_SIM_EMPTY: "1" } : {});
    return rig;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get log(): string {
    return this.#log;
  }

  /** Starts the daemon with these variables in its environment, and waits until it answers. */
  async run(variables: Record<string, string> = {}): Promise<void> {
    const daemon = spawn(PROGRAM, ["--config", join(this.folder, "scanner.toml"), "run"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, RUST_LOG: "info", JOURNAL_STREAM: "", ...variables },
    });
    this.#process = daemon;
    for (const stream of [daemon.stdout, daemon.stderr]) stream.on("data", (data) => (this.#log += String(data)));
    await until("the daemon answers", async () => {
      if (daemon.exitCode !== null) throw new Error(`the daemon ended:\n${this.#log}`);
      return (await fetch(`${this.address}/healthz`)).ok;
    });
  }

  /** Ends the daemon as a power cut would, or in order. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const daemon = this.#process;
    this.#process = null;
    if (!daemon || daemon.exitCode !== null) return;
    const ended = new Promise((resolve) => daemon.once("exit", resolve));
    daemon.kill(signal);
    await ended;
  }

  async drop(): Promise<void> {
    await this.end("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What the program prints, as JSON. */
  async tell(...args: string[]): Promise<unknown> {
    const { stdout } = await run(PROGRAM, ["--config", join(this.folder, "scanner.toml"), ...args, "--json"]);
    return JSON.parse(stdout);
  }

  /** Writes another configuration, which must be a good one. */
  async reconfigure(edited: (config: string) => string): Promise<void> {
    const path = join(this.folder, "scanner.toml");
    const before = readFileSync(path, "utf8");
    const after = edited(before);
    if (after === before) throw new Error("nothing has changed");
    writeFileSync(path, after);
    await run(PROGRAM, ["--config", path, "check-config"]);
  }

  /** Presses a button of the panel; "cancel" is start held. */
  async press(button: "start" | "stop" | "cancel"): Promise<void> {
    await run(PROGRAM, ["--config", join(this.folder, "scanner.toml"), "press", button]);
  }

  async token(): Promise<string> {
    const { stdout } = await run(PROGRAM, ["--config", join(this.folder, "scanner.toml"), "token", "browser"]);
    const found = stdout.trim().split(/\s+/).at(-1);
    if (!found) throw new Error(`no token: ${stdout}`);
    return found;
  }
}

/** Between two questions that start a program, or draw the page, in milliseconds: asked without a pause, they took most of a processor. */
export const SELDOM = 300;

/** Asks until the answer is yes, for some minutes at most, since the machine may be busy; so many milliseconds between two questions. */
export async function until(what: string, ask: () => Promise<boolean>, pause = 50): Promise<void> {
  let last: unknown = null;
  for (let waited = 0; waited < 200_000; waited += pause) {
    try {
      if (await ask()) return;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("the daemon ended")) throw error;
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new Error(`in vain: ${what}${last instanceof Error ? ` (${last.message})` : ""}`);
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address ? found(address.port) : failed(new Error("no port"))));
    });
  });
}

function config(recipe: Recipe, port: number): string {
  const files = `
[storage]
directory = "scans"
runtime_directory = "run"
keep_free = "1 MB"
[api]
listen = "127.0.0.1:${port}"
`;
  if (recipe.bare) return files;
  const { angles = 12, timeScale = 20, cameras = 2, options = "", recovery = "", size = [640, 480], heights, hull = true } = recipe;
  const plan = heights
    ? `[plan.cylinder]\nshape = "cylinder"\nangles = ${angles}\nheights = ${heights}`
    : `[plan.ring]\nshape = "ring"\nangles = ${angles}`;
  const camera = (index: number) => `
[[camera]]
name = "cam${index}"
driver = "${DRIVER}"
id = "${index}"
width = ${size[0]}
height = ${size[1]}
focal_length = "4.74 mm"
pixel_pitch = "${6000 / size[0]} um"
[camera.mount]
distance = "300 mm"
height = "${60 + 120 * index} mm"
look_at_height = "35 mm"
[camera.controls]
exposure = "10 ms"
gain = 1.0
[camera.options]
${index === 0 ? options : ""}
`;
  return `${files}
[motion]
backend = "sim"
time_scale = ${timeScale.toFixed(1)}
[motion.turntable]
speed = "60 deg/s"
acceleration = "120 deg/s2"
[motion.lift]
speed = "40 mm/s"
acceleration = "100 mm/s2"
travel = ["0 mm", "200 mm"]
[[light]]
name = "ring"
[panel]
backend = "sim"
${plan}
[export]
hull = ${hull}
[recovery]
${recovery}
${Array.from({ length: cameras }, (_, index) => camera(index)).join("")}`;
}
