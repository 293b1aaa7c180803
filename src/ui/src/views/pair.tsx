/** To be let in without a token, by holding the rig's start button. */

import { useEffect, useState } from "preact/hooks";

import { deviceName } from "../lib/device";
import { Do, Note } from "../parts/parts";
import { awaitPairing, beginPairing, giveUp, pairing, refusal } from "../state/pairing";

export function Pair() {
  const [name, setName] = useState(() => deviceName(navigator.userAgent));
  const waiting = pairing.value;
  const secret = waiting?.secret;
  useEffect(() => (secret === undefined ? undefined : awaitPairing()), [secret]);
  if (waiting) {
    return (
      <section class="stack" aria-label="Pairing" aria-live="polite">
        <p>
          The code of this browser: <strong>{waiting.code}</strong>
        </p>
        {waiting.button ? (
          <Note>
            <strong>Hold the start button of the rig for {waiting.hold} seconds, then let go.</strong> Its light goes out
            briefly, twice a second, while it waits. A short press begins a scan instead; stop refuses.
          </Note>
        ) : (
          <Note tone="warn">
            <strong>Others ask as well, or did a moment ago, so the button lets in nobody.</strong> At the rig,{" "}
            <code>scanner pair {waiting.code}</code> lets this browser in; <code>scanner status</code> shows who asks. Stop
            refuses all.
          </Note>
        )}
        <p class="dim small">
          The rig will know this browser as <b>{waiting.name}</b>.{" "}
          {waiting.left !== null && <span aria-live="off">It waits for {Math.ceil(waiting.left)} s.</span>}
        </p>
        <Do does={giveUp}>Cancel</Do>
      </section>
    );
  }
  return (
    <form
      class="stack"
      aria-label="Pairing"
      onSubmit={(event) => {
        event.preventDefault();
        void beginPairing(name);
      }}
    >
      <label class="field">
        <span>Name of this browser</span>
        <input
          type="text"
          name="device"
          autoComplete="off"
          maxLength={64}
          pattern="[A-Za-z0-9._ \-]+"
          title="letters, digits, dots, hyphens, underscores and spaces"
          required
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      {refusal.value !== null && <Note tone="bad">{refusal.value}</Note>}
      <button type="submit" disabled={name.trim() === ""}>
        Pair with the rig
      </button>
      <p class="dim small">Without a token: a button of the rig is held to let this browser in.</p>
    </form>
  );
}
