// Busy officers at once (多人同时办公): what each of them waits for, by what they do, while all of them work.
//
//   node bench/officers.mjs [--people 1000000] [--officers 50] [--seconds 60] [--program FILE] [--data DIR] [--database URL]
//
// Every officer looks, types for a second to three, and goes on: the first page, lists, the search box (name, pinyin, initials, end of
// the number, end of the telephone), households, people, cases; one act in seven writes: a fact with its source, or an application
// that saves itself. A folder that holds a whole district is used again; a million people take a while to make.
//
// Guarantees: an answer that is not what was asked for ends the run; the waiting of every kind is printed, never the best. The budget
// beside it is the one the makers of OpenCRVS publish for reading and writing. Deliberately absent: pictures and scripts, which a browser
// keeps.

import { parseArgs } from "node:util";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { at, hidden, serve } from "./desk.mjs";

const { values: wish } = parseArgs({
  options: {
    people: { type: "string", default: "1000000" },
    officers: { type: "string", default: "50" },
    seconds: { type: "string", default: "60" },
    program: { type: "string", default: "target/release/huimin" },
    data: { type: "string", default: "data/bench-officers" },
    database: { type: "string" },
    think: { type: "string", default: "2000" },
  },
});

const AIM = { read: 100, write: 200 };
const OPENCRVS = { read: 150, write: 300 };
const random = mulberry(20261123);
const one = (list) => list[Math.floor(random() * list.length)];

const words = ["--people", wish.people, "--data", wish.data];
if (wish.database) words.push("--database", wish.database);
const desk = await serve(wish.program, words);
console.log(`cores: ${availableParallelism()}, shared by the server and the load; ${wish.people} people, ${wish.database ? "PostgreSQL" : "SQLite"}; served after ${desk.seconds.toFixed(1)} s`);
let failed = false;
const sessions = {};
const taken = new Set();
try {
  const windows = desk.accounts().filter(({ login }) => /^(chuangkou|jiedao)/.test(login));
  const officers = [];
  for (let i = 0; i < Number(wish.officers); i++) officers.push(await officer(windows[i % windows.length]));
  const waited = new Map();
  // A first round of everything, so that what is read once is read.
  await Promise.all(officers.map((each) => work(each, Date.now() + 5000, new Map())));
  await Promise.all(officers.map((each) => work(each, Date.now() + 1000 * Number(wish.seconds), waited)));
  const all = { read: [], write: [] };
  console.log("\n| what | times | p50 ms | p95 ms | p99 ms |\n|---|--:|--:|--:|--:|");
  for (const [what, times] of [...waited].sort()) {
    all[what.startsWith("write") ? "write" : "read"].push(...times);
    row(what, times);
  }
  console.log(`| what | times | p95 ms | aim | budget of OpenCRVS |\n|---|--:|--:|--:|--:|`);
  for (const kind of ["read", "write"]) {
    const p95 = at(all[kind], 0.95);
    failed ||= p95 > AIM[kind];
    console.log(`| ${p95 > AIM[kind] ? "OVER " : ""}${kind}, ${wish.officers} officers | ${all[kind].length} | ${p95.toFixed(1)} | ${AIM[kind]} | ${OPENCRVS[kind]} |`);
  }
  console.log(`peak memory of the program: ${peak(desk.pid)} MiB`);
} finally {
  await desk.stop();
}
process.exit(failed ? 1 : 0);

function row(what, times) {
  console.log(`| ${what} | ${times.length} | ${[0.5, 0.95, 0.99].map((share) => at(times, share).toFixed(1)).join(" | ")} |`);
}

/** Signed in, with what there is to look at in the officer's own region, and an application begun. */
async function officer({ login, password }) {
  // An account has few sessions at a time: officers of one account share it.
  sessions[login] ??= desk.signIn(login, password);
  const cookie = await sessions[login];
  const me = { login, cookie, homes: [], people: [], cases: [], names: [], ends: [] };
  const from = 1 + Math.floor(random() * 20);
  const list = await read(me, `/households?page=${from}`);
  me.homes = found(list, /href="\/households\/([0-9a-f-]{36})"/g);
  if (me.homes.length === 0) me.homes = found(await read(me, "/households"), /href="\/households\/([0-9a-f-]{36})"/g);
  const home = await read(me, `/households/${me.homes[0]}`);
  me.people = found(home, /href="\/people\/([0-9a-f-]{36})/g);
  for (const id of me.homes.slice(1, 4)) me.people.push(...found(await read(me, `/households/${id}`), /href="\/people\/([0-9a-f-]{36})/g));
  me.cases = found(await read(me, "/cases"), /href="\/cases\/([0-9a-f-]{36})/g);
  me.names = [...list.matchAll(/[\u4e00-\u9fff]{2,3}(?=<)/g)].map(([name]) => name).filter((name) => name.length > 1);
  me.searches = [...["wang", "zhang", "wf", "lxm", "1234", "0021", "88", "zhangwei"], ...me.names];
  me.token = hidden(home).csrf ?? hidden(await read(me, "/apply")).csrf;
  // Nobody works on another's application here; what happens then is a test's business.
  const mine = me.homes.find((id) => !taken.has(id)) ?? me.homes[0];
  taken.add(mine);
  const begun = await write(me, "/drafts", { household: mine });
  me.draft = begun.location?.split("?")[0];
  return me;
}

/** Works until then. */
async function work(me, until, waited) {
  await pause(random() * Number(wish.think));
  while (Date.now() < until) {
    const [what, act] = choose(me);
    const began = process.hrtime.bigint();
    await act();
    const took = Number(process.hrtime.bigint() - began) / 1e6;
    if (!waited.has(what)) waited.set(what, []);
    waited.get(what).push(took);
    await pause(Number(wish.think) * (0.5 + random()));
  }
}

function choose(me) {
  const dice = random();
  if (dice < 0.1) return ["read first page", () => read(me, "/")];
  if (dice < 0.25) return ["read list of cases", () => read(me, `/cases?page=${1 + Math.floor(random() * 3)}`)];
  if (dice < 0.3) return ["read list of households", () => read(me, `/households?page=${1 + Math.floor(random() * 20)}`)];
  if (dice < 0.5) return ["read search", () => read(me, `/search?q=${encodeURIComponent(one(me.searches))}`)];
  if (dice < 0.65) return ["read household", () => read(me, `/households/${one(me.homes)}`)];
  if (dice < 0.75) return ["read person", () => read(me, `/people/${one(me.people)}`)];
  if (dice < 0.86) return me.cases.length ? ["read case", () => read(me, `/cases/${one(me.cases)}`)] : ["read list of cases", () => read(me, "/cases")];
  if (dice < 0.93) return ["write a fact", () => write(me, "/facts/new", { person: one(me.people), fact: "wage", value: String(1000 + Math.floor(random() * 4000)), month: "2026-05", source: "本人申报", number: "", from: "", until: "" })];
  return ["write an application, saving itself", () => save(me)];
}

async function read(me, path) {
  const answer = await desk.ask("GET", path, { cookie: me.cookie });
  if (answer.status !== 200) throw new Error(`${me.login} ${path}: ${answer.status} ${answer.location ?? ""}`);
  return answer.text;
}

async function write(me, path, given) {
  const body = new URLSearchParams([["csrf", me.token], ...(Array.isArray(given) ? given : Object.entries(given))]).toString();
  const answer = await desk.ask("POST", path, { body, cookie: me.cookie, origin: desk.origin });
  if (![200, 303].includes(answer.status)) throw new Error(`${me.login} ${path}: ${answer.status} ${answer.text.match(/<main[^>]*>([\s\S]*)/)?.[1].replace(/<[^>]*>/g, " ").replace(/\s+/g, " ").slice(0, 300)}`);
  return answer;
}

/** As the page does it: every field, with the version last read. */
async function save(me) {
  me.fields ??= fields(await read(me, me.draft));
  const answer = await write(me, `${me.draft}/save`, me.fields);
  const version = answer.text.match(/name="version" value="(\d+)"/);
  if (version) me.fields = me.fields.map(([name, value]) => [name, name === "version" ? version[1] : value]);
}

/** What a browser would send of a page's fields: the ticked ones and the typed ones. */
function fields(text) {
  const given = [];
  for (const [tag] of text.matchAll(/<input[^>]*>/g)) {
    const of = (name) => tag.match(new RegExp(` ${name}="([^"]*)"`))?.[1];
    const ticked = !["checkbox", "radio"].includes(of("type")) || / checked/.test(tag);
    if (of("name") && of("name") !== "csrf" && ticked) given.push([of("name"), of("value") ?? ""]);
  }
  return given;
}

function found(text, pattern) {
  return [...new Set([...text.matchAll(pattern)].map(([, id]) => id))];
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function peak(pid) {
  return Math.round(Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmHWM:\s+(\d+)/)[1]) / 1024);
}

/** A small generator of random numbers, so that two runs ask the same. */
function mulberry(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
