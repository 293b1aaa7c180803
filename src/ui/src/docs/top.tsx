/** Above the document: the way back to the page, and who is logged in, which decides what can be tried. */

import { useState } from "preact/hooks";

import { BASE } from "../api/base";
import { textOf } from "../api/client";
import { logIn, session } from "../state/session";

export function Top() {
  const user = session.value;
  return (
    <>
      <a class="back" href={`${BASE}/system`}>
        scanner
      </a>
      <h1>API</h1>
      <a class="by" href={`${BASE}/docs-licences.txt`}>
        by Swagger UI
      </a>
      {user === null && <LogIn />}
      {user !== null && user !== "asking" && <span class="who">Logged in with token {user.name}</span>}
    </>
  );
}

function LogIn() {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string | null>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    setError(null);
    logIn(token).catch((error: unknown) => setError(textOf(error)));
  };
  return (
    <form onSubmit={submit}>
      <label>
        <span>Log in to try routes</span>
        <input
          type="password"
          name="token"
          placeholder="Token"
          autoComplete="current-password"
          autoCapitalize="none"
          spellcheck={false}
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Log in</button>
      {error && <p role="alert">{error}</p>}
    </form>
  );
}
