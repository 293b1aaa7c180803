import { expect, it } from "vitest";
import { deviceName } from "./device";

it("names browsers by what they say of themselves", () => {
  const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
  const agents = [
    [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/140.0.0.0 Safari/537.36`, "Chrome on Linux"],
    [`Mozilla/5.0 (Linux; Android 15; Pixel 9) ${webkit} Chrome/140.0.0.0 Mobile Safari/537.36`, "Chrome on Android"],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`, "Edge on Windows"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox on Mac"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"],
    ["curl/8.14.1", "Browser"],
    ["", "Browser"],
  ] as const;
  for (const [agent, name] of agents) expect(deviceName(agent)).toBe(name);
});
