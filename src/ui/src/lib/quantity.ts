/** Quantities as the API writes them: a number and its unit. Pure. */

/** Each unit of the API and its factor to the one in which this page reckons: deg, mm, dpt, EV, s. */
const FACTORS: Record<string, number> = {
  deg: 1,
  "°": 1,
  rad: 180 / Math.PI,
  mm: 1,
  cm: 10,
  m: 1000,
  um: 1e-3,
  µm: 1e-3,
  dpt: 1,
  EV: 1,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  min: 60,
  h: 3600,
};

/** The number of a quantity in degrees, millimetres, dioptres, stops or seconds; 0 of what is none. */
export function amount(quantity: string | null | undefined): number {
  const [number = "", unit = ""] = (quantity ?? "").trim().split(/\s+/);
  const value = Number(number) * (FACTORS[unit] ?? NaN);
  return Number.isFinite(value) ? value : 0;
}

/** `value` of `unit` as the API takes it. */
export function quantity(value: number, unit: "deg" | "mm" | "dpt" | "EV" | "s"): string {
  return `${Number(value.toPrecision(9))} ${unit}`;
}
