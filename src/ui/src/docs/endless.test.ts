import { expect, it } from "vitest";

import { isEndless } from "./endless";

it("knows answers that never end from those that do", () => {
  expect(isEndless({ responses: { 200: { content: { "text/event-stream": {} } } } })).toBe(true);
  expect(isEndless({ responses: { 200: { content: { "multipart/x-mixed-replace; boundary=frame": {} } } } })).toBe(true);
  expect(isEndless({ responses: { 101: {}, 426: {} } })).toBe(true);
  expect(isEndless({ responses: { 200: { content: { "application/json": {} } }, 503: {} } })).toBe(false);
  expect(isEndless({ responses: { 204: {} } })).toBe(false);
  expect(isEndless({})).toBe(false);
});
