import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OFF, POLL_LIMIT_MS, POLL_MS, RECONNECT_MS, step } from "./live";
import type { LiveAction, LiveInput, LiveState } from "./live";

/** The state after `inputs`, and what was done by each of them. */
function run(inputs: LiveInput[], from: LiveState = OFF): { state: LiveState; done: LiveAction[][] } {
  let state = from;
  const done = inputs.map((input) => {
    const [next, actions] = step(state, input);
    state = next;
    return [...actions];
  });
  return { state, done };
}

const start: LiveInput = { type: "start" };
const opened: LiveInput = { type: "opened" };
const heard: LiveInput = { type: "heard" };
const closed: LiveInput = { type: "closed" };
const timer: LiveInput = { type: "timer" };
const status = (capturing: boolean | null): LiveInput => ({ type: "status", capturing });

describe("a closed live view", () => {
  it("asks for the capture status before anything else", () => {
    const { done } = run([start, opened, heard, closed]);
    expect(done.at(-1)).toEqual([{ type: "ask" }]);
  });

  it("waits for a capture without spending attempts, and connects at once when it is over", () => {
    const polls = Array.from({ length: 9 }, () => [status(true), timer]).flat();
    const { state, done } = run([start, opened, heard, closed, ...polls, status(false)]);
    expect(done.at(-1)).toEqual([{ type: "connect" }]);
    expect(state).toEqual({ name: "connecting", spent: 0 });
    expect(done.flat().filter((action) => action.type === "wait")).toEqual(polls.slice(9).map(() => ({ type: "wait", ms: POLL_MS })));
  });

  it("polls for thirty seconds and not once more", () => {
    const asks = POLL_LIMIT_MS / POLL_MS;
    const polls = (count: number) => Array.from({ length: count }, () => [status(true), timer]).flat();
    const last = run([start, opened, heard, closed, ...polls(asks), status(true)]);
    expect(last.state).toEqual({ name: "delayed", spent: 0, delay: RECONNECT_MS[0] });
    const before = run([start, opened, heard, closed, ...polls(asks - 1), status(true)]);
    expect(before.state.name).toBe("capturing");
  });

  it("makes five attempts with growing delays, then gives up; a person can start again", () => {
    const failed = [closed, status(null), timer];
    const { state, done } = run([start, opened, heard, ...RECONNECT_MS.flatMap(() => failed)]);
    const waits = done.flat().flatMap((action) => (action.type === "wait" ? [action.ms] : []));
    expect(waits).toEqual(RECONNECT_MS);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(state).toEqual({ name: "connecting", spent: 5 });
    const end = run([closed, status(false)], state);
    expect(end).toEqual({ state: { name: "given_up" }, done: [[{ type: "ask" }], []] });
    expect(run([start], end.state).state).toEqual({ name: "connecting", spent: 0 });
  });

  it("counts afresh with the first picture, not with the connection", () => {
    const lost: LiveState = { name: "connecting", spent: 4 };
    expect(run([opened], lost).state).toEqual({ name: "open", spent: 4 });
    expect(run([opened, heard], lost).state).toEqual({ name: "open", spent: 0 });
  });

  it("is left alone once nobody looks", () => {
    for (const late of [opened, heard, closed, timer, status(true), status(false)]) {
      expect(run([start, { type: "stop" }, late])).toEqual({ state: OFF, done: [[{ type: "connect" }], [{ type: "close" }], []] });
    }
  });
});

describe("whatever happens, in whatever order,", () => {
  const input: fc.Arbitrary<LiveInput> = fc.oneof(
    fc.constantFrom(start, opened, heard, closed, timer, { type: "stop" } as const),
    fc.constantFrom(true, false, null).map(status),
  );

  it("there is one connection at most, and one thing awaited", () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 200 }), (inputs) => {
        let state: LiveState = OFF;
        let connected = false;
        for (const next of inputs) {
          const [after, actions] = step(state, next);
          if (next.type === "closed") connected = false;
          expect(actions.length).toBeLessThanOrEqual(1);
          for (const action of actions) {
            if (action.type === "connect") {
              expect(connected).toBe(false);
              connected = true;
            }
            if (action.type === "close") connected = false;
          }
          expect(connected ? ["connecting", "open"] : ["off", "asking", "capturing", "delayed", "given_up"]).toContain(after.name);
          state = after;
        }
      }),
    );
  });

  it("no more than five attempts are made without a picture", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(opened, closed, timer, status(false), status(null)), { maxLength: 300 }), (inputs) => {
        const { done } = run([start, ...inputs]);
        expect(done.flat().filter((action) => action.type === "connect").length).toBeLessThanOrEqual(1 + RECONNECT_MS.length);
      }),
    );
  });
});
