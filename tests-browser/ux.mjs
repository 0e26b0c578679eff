// The numbered page tests (编号页面检查): docs/ux.md says what each number promises, these hold it, in one district and one browser.
//
// Guarantees: every number of docs/ux.md that is said to be held here has its check, and each check stands there; a fault in one
// does not hide the next; the table at the end names each number. Deliberately absent: the second database, where it does not
// matter. `--only UX-06` runs the checks whose name begins so.

import { readFileSync } from "node:fs";
import { Room } from "./ux/room.mjs";
import { forms } from "./ux/forms.mjs";
import { keyboard } from "./ux/keyboard.mjs";
import { privacy } from "./ux/privacy.mjs";
import { reading } from "./ux/reading.mjs";
import { trouble } from "./ux/trouble.mjs";
import { wall } from "./ux/wall.mjs";
import { ways } from "./ux/ways.mjs";

export const checks = [...ways, ...reading, ...keyboard, ...forms, ...privacy, ...wall, ...trouble].toSorted((one, other) => Number(one.last ?? false) - Number(other.last ?? false));

/** A refused form and a page that is not there also show on the console; where that is the test, the status was compared. */
const EXPECTED = /status of (401|403|404|409|422|429)|ERR_INTERNET_DISCONNECTED|net::ERR_ABORTED/;

export const ux = (only) => ({
  name: "ux",
  on: ["sqlite"],
  async walk({ house, browser, say }) {
    const room = new Room({ house, browser, say });
    const wanted = checks.filter(({ name }) => !only || name.startsWith(only));
    const results = [];
    for (const { name, run } of wanted) {
      const began = Date.now();
      let fault;
      try {
        await run({ room, house, browser });
        browser.forgive(EXPECTED);
        browser.insistOnQuiet();
      } catch (error) {
        fault = error;
        say(`FAILED ${name}\n      ${String(error.stack ?? error).split("\n").slice(0, 45).join("\n      ")}`);
        await browser.shootAll(`failed-${name.slice(0, 5)}`);
      }
      browser.noises.length = 0;
      await room.tidy();
      results.push({ name, fault, seconds: (Date.now() - began) / 1000 });
    }
    for (const { name, fault, seconds } of results) say(`${fault ? "FAILED" : "ok    "} ${seconds.toFixed(1).padStart(6)} s  ${name}`);
    const failed = results.filter(({ fault }) => fault);
    if (failed.length > 0) throw new Error(`${failed.length} of ${results.length} numbered checks failed`);
    if (!only) compare();
  },
});

/** The page about the numbers and the checks say the same. */
function compare() {
  const page = readFileSync(new URL("../docs/ux.md", import.meta.url), "utf8");
  const promised = new Set([...page.matchAll(/`(UX-\d\d [^`]+)`/g)].map(([, name]) => name));
  const here = new Set(checks.map(({ name }) => name));
  const lost = [...promised].filter((name) => !here.has(name));
  const unsaid = [...here].filter((name) => !promised.has(name));
  if (lost.length + unsaid.length > 0) throw new Error(`docs/ux.md names what is not checked: ${lost.join("; ")}; does not name: ${unsaid.join("; ")}`);
}
