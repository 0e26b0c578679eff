// The round (巡页): every page of the table of endpoints is found as an officer finds it, by links, and measured once in every mode.
//
// Guarantees: a page of docs/approved/endpoints.md that no role reaches by a link from the rail is named; nothing is measured
// twice. Deliberately absent: files (PDF, spreadsheets) and what programs read; pages that only an act opens are begun in `seeds`.

import { readFileSync } from "node:fs";
import { axe, overflow } from "../looks.mjs";
import { leave } from "../desk.mjs";
import { helpAtTheFoot, letters, shades, targets } from "./sight.mjs";

/** Files and answers for programs, which are no pages. */
const NO_PAGE = /\/(export|file|pdf|template|card|form)$|\.pdf$|^\/letters\/|^\/(assets|evidence|files|health|metrics)\b|^\/api\//;
const ROLES = [undefined, "chuangkou", "qushen", "jiedao", "caiwu", "shenji", "guanli", "guize"];
/** What another mode can change; the other rules look at the document, which is the same. */
const COLOURS = ["color-contrast", "link-in-text-block"];
const LAYOUT = ["color-contrast", "target-size", "scrollable-region-focusable"];

/** What can be fetched, as the table of endpoints lists it. */
function fetched() {
  const table = readFileSync(new URL("../../docs/approved/endpoints.md", import.meta.url), "utf8");
  return [...table.matchAll(/^\| GET \| `([^`]+)`/gm)].map(([, path]) => path);
}

function matcher(all) {
  const rules = all.map((pattern) => ({ pattern, shape: new RegExp(`^${pattern.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`), named: (pattern.match(/\{/g) ?? []).length }));
  rules.sort((one, other) => one.named - other.named);
  return (path) => rules.find(({ shape }) => shape.test(path))?.pattern;
}

/** Find one address for each page: `[{ pattern, path, login }]`, and the patterns nobody reached. */
export async function findPages(room) {
  const all = fetched().filter((path) => !NO_PAGE.test(path));
  const patternOf = matcher(fetched());
  const found = new Map();
  // Behind a form of their own, which no link shows.
  const seeds = { chuangkou: [await begun(room), `/search?q=${encodeURIComponent("梁")}`, "/notifications", "/duplicates/homes"], guize: [await ruleDraft(room)], caiwu: ["/pay-lines"] };
  for (const login of ROLES) {
    const person = login ? await room.officer(login) : await room.visitor();
    const queue = ["/", ...(login ? ["/account", ...(seeds[login] ?? [])] : ["/sign-in", "/style", "/rate"])];
    const seen = new Set();
    for (let path = queue.shift(); path; path = queue.shift()) {
      const bare = path.split("?")[0];
      const pattern = patternOf(bare);
      if (!pattern || NO_PAGE.test(pattern) || seen.has(pattern)) continue;
      seen.add(pattern);
      // The first page of a signed-in officer is another one than the public's.
      const key = bare === "/" && login ? `/ (${login})` : pattern;
      if (found.has(key) && !(bare === "/")) {
        // Known already; its links are not, to this role, unless it is a single thing.
        if (pattern.includes("{")) continue;
      }
      const answer = await person.page.goto(path);
      if (!answer.ok()) continue;
      if (!found.has(key)) found.set(key, { pattern: key, path, login });
      const links = await person.page.locator("nav.rail a[href], main a[href], footer a[href]").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
      queue.push(...links.filter((href) => href.startsWith("/")));
    }
    await person.page.context().close();
  }
  const reached = new Set([...found.values()].map(({ path }) => patternOf(path.split("?")[0])));
  return { pages: [...found.values()], missed: all.filter((pattern) => !reached.has(pattern)) };
}

/** An application begun, so that the form and its check are there. */
async function begun(room) {
  const person = await room.officer("chuangkou");
  const draft = await room.draft(person, 3);
  await person.page.context().close();
  return draft;
}

/** A rule changed in a draft, so that drafts have a page. */
async function ruleDraft(room) {
  const person = await room.officer("guize");
  const { page } = person;
  await person.goes("/rules");
  const rule = await page.locator('main a[href^="/rules/"][href*="old_age_allowance"]').first().getAttribute("href");
  await person.goes(`${rule}/edit`);
  const form = page.locator('form[action$="/value"]');
  await form.locator("[name=parameter]").selectOption("old_age_rates");
  await form.locator("[name=from]").fill("2032-01-01");
  await form.locator("[name=value]").fill("{ 80 = 12000, 90 = 22000, 100 = 32000 }");
  await form.locator("[name=source]").fill("演示〔2026〕7号");
  await leave(person, () => form.locator("button[type=submit]").click());
  const draft = await page.locator('#check a[href^="/rules/drafts/"]').getAttribute("href");
  await person.page.context().close();
  return draft;
}

/** One look at everything: `[{ pattern, path, login, light, dark, … }]`, each a list of faults. */
export async function round(room) {
  const { pages, missed } = await room.once("pages", () => findPages(room));
  room.say(`${pages.length} pages found; not reached by links: ${missed.join(" ") || "none"}`);
  const windows = new Map();
  const looks = [];
  for (const found of pages) {
    if (!windows.has(found.login)) windows.set(found.login, found.login ? await room.officer(found.login) : await room.visitor());
    const { page } = windows.get(found.login);
    looks.push({ ...found, ...(await look(page, found.path)) });
  }
  for (const person of windows.values()) await person.page.context().close();
  return { looks, missed };
}

/** One page in every mode. The modes are switches on the root and on the window, so it is fetched once. */
async function look(page, path) {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: "light", media: "screen", reducedMotion: "reduce" });
  await page.goto(path);
  const seen = { light: await axe(page), targets: await targets(page, false), help: await helpAtTheFoot(page) };
  seen.elderEntry = await page.evaluate(() => {
    const box = document.querySelector(".switches button[name=size]")?.getBoundingClientRect();
    return Boolean(box) && box.width > 0 && box.bottom <= innerHeight;
  });
  await page.emulateMedia({ colorScheme: "dark" });
  seen.dark = await axe(page, COLOURS);
  seen.darkShades = await shades(page);
  await page.emulateMedia({ media: "print" });
  seen.print = await shades(page);
  await page.emulateMedia({ colorScheme: "light", media: "screen" });
  // 200 % zoom of 1440×900 is a window of 720×450 CSS pixels.
  await page.setViewportSize({ width: 720, height: 450 });
  seen.zoom = [...(await overflow(page)), ...(await axe(page, LAYOUT))];
  await page.setViewportSize({ width: 320, height: 640 });
  seen.narrow = await overflow(page);
  await page.evaluate(() => document.documentElement.setAttribute("data-size", "elder"));
  await page.setViewportSize({ width: 390, height: 844 });
  seen.elder = [...(await overflow(page)), ...(await axe(page, LAYOUT))];
  seen.letters = await letters(page);
  seen.elderTargets = await targets(page, true);
  return seen;
}
