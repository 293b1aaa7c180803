import { expect, it } from "vitest";

import { after, before, camerasOf, open, places, shown } from "./stages";

const questions = [{ key: "cameras" }, { key: "names" }];

it("goes from the machine through what is asked, and no farther", () => {
  const course = { questions, next: "names", trial: null };
  expect(places(course)).toEqual(["", "cameras", "names"]);
  expect([after(course, ""), after(course, "cameras"), before(course, "cameras"), before(course, "")]).toEqual(["cameras", "names", "", null]);
  // A link to what is not there any more leads to where it goes on.
  expect([shown(course, "cameras"), shown(course, "rig"), shown(course, "file")]).toEqual(["cameras", "names", "names"]);
});

it("tries what is real once all is answered, and ends with the file", () => {
  const real = { questions, next: null, trial: {} };
  const computed = { questions, next: null, trial: null };
  expect([open(real), after(real, "names"), after(real, "try"), before(real, "file")]).toEqual(["try", "try", "file", "try"]);
  expect([open(computed), after(computed, "names"), before(computed, "file")]).toEqual(["file", "file", "names"]);
});

it("knows cameras by whatever names them", () => {
  const found = ["libcamera:a", "gphoto2:b"];
  const of = (text: string) => camerasOf(text, found, "scanner-sim");
  expect(of("2 1")).toEqual(["gphoto2:b", "libcamera:a"]);
  expect(of("simulated 2")).toEqual(["scanner-sim:0", "scanner-sim:1"]);
  expect(of("simulated")).toEqual(["scanner-sim:0"]);
  expect(of("libcamera:a scanner-sim:0")).toEqual(["libcamera:a", "scanner-sim:0"]);
  expect(of("7")).toEqual(["7"]);
});
