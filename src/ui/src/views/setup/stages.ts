/** Where somebody is in the setup, and where it goes on. Pure. */

/** What of the setup decides it. */
export interface Course {
  questions: readonly { key: string }[];
  next?: string | null;
  trial?: object | null;
}

/** The machine, before the first question. */
export const MACHINE = "";
/** Its parts tried. */
export const TRY = "try";
/** What the answers make. */
export const FILE = "file";

/** All places that can be gone to, in their order. */
export function places({ questions, next, trial }: Course): string[] {
  const asked = [MACHINE, ...questions.map(({ key }) => key)];
  if (next != null) return asked;
  return [...asked, ...(trial == null ? [] : [TRY]), FILE];
}

/** The place where it goes on. */
export function open(course: Course): string {
  return course.next ?? (course.trial == null ? FILE : TRY);
}

/** The place that is shown for `wanted`, which may be none any more. */
export function shown(course: Course, wanted: string): string {
  return places(course).includes(wanted) ? wanted : open(course);
}

export function before(course: Course, at: string): string | null {
  const all = places(course);
  return all[all.indexOf(at) - 1] ?? null;
}

export function after(course: Course, at: string): string {
  const all = places(course);
  return all[all.indexOf(at) + 1] ?? open(course);
}

/** Cameras as an answer has them, each `driver:id`: of an answer, or of what is usual, which may be numbers of those found. */
export function camerasOf(text: string, found: readonly string[], simulated: string): string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  if (words[0] === "simulated") {
    return Array.from({ length: Number(words[1] ?? 1) || 1 }, (_, index) => `${simulated}:${index}`);
  }
  return words.map((word) => (/^\d+$/.test(word) ? (found[Number(word) - 1] ?? word) : word));
}
