// Browser journeys (浏览器走查): real pages, a real Chromium, a freshly made demo district, both databases.
//
// Guarantees: every journey starts from its own district and its own browser; a script from another host, a violated
// content policy or an error on the console fails it; screenshots of the pages stay behind.
// Deliberately absent: a test framework. A journey is a function; what it says is printed as it walks.
//
//   node tests-browser/run.mjs --program target/debug/huimin [--chromium PATH] [--postgres URL] [--shots DIR] [--only NAME]
//
// NAME is a part of a journey's name; `UX-06` is a number of docs/ux.md; `gallery` makes pictures of every page and is made only
// when named. `--base URL` walks in a demo that runs already, while one writes a check; what it finds there is not made afresh.

import { parseArgs } from "node:util";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Browser } from "./browser.mjs";
import { House } from "./house.mjs";
import { gallery } from "./gallery.mjs";
import { journeys } from "./journeys.mjs";
import { ux } from "./ux.mjs";

const { values: wish } = parseArgs({
  options: {
    program: { type: "string", default: "target/debug/huimin" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    postgres: { type: "string" },
    shots: { type: "string", default: "target/shots" },
    only: { type: "string" },
    people: { type: "string", default: "600" },
    base: { type: "string" },
  },
});

const engines = wish.postgres ? ["sqlite", "postgres"] : ["sqlite"];
const results = [];
const numbered = wish.only?.startsWith("UX-") ? wish.only : undefined;
const all = [...journeys, ux(numbered), gallery];

for (const engine of engines) {
  for (const journey of all) {
    if (journey.on && !journey.on.includes(engine)) continue;
    const name = `${journey.name} (${engine})`;
    if (numbered ? journey.name !== "ux" : wish.only ? !name.includes(wish.only) : journey.whenNamed) continue;
    console.log(`\n--- ${name}`);
    const shots = resolve(join(wish.shots, engine, journey.name));
    mkdirSync(shots, { recursive: true });
    const began = Date.now();
    let house, browser, fault;
    try {
      house = wish.base ? House.running(wish.base) : await House.start({ program: resolve(wish.program), engine, postgres: wish.postgres, people: wish.people, folder: shots });
      browser = await Browser.start({ chromium: wish.chromium, base: house.base, shots });
      await journey.walk({ house, browser, say: (text) => console.log(`    ${text}`) });
      browser.insistOnQuiet();
    } catch (error) {
      fault = error;
      if (browser) await browser.shootAll("failed");
      console.log(`FAILED ${name}: ${error.stack ?? error}`);
      if (house) console.log(`the server's last words:\n${house.lastWords()}`);
    } finally {
      if (browser) await browser.stop();
      if (house) await house.stop();
    }
    results.push({ name, seconds: (Date.now() - began) / 1000, ok: !fault });
  }
}

console.log("\njourney                                             result  time");
for (const { name, seconds, ok } of results) {
  console.log(`${name.padEnd(51)} ${ok ? "ok    " : "FAILED"}  ${seconds.toFixed(1)} s`);
}
if (results.length === 0) console.log(`no journey is called like “${wish.only}”`);
process.exit(results.length > 0 && results.every(({ ok }) => ok) ? 0 : 1);
