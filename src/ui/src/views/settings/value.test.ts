import { expect, it } from "vitest";

import type { Setting } from "../../api/types";
import { editOf, generic, isFound, nameOf, shown, shownDefault, tableOf, valueOf } from "./value";

const setting = (part: Partial<Setting>): Setting => ({
  key: "scan.queue_depth",
  form: { kind: "whole_number" },
  wanted: "a whole number",
  value: 4,
  secret: false,
  default: "4",
  file: "scanner.toml",
  line: 3,
  changed_here: false,
  explanation: "Images that may wait.",
  reserved: null,
  ...part,
});

it("shows values as they are typed, and lists as such", () => {
  expect(shown(setting({}))).toBe("4");
  expect(shown(setting({ value: null }))).toBe("");
  expect(shown(setting({ value: ["0 mm", "4 mm"], form: { kind: "list" } }))).toBe('["0 mm","4 mm"]');
  expect([shownDefault('"10 s"'), shownDefault("92"), shownDefault(null)]).toEqual(["10 s", "92", ""]);
});

it("takes what is typed for what the key can have", () => {
  expect(valueOf("8", { kind: "whole_number" })).toBe(8);
  expect(valueOf("8", { kind: "text" })).toBe("8");
  expect(valueOf("eight", { kind: "number" })).toBe("eight");
  expect(valueOf("true", { kind: "truth" })).toBe(true);
  expect(valueOf('["a"]', { kind: "list" })).toEqual(["a"]);
  expect(valueOf("[a", { kind: "list" })).toBe("[a");
});

it("edits what differs, and an empty field is the default", () => {
  expect(editOf(setting({}), "4")).toBeNull();
  expect(editOf(setting({}), "5")).toEqual({ do: "set", key: "scan.queue_depth", value: 5 });
  expect(editOf(setting({}), "")).toEqual({ do: "take_away", key: "scan.queue_depth" });
  expect(editOf(setting({ changed_here: true }), "")).toEqual({ do: "unset", key: "scan.queue_depth" });
});

it("knows tables, names and what they are like", () => {
  expect([tableOf("camera.cam0.mount.height"), nameOf("camera.cam0.mount.height")]).toEqual(["camera.cam0.mount", "height"]);
  expect(["camera.cam0.mount", "motion.lift", "motion.settle", "gate"].map(generic)).toEqual(["camera.NAME.mount", "motion.AXIS", "motion.settle", "gate"]);
  expect([isFound(setting({}), "wait QUEUE"), isFound(setting({}), "wait lens")]).toEqual([true, false]);
});
