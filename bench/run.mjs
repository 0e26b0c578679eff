// The house measured (基准测试): what one waits for, on this machine, with how it was measured beside each figure.
//
// Guarantees: release program, a demo district of its own, warmed up; prints medians and tails, never the best run.
// Deliberately absent: comparisons with numbers from other machines.
//
// The load on the API comes from wrk (Debian's package): a load written here would spend more of the two cores than the server.
//
//   node bench/run.mjs [--people 20000] [--program FILE] [--seconds 10] [--clients 8]

import { parseArgs } from "node:util";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { at, serve } from "./desk.mjs";

const { values: wish } = parseArgs({
  options: {
    people: { type: "string", default: "20000" },
    program: { type: "string" },
    seconds: { type: "string", default: "10" },
    clients: { type: "string", default: "8" },
  },
});

const figures = [];
const note = (what, value, unit, aim, how) => {
  const over = aim !== undefined && value > aim;
  figures.push({ what, value, unit, aim, over });
  console.log(`${over ? "OVER " : "     "}${what}: ${value.toFixed(unit === "µs" ? 1 : 2)} ${unit}${aim === undefined ? "" : ` (aim ${aim} ${unit})`} — ${how}`);
};

console.log(`cores: ${availableParallelism()}, shared by the server and the load`);

let program = wish.program;
if (!program) {
  execFileSync("cargo", ["build", "--release", "--package", "huimin"], { stdio: "inherit" });
  const metadata = JSON.parse(execFileSync("cargo", ["metadata", "--format-version", "1", "--no-deps"]));
  program = join(metadata.target_directory, "release", "huimin");
  const printed = execFileSync("cargo", ["bench", "--package", "huimin", "--bench", "determination"], { encoding: "utf8" });
  const [one, all] = printed.trim().split("\n").slice(-2).map((line) => JSON.parse(line));
  note("one determination of dibao", one.median_us, "µs", 50, `in process, every condition, article and sentence, median of ${one.households} batches of one household`);
  note("all programmes at once", all.median_us, "µs", undefined, `in process, ${all.determinations} determinations, median of ${all.households} batches of one household`);
}

const data = mkdtempSync(join(tmpdir(), "huimin-bench-"));
const desk = await serve(program, ["--fresh", "--people", wish.people, "--data", data]);

try {
  note(`demo of ${wish.people} people made and serving`, desk.seconds, "s", undefined, "from starting the program to its first answer");

  const sheet = JSON.parse(readFileSync(new URL("./household.json", import.meta.url), "utf8"));
  // One programme has the aim; all of them at once are an answer of hundreds of kilobytes and are told beside it.
  for (const [name, programmes, aim] of [["dibao", ["dibao"], 10], ["all programmes", undefined, undefined]]) {
    const body = JSON.stringify({ as_of: "2026-08-01", ...sheet, programmes });
    const first = await desk.ask("POST", "/api/v1/evaluate", { body, type: "application/json" });
    if (first.status !== 200) throw new Error(`evaluate: ${first.status} ${first.text.slice(0, 300)}`);
    load(2, body);
    const { p50, p99, requests, rate } = load(Number(wish.seconds), body);
    const how = `${requests} requests, ${rate.toFixed(0)} a second, ${wish.clients} keep-alive clients, ${(first.text.length / 1024).toFixed(0)} KiB an answer`;
    note(`POST /api/v1/evaluate, ${name}, p50`, p50, "ms", undefined, how);
    note(`POST /api/v1/evaluate, ${name}, p99`, p99, "ms", aim, how);
  }

  for (const { login, password } of desk.accounts()) {
    const cookie = await desk.signIn(login, password);
    const times = [];
    for (let i = 0; i < 220; i++) {
      const began = process.hrtime.bigint();
      const answer = await desk.ask("GET", "/", { cookie });
      if (answer.status !== 200 || !answer.text.includes('class="desk"')) throw new Error(`home of ${login}: ${answer.status} ${answer.location ?? ""} is not the desk`);
      if (i >= 20) times.push(Number(process.hrtime.bigint() - began) / 1e6);
    }
    note(`home page of ${login} p95`, at(times, 0.95), "ms", 100, `200 requests one after the other, ${wish.people} people`);
  }
} finally {
  await desk.stop();
  rmSync(data, { recursive: true, force: true });
}
process.exit(figures.some(({ over }) => over) ? 1 : 0);

/** Asks the API for some seconds, every client as soon as it is answered; milliseconds of what was waited. */
function load(seconds, body) {
  const script = join(data, "evaluate.lua");
  const long = (text) => `[==[${text}]==]`;
  writeFileSync(script, `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = ${long(body)}\n`);
  const url = `${desk.origin}/api/v1/evaluate`;
  const said = wrk("-t1", `-c${wish.clients}`, `-d${seconds}s`, "--latency", "-s", script, url);
  const failed = said.match(/Non-2xx or 3xx responses: (\d+)|Socket errors: (.+)/);
  if (failed) throw new Error(`evaluate under load: ${failed[0]}`);
  const waited = (share) => {
    const [, value, unit] = said.match(new RegExp(`^\\s+${share}%\\s+([\\d.]+)(us|ms|s)$`, "m"));
    return Number(value) * { us: 0.001, ms: 1, s: 1000 }[unit];
  };
  const [, requests] = said.match(/(\d+) requests in/);
  const [, rate] = said.match(/Requests\/sec:\s+([\d.]+)/);
  return { p50: waited(50), p99: waited(99), requests: Number(requests), rate: Number(rate) };
}

function wrk(...words) {
  try {
    return execFileSync("wrk", words, { encoding: "utf8" });
  } catch (fault) {
    if (fault.code !== "ENOENT") throw fault;
    execFileSync("apt-get", ["install", "--yes", "--quiet", "wrk"], { stdio: "inherit" });
    return execFileSync("wrk", words, { encoding: "utf8" });
  }
}
