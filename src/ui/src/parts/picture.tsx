/** An image of the daemon, which is asked for again if it fails to load. */

import { useEffect, useState } from "preact/hooks";

import { imageRetry } from "../policy/retry";
import { Icon } from "./icon";

type State = { name: "shown" } | { name: "waiting" } | { name: "missing" };

interface Props {
  src: string;
  alt: string;
  /** Which image it is, where another one can take its place at the same address. */
  version?: number;
  /** Where the object is, laid over it: what is not the object is dimmed. */
  mask?: string | undefined;
  eager?: boolean;
}

/** Each image has a count of its own. */
export function Picture(props: Props) {
  return (
    <>
      <Attempts key={`${props.src} ${props.version}`} {...props} />
      {props.mask !== undefined && <img class="mask" src={props.mask} alt="" loading={props.eager ? "eager" : "lazy"} decoding="async" />}
    </>
  );
}

function Attempts({ src, alt, version = 0, eager }: Props) {
  const [state, setState] = useState<State>({ name: "shown" });
  const [failures, setFailures] = useState(0);

  useEffect(() => {
    if (state.name !== "waiting") return;
    const delay = imageRetry(failures);
    if (delay === null) return setState({ name: "missing" });
    const timer = setTimeout(() => setState({ name: "shown" }), delay);
    return () => clearTimeout(timer);
  }, [state, failures]);

  const failed = () => {
    setFailures(failures + 1);
    setState({ name: "waiting" });
  };
  const again = () => {
    setFailures(0);
    setState({ name: "shown" });
  };

  switch (state.name) {
    case "shown": {
      // An address of its own, or the browser might remember another image, or that it failed.
      const address = version + failures === 0 ? src : `${src}#${version}.${failures}`;
      return <img class="picture" src={address} alt={alt} loading={eager ? "eager" : "lazy"} decoding="async" onError={failed} />;
    }
    case "waiting":
      return <span class="missing">Not loaded; trying again…</span>;
    case "missing":
      return (
        <span class="missing">
          This image could not be loaded: {alt}
          <button type="button" onClick={again}>
            <Icon name="again" />
            Try again
          </button>
        </span>
      );
  }
}
