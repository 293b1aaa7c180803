/** A change that is being typed, checked by the daemon as it stands, a moment after the last key. */

import { useEffect, useState } from "preact/hooks";

import { post } from "../../api/client";
import type { ConfigChange, ConfigChecked } from "../../api/types";
import { complain } from "../../state/notices";

/** A pause in typing. */
const PAUSE_MS = 250;

/** What the daemon says of `change`; null while it is not known. */
export function useCheck(change: ConfigChange | null): ConfigChecked | null {
  const [checked, setChecked] = useState<{ of: string; says: ConfigChecked } | null>(null);
  const of = JSON.stringify(change);
  useEffect(() => {
    if (change === null) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      post("/api/v1/configuration/check", { body: change, signal: abort.signal }).then(
        (says) => !abort.signal.aborted && setChecked({ of, says }),
        (error: unknown) => !abort.signal.aborted && complain(error),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [of]);
  return checked?.of === of ? checked.says : null;
}
