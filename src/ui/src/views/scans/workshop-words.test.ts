import { expect, it } from "vitest";

import { isUnderWay, line, stateOf } from "./workshop-words";

it("says how a job stands, and whether it will stand otherwise", () => {
  const told = (state: Parameters<typeof line>[0]) => [stateOf(state).word, line(state, []), isUnderWay(state)];
  expect(told({ is: "waiting" })).toEqual(["waits", "It waits for a worker.", true]);
  expect(told({ is: "fetching", worker: "pc", bytes: 0, of_bytes: 0 })).toEqual(["in work", "pc fetches the scan.", true]);
  expect(told({ is: "fetching", worker: "pc", bytes: 5e6, of_bytes: 1e7 })).toEqual(["in work", "pc fetches the scan: 5.00\u202fMB of 10.0\u202fMB.", true]);
  expect(told({ is: "working", worker: "pc", said: "" })).toEqual(["in work", "pc reconstructs.", true]);
  expect(told({ is: "working", worker: "pc", said: "image 3 of 9" })).toEqual(["in work", "pc reconstructs: image 3 of 9", true]);
  expect(told({ is: "putting", worker: "pc" })).toEqual(["in work", "pc puts the result back.", true]);
  expect(told({ is: "done", worker: "pc", took_s: 720 })).toEqual(["done", "pc has made it, in 12\u202fmin.", false]);
  expect(told({ is: "done", worker: "pc", took_s: null })).toEqual(["done", "pc has made it.", false]);
  expect(told({ is: "failed", reason: "no model" })).toEqual(["failed", "It has failed: no model", false]);
  const failures = [{ worker: "pc", reason: "no model", log: null }];
  expect(line({ is: "failed", reason: "no model" }, failures)).toBe("It has failed as often as it may.");
  expect(line({ is: "failed", reason: "eight workers" }, failures)).toBe("It has failed: eight workers");
  expect(told({ is: "unknown", message: "it is damaged" })).toEqual(["not known", "it is damaged", false]);
});
