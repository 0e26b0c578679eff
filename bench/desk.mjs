// A demo district served for measuring (演示服务), and the way in: what every bench of the desk needs.
//
// Guarantees: no limit of requests a minute stands in the way; the program is stopped at the end. Deliberately absent: what is asked.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import http from "node:http";

/** Makes or reuses a district and serves it; `words` are further options of `huimin demo`. */
export async function serve(program, words) {
  const port = await freePort();
  const base = { host: "127.0.0.1", port };
  const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
  const began = Date.now();
  const limits = ["--evaluations-a-minute", "100000000", "--requests-a-minute", "100000000"];
  const server = spawn(program, ["--log", "warn", "demo", "--listen", `127.0.0.1:${port}`, ...limits, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  server.stdout.on("data", (bytes) => (said += bytes));

  function ask(method, path, { body, type, cookie, origin } = {}) {
    return new Promise((resolve, reject) => {
      const headers = {};
      if (body !== undefined) Object.assign(headers, { "content-type": type ?? "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) });
      if (cookie) headers.cookie = cookie;
      if (origin) Object.assign(headers, { origin, "sec-fetch-site": "same-origin" });
      const request = http.request({ ...base, method, path, headers, agent }, (answer) => {
        const pieces = [];
        answer.on("data", (piece) => pieces.push(piece));
        // Read as text only where somebody looks: the load shares its two cores with the server.
        answer.on("end", () => resolve({ status: answer.statusCode, location: answer.headers.location, cookies: answer.headers["set-cookie"] ?? [], get text() { return Buffer.concat(pieces).toString("utf8"); } }));
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  const origin = `http://127.0.0.1:${port}`;
  const desk = {
    port,
    origin,
    pid: server.pid,
    ask,
    /** The accounts the demo printed: lines `  login  password  …`. */
    accounts() {
      const lines = [...said.matchAll(/^\s+([a-z][a-z0-9]+)\s+(\S+)\s+\S/gm)];
      if (lines.length === 0) throw new Error(`no accounts in what the demo printed:\n${said}`);
      return lines.map(([, login, password]) => ({ login, password }));
    },
    async signIn(login, password) {
      const page = await ask("GET", "/sign-in");
      const jar = page.cookies.map((cookie) => cookie.split(";")[0]);
      // The page of a demo has forms with accounts of its own; what is given here counts.
      const form = new URLSearchParams({ ...hidden(page.text), login, password });
      const answer = await ask("POST", "/sign-in", { body: form.toString(), cookie: jar.join("; "), origin });
      if (answer.status !== 303) throw new Error(`signing in as ${login}: ${answer.status}`);
      return [...jar, ...answer.cookies.map((cookie) => cookie.split(";")[0])].join("; ");
    },
    async stop() {
      agent.destroy();
      server.kill("SIGTERM");
      await new Promise((resolve) => (server.exitCode === null ? server.on("exit", resolve) : resolve()));
    },
  };
  for (;;) {
    if (server.exitCode !== null) throw new Error(`the program ended with ${server.exitCode}`);
    const answer = await ask("GET", "/health").catch(() => undefined);
    if (answer?.status === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  desk.seconds = (Date.now() - began) / 1000;
  return desk;
}

/** The hidden fields of a page's forms. */
export function hidden(text) {
  return Object.fromEntries([...text.matchAll(/<input(?: id="[^"]*")? type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}

/** The time so large a share of the times is not above. */
export function at(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
