import { MARKS, MARK_WORDS, SOFT } from "./board";
import type { Mark } from "./board";

const TITLES: Partial<Record<Mark, string>> = {
  soft: `Sharpness below ${SOFT * 100} % of what is usual for its camera`,
  flagged: "Blurred, brighter, darker, clipped, a duplicate, or with the lens elsewhere: select it to read what",
};

/** What the marks mean, and how many there are of each. */
export function Legend({ marks }: { marks: readonly Mark[] }) {
  return (
    <ul class="legend">
      {MARKS.map((mark) => {
        const count = marks.filter((other) => other === mark).length;
        const title = TITLES[mark];
        return (
          <li key={mark} title={title} class={count === 0 ? "dim" : undefined}>
            <i class={`cell ${mark}`} />
            {MARK_WORDS[mark]} <b>{count}</b>
          </li>
        );
      })}
    </ul>
  );
}
