import { expect, it } from "vitest";

import { tagsOf } from "./tags";

it("tags are what stands between commas, without blanks and without nothing", () => {
  expect(tagsOf(" wood, of the museum ,, a,")).toEqual(["wood", "of the museum", "a"]);
  expect(tagsOf(" , ")).toEqual([]);
});
