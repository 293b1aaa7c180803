import { expect, it } from "vitest";
import { IMAGE_RETRY_MS, busyRetry, eventsRetry, imageRetry, loadRetry } from "./retry";

it("asks for an image again after 1, 2 and 4 s, and then no more", () => {
  expect([1, 2, 3, 4].map(imageRetry)).toEqual([...IMAGE_RETRY_MS, null]);
});

it("asks a busy rig again once, when it says", () => {
  expect(busyRetry(1, 2.4)).toBe(2.4);
  expect(busyRetry(1, undefined)).toBe(1);
  expect(busyRetry(1, 0)).toBe(0.1);
  expect(busyRetry(2, 2.4)).toBeNull();
});

it("does not make a person wait for minutes", () => {
  expect(busyRetry(1, 60)).toBe(60);
  expect(busyRetry(1, 61)).toBeNull();
});

it("goes on joining the events, at most every ten seconds", () => {
  expect([1, 2, 3, 5, 6, 100].map(eventsRetry)).toEqual([500, 1000, 2000, 8000, 10_000, 10_000]);
});

it("asks again for what a daemon that is away or busy did not give, and for nothing that was refused", () => {
  expect([0, 429, 502, 503, 504].map((status) => loadRetry(1, status, undefined))).toEqual([500, 500, 500, 500, 500]);
  expect([400, 401, 403, 404, 409, 410, 500].map((status) => loadRetry(1, status, undefined))).toEqual(Array(7).fill(null));
  expect(loadRetry(3, 503, undefined)).toBe(2000);
  expect(loadRetry(1, 429, 7)).toBe(7000);
});
