/** Settings of a camera as sliders have them: numbers, and places between 0 and 1. Pure. */

import type { Control, Controls } from "../../api/types";
import { amount, quantity } from "../../lib/quantity";

/** A setting that is one number. */
export type Knob = "focus" | "exposure" | "gain";

export interface Scale {
  min: number;
  max: number;
  /** Each step is a factor, not a difference. */
  logarithmic: boolean;
  /** The only values that there are, if not all are. */
  steps: readonly number[];
}

/** Longest exposure that a slider has: longer ones are for the configuration. */
const LONGEST_S = 2;

/** The slider of a setting that the camera has. */
export function scaleOf(controls: readonly Control[], name: string): Scale | null {
  const control = controls.find((control) => control.name === name);
  if (control?.domain !== "range") return null;
  const longest = name === "exposure" ? LONGEST_S : Infinity;
  const steps = (control.steps ?? []).filter((step) => step <= longest);
  const max = Math.min(longest, control.max);
  return { min: control.min, max, logarithmic: name !== "focus" && control.min > 0, steps };
}

/** How many places a slider has beside its first one. */
export function placesOf({ steps }: Scale): number {
  return steps.length > 1 ? steps.length - 1 : 1000;
}

/** Where on its slider a value is. */
export function placeOf({ min, max, logarithmic, steps }: Scale, value: number): number {
  if (steps.length > 1) return nearest(steps, value, logarithmic) / (steps.length - 1);
  const place = logarithmic ? Math.log(Math.max(min, value) / min) / Math.log(max / min) : (value - min) / (max - min);
  return Number.isFinite(place) ? Math.min(1, Math.max(0, place)) : 0;
}

/** What a place on a slider means. */
export function valueAt({ min, max, logarithmic, steps }: Scale, place: number): number {
  const step = steps.length > 1 ? steps[Math.round(place * (steps.length - 1))] : undefined;
  if (step !== undefined) return step;
  return logarithmic ? min * (max / min) ** place : min + (max - min) * place;
}

/** Which step is nearest to a value. */
function nearest(steps: readonly number[], value: number, logarithmic: boolean): number {
  const far = (step: number) => (logarithmic ? Math.abs(Math.log(step / value)) : Math.abs(step - value));
  return steps.reduce((best, step, index) => (far(step) < far(steps[best] ?? step) ? index : best), 0);
}

/** What a setting is set to; null if it is left to the camera. */
export function setTo(controls: Controls, knob: Knob): number | null {
  switch (knob) {
    case "focus":
      return controls.focus == null ? null : amount(controls.focus);
    case "exposure":
      return controls.exposure == null ? null : amount(controls.exposure);
    case "gain":
      return controls.gain ?? null;
  }
}

/** `controls` with one setting changed; with null it is as configured again. */
export function withKnob(controls: Controls, knob: Knob, value: number | null): Controls {
  const { [knob]: _, ...rest } = controls;
  if (value === null) return rest;
  switch (knob) {
    case "focus":
      return { ...rest, focus: quantity(Math.round(value * 100) / 100, "dpt") };
    case "exposure":
      return { ...rest, exposure: quantity(Number(value.toPrecision(3)), "s") };
    case "gain":
      return { ...rest, gain: Number(value.toPrecision(3)) };
  }
}

/** `controls` without one setting: it is as configured again. */
export function without(controls: Controls, name: keyof Controls): Controls {
  const { [name]: _, ...rest } = controls;
  return rest;
}

/** Settings as a camera's part of the configuration file has them. */
export function asConfiguration(controls: Controls): string {
  const value = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(decimal).join(", ")}]`;
    if (typeof value === "object" && value !== null) {
      const parts = Object.entries(value).map(([name, part]) => `${name} = ${decimal(part)}`);
      return `{ ${parts.join(", ")} }`;
    }
    return typeof value === "number" ? decimal(value) : JSON.stringify(value);
  };
  const lines = Object.entries(controls).filter(([, set]) => set != null);
  return ["[camera.controls]", ...lines.map(([name, set]) => `${name} = ${value(set)}`)].join("\n");
}

/** TOML tells whole numbers from others. */
function decimal(value: unknown): string {
  return Number.isInteger(value) ? `${Number(value)}.0` : String(value);
}
