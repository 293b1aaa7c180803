/** Numbers with their units, as people read them. Figures stay apart from units by a narrow space that does not break. */

const THIN = "\u202f";

export function unit(value: string, name: string): string {
  return `${value}${THIN}${name}`;
}

export function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  // Not "-0.0".
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "\u2212");
}

/** Three significant figures, without an exponent. */
export function figures(value: number): string {
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(3));
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  return fixed(Math.abs(value) < 1000 ? rounded : value, Math.min(digits, 6));
}

export function exposure(seconds: number): string {
  if (seconds < 0.001) return unit(figures(seconds * 1e6), "µs");
  if (seconds < 1) return unit(figures(seconds * 1e3), "ms");
  return unit(figures(seconds), "s");
}

export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let index = 0;
  while (value >= 999.5 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return unit(index === 0 ? String(value) : figures(value), units[index] ?? "B");
}

export function percent(part: number, digits = 1): string {
  return unit(fixed(part * 100, digits), "%");
}

/** 4:07, or 1:04:07. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** About how long: 40 s, 12 min, 2 h 05 min. */
export function about(seconds: number): string {
  if (seconds < 90) return unit(String(Math.max(0, Math.round(seconds))), "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return unit(String(minutes), "min");
  return `${unit(String(Math.floor(minutes / 60)), "h")} ${unit(String(minutes % 60).padStart(2, "0"), "min")}`;
}

const pad = (value: number) => String(value).padStart(2, "0");

/** 14:05:59, of the browser's time zone. */
export function time(at: string | Date): string {
  const date = new Date(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** 2026-11-21 14:05, of the browser's time zone. */
export function dateTime(at: string | Date): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** "1 shot", "2 shots". */
export function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

/** Words of the API as people read them. */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}
