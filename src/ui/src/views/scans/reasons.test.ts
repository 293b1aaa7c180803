import { expect, it } from "vitest";

import { reasonsOf } from "./reasons";

it("says each reason once, with those that most images share first", () => {
  const without = [
    { shot: 1, reason: "damaged" },
    { shot: 2, reason: null },
    { shot: 3, reason: "empty" },
    { shot: 4, reason: "empty" },
    { shot: 5 },
  ];
  expect(reasonsOf(without)).toEqual([
    { reason: "empty", shots: 2 },
    { reason: "damaged", shots: 1 },
  ]);
  expect(reasonsOf([])).toEqual([]);
});
