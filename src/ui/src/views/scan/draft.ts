/** A plan as it is being filled in: texts, until they are numbers. Pure. */

import type { InlinePlan } from "../../api/types";
import { amount, quantity } from "../../lib/quantity";

type Shape = "cylinder" | "ring" | "sphere";

export interface Draft {
  shape: Shape;
  angles: string;
  heights: string;
  height: string;
  tilt: string;
  points: string;
  min_tilt: string;
  max_tilt: string;
  distribution: "fibonacci" | "rings";
  rings: string;
  focus: string;
  bracket: string;
  order: "fastest" | "given";
  /** Of a sphere whose points are spread evenly; kept as the plan has it. */
  travel: "given" | "least";
}

export type Field = Exclude<keyof Draft, "shape" | "distribution" | "order" | "travel">;

/** What a field holds: a count of things, or one or more quantities. */
type Kind = { of: "count"; hint: string } | { of: "quantity" | "list"; unit: "mm" | "deg" | "dpt" | "EV" };

export const FIELDS: Record<Field, Kind & { label: string }> = {
  angles: { label: "Angles", of: "count", hint: "a turn" },
  heights: { label: "Heights", of: "list", unit: "mm" },
  height: { label: "Height", of: "quantity", unit: "mm" },
  tilt: { label: "Tilt", of: "quantity", unit: "deg" },
  points: { label: "Points", of: "count", hint: "in all" },
  min_tilt: { label: "Lowest tilt", of: "quantity", unit: "deg" },
  max_tilt: { label: "Highest tilt", of: "quantity", unit: "deg" },
  rings: { label: "Rings", of: "count", hint: "" },
  focus: { label: "Lens positions", of: "list", unit: "dpt" },
  bracket: { label: "Exposures", of: "list", unit: "EV" },
};

export const FRESH: Draft = {
  shape: "cylinder",
  angles: "36",
  heights: "0",
  height: "0",
  tilt: "0",
  points: "144",
  min_tilt: "0",
  max_tilt: "60",
  distribution: "fibonacci",
  rings: "6",
  focus: "",
  bracket: "",
  order: "fastest",
  travel: "given",
};

/** Which fields a shape has. */
export function fieldsOf(draft: Draft): readonly Field[] {
  switch (draft.shape) {
    case "cylinder":
      return ["angles", "heights", "focus", "bracket"];
    case "ring":
      return ["angles", "height", "tilt", "focus", "bracket"];
    case "sphere":
      return draft.distribution === "rings"
        ? ["points", "rings", "min_tilt", "max_tilt", "focus", "bracket"]
        : ["points", "min_tilt", "max_tilt", "focus", "bracket"];
  }
}

/** Whether a plan without it takes one image as configured. */
export function mayBeEmpty(field: Field): boolean {
  return field === "focus" || field === "bracket";
}

/** A plan of the configuration, to be changed; none of one that is a list of points. */
export function draftOf(plan: InlinePlan): Draft | null {
  if (plan.shape === "list") return null;
  const text = (value: number | null | undefined, otherwise: string) => (value == null ? otherwise : String(value));
  const figure = (value: string | null | undefined, otherwise: string) => (value == null ? otherwise : text(amount(value), otherwise));
  const list = (values: readonly string[] | null | undefined, otherwise: string) => values?.map(amount).join(", ") ?? otherwise;
  return {
    shape: plan.shape,
    angles: text(plan.angles, FRESH.angles),
    heights: list(plan.heights, FRESH.heights),
    height: figure(plan.height, FRESH.height),
    tilt: figure(plan.tilt, FRESH.tilt),
    points: text(plan.points, FRESH.points),
    min_tilt: figure(plan.min_tilt, FRESH.min_tilt),
    max_tilt: figure(plan.max_tilt, FRESH.max_tilt),
    distribution: plan.distribution ?? FRESH.distribution,
    rings: text(plan.rings, FRESH.rings),
    focus: list(plan.focus, ""),
    bracket: list(plan.bracket, ""),
    order: plan.order ?? FRESH.order,
    travel: plan.travel ?? FRESH.travel,
  };
}

/** The plan that a draft is, or what is wrong with it. */
export function planOf(draft: Draft): InlinePlan | string {
  const plan: InlinePlan = { shape: draft.shape, order: draft.order };
  if (draft.shape === "sphere") plan.distribution = draft.distribution;
  if (draft.shape === "sphere" && draft.distribution === "fibonacci" && draft.travel === "least") plan.travel = draft.travel;
  for (const field of fieldsOf(draft)) {
    const kind = FIELDS[field];
    const text = draft[field].trim();
    if (mayBeEmpty(field) && text === "") continue;
    const parts = kind.of === "list" ? text.split(/[\s,;]+/) : [text];
    const numbers = parts.map((part) => (part === "" ? NaN : Number(part)));
    if (!numbers.every((number) => Number.isFinite(number) && (kind.of !== "count" || (Number.isInteger(number) && number > 0)))) {
      return `${kind.label}: ${EXPECTED[kind.of]}`;
    }
    const values = numbers.map((number) => (kind.of === "count" ? number : quantity(number, kind.unit)));
    Object.assign(plan, { [field]: kind.of === "list" ? values : values[0] });
  }
  return plan;
}

const EXPECTED = {
  count: "a whole number above zero",
  quantity: "a number",
  list: "numbers, separated by commas",
};
