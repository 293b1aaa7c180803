import { describe, expect, it } from "vitest";
import type { Numbered, Shot } from "../../api/types";
import { apply, mark, softLimits } from "./board";
import type { Board } from "./board";

const name = (shot: number) => ({ shot, point: 1 + Math.floor(shot / 2), label: `p${shot}`, camera: `cam${shot % 2}` });
const pending = (shot: number): Shot => ({ ...name(shot), attempts: 0, state: "pending" });
const board: Board = { shots: [0, 1, 2, 3].map(pending), point: 0 };
const told = { scan: "s", at: "2026-11-21T12:00:00Z", number: 1, type: "event" as const };
type Part<T> = T extends unknown ? Omit<T, keyof typeof told> : never;
const event = (part: Part<Numbered>) => ({ ...told, ...part }) as Numbered;
const stored = (shot: number, sharpness = 100) =>
  event({ event: "stored", shot: name(shot), image: `images/${shot}.jpg`, bytes: 9, sharpness, stored: 1, shots: 4 });
const after = (...events: Numbered[]) => events.reduce(apply, board);
const marks = (board: Board) => board.shots.map((shot) => mark(shot, softLimits(board.shots), board.point));

describe("a scan, as it happens", () => {
  it("shows the shots of the point as being taken, and each as stored once it is", () => {
    const moving = event({ event: "moving", point: 1, points: 2 });
    expect(marks(after(moving))).toEqual(["active", "active", "pending", "pending"]);
    expect(marks(after(moving, stored(1)))).toEqual(["active", "done", "pending", "pending"]);
  });

  it("tells a shot that took more than one attempt", () => {
    const failed = event({ event: "attempt_failed", shot: name(0), attempt: 1, kind: "timeout", message: "no frame" });
    const captured = event({ event: "captured", shot: name(0), attempt: 2 });
    expect(marks(after(failed, captured, stored(0)))[0]).toBe("retried");
  });

  it("shows a shot that failed, until it is stored after all; never the other way round", () => {
    const failed = event({ event: "shot_failed", shot: name(2), reason: "gone" });
    expect(after(failed).shots[2]).toMatchObject({ state: "failed", reason: "gone" });
    expect(after(failed, stored(2)).shots[2]).toMatchObject({ state: "done", image: "images/2.jpg" });
    expect(after(stored(2), failed).shots[2]?.state).toBe("done");
  });

  it("shows a shot that is wanted again as pending until it is stored anew", () => {
    const retake = event({ event: "retake", shot: name(0), stored: 0, shots: 4 });
    const captured = event({ event: "captured", shot: name(0), attempt: 2 });
    expect(marks(after(stored(0), retake))[0]).toBe("pending");
    expect(marks(after(stored(0), retake, captured, stored(0)))[0]).toBe("retried");
  });

  it("shows an image that is not like its neighbours, until another one is stored", () => {
    const findings = [{ kind: "darker" as const, value: 0.7, limit: 0.85, message: "darker than its neighbours by 30 %" }];
    const flagged = event({ event: "flagged", shot: name(0), findings, message: "darker", again: false });
    const retake = event({ event: "retake", shot: name(0), stored: 0, shots: 4 });
    expect(marks(after(stored(0), flagged))).toEqual(["flagged", "pending", "pending", "pending"]);
    expect(marks(after(stored(0), flagged, retake))[0]).toBe("pending");
    expect(marks(after(stored(0), flagged, retake, stored(0)))[0]).toBe("done");
    expect(marks(after(flagged))[0]).toBe("pending");
  });

  it("has nothing under way when it has paused", () => {
    const paused = event({ event: "paused", reason: "asked", waits_for: "person", wanted: true, stored: 0, shots: 4 });
    expect(marks(after(event({ event: "moving", point: 1, points: 2 }), paused))).toEqual(Array(4).fill("pending"));
  });

  it("leaves alone what is of no shot of the plan", () => {
    expect(after(stored(9))).toEqual(board);
  });
});

it("calls soft what is far below the usual of the same camera, once there is a usual", () => {
  const shots = Array.from({ length: 16 }, (_, index) => pending(index));
  const sharp = (count: number) => shots.slice(0, count).map((shot) => stored(shot.shot, shot.camera === "cam0" ? 100 : 10));
  const many = [...sharp(14), stored(14, 49), stored(15, 6)].reduce(apply, { shots, point: 0 });
  expect(marks(many).slice(12)).toEqual(["done", "done", "soft", "done"]);
  const few = [...sharp(4), stored(4, 1)].reduce(apply, { shots, point: 0 });
  expect(marks(few)[4]).toBe("done");
});
