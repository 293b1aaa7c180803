/** The connection of a live view: carries out what the policy decides. */

import { get } from "../../api/client";
import { OFF, step } from "../../policy/live";
import type { LiveAction, LiveInput, LiveState } from "../../policy/live";

export interface LiveEvents {
  /** The connection's state has changed. */
  state: (state: LiveState) => void;
  message: (data: ArrayBuffer | string) => void;
}

export class LiveLink {
  #state: LiveState = OFF;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | null = null;

  constructor(
    private readonly path: string,
    private readonly camera: string,
    private readonly events: LiveEvents,
  ) {}

  start(): void {
    this.#feed({ type: "start" });
  }

  stop(): void {
    this.#feed({ type: "stop" });
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }

  #feed(input: LiveInput): void {
    const before = this.#state;
    const [state, actions] = step(before, input);
    this.#state = state;
    if (state !== before) this.events.state(state);
    for (const action of actions) this.#perform(action);
  }

  #perform(action: LiveAction): void {
    switch (action.type) {
      case "connect":
        clearTimeout(this.#timer);
        return this.#connect();
      case "close": {
        const socket = this.#socket;
        this.#socket = null;
        socket?.close();
        return;
      }
      case "ask":
        return void this.#ask();
      case "wait":
        this.#timer = setTimeout(() => this.#feed({ type: "timer" }), action.ms);
    }
  }

  #connect(): void {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${this.path}`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    const mine = (heard: () => void) => () => {
      if (this.#socket === socket) heard();
    };
    socket.onopen = mine(() => this.#feed({ type: "opened" }));
    socket.onclose = mine(() => {
      this.#socket = null;
      this.#feed({ type: "closed" });
    });
    socket.onmessage = (message: MessageEvent<ArrayBuffer | string>) => {
      if (this.#socket !== socket) return;
      this.#feed({ type: "heard" });
      this.events.message(message.data);
    };
  }

  async #ask(): Promise<void> {
    const abort = new AbortController();
    this.#asking = abort;
    // A daemon that does not answer at all is not waited for.
    const timeout = setTimeout(() => abort.abort(), 5000);
    let capturing: boolean | null = null;
    try {
      const { cameras } = await get("/api/v1/capture/status", { signal: abort.signal });
      capturing = cameras.find((camera) => camera.camera === this.camera)?.is_capturing ?? false;
    } catch {
      // Nothing is known, then.
    }
    clearTimeout(timeout);
    if (this.#asking === abort) this.#feed({ type: "status", capturing });
  }
}
