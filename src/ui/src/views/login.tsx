/** Who wants to use the rig has a token. */

import { useState } from "preact/hooks";

import { textOf } from "../api/client";
import { Icon } from "../parts/icon";
import { Note } from "../parts/parts";
import { logIn, refusedLink } from "../state/session";
import { Pair } from "./pair";

export function Login() {
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    logIn(token)
      .catch((error: unknown) => setError(textOf(error)))
      .finally(() => setBusy(false));
  };
  return (
    <main class="login">
      <div class="card stack">
        <h1 class="brand">
          <Icon name="scan" />
          scanner
        </h1>
        {refusedLink.value && <Note tone="bad">{refusedLink.value}</Note>}
        <form class="stack" onSubmit={submit}>
          <label class="field">
            <span>Token</span>
            <input
              type="password"
              name="token"
              autoComplete="current-password"
              autoCapitalize="none"
              spellcheck={false}
              autofocus
              required
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
          </label>
          {error && <Note tone="bad">{error}</Note>}
          <button type="submit" class="main" disabled={busy || token.trim() === ""}>
            {busy ? "Logging in…" : "Log in"}
          </button>
          <p class="dim small">
            On the scanner, <code class="mono">scanner open</code> prints a link that logs in, with a QR code for phones, and <code class="mono">scanner token</code> makes a token. This browser stays logged in until you log out, or do not use it for 30 days.
          </p>
        </form>
        <hr />
        <Pair />
      </div>
    </main>
  );
}
