// The gallery (页面图集): a picture of every page in four modes, for people to look at.
//
//   node tests-browser/run.mjs --program target/debug/huimin --only gallery
//
// Guarantees: the pages are those of the numbered checks, found by links; the files lie in the folder of the shots, one a page
// and mode. Deliberately absent: comparison with earlier pictures.

import { join } from "node:path";
import { findPages } from "./ux/round.mjs";
import { Room } from "./ux/room.mjs";

const MODES = [
  { mode: "light", width: 1440, height: 900, scheme: "light" },
  { mode: "dark", width: 1440, height: 900, scheme: "dark" },
  { mode: "elder", width: 1280, height: 900, scheme: "light", elder: true },
  { mode: "phone", width: 390, height: 844, scheme: "light" },
];

export const gallery = {
  name: "gallery",
  on: ["sqlite"],
  whenNamed: true,
  async walk({ house, browser, say }) {
    const room = new Room({ house, browser, say });
    const { pages } = await findPages(room);
    const windows = new Map();
    for (const { pattern, path, login } of pages) {
      if (!windows.has(login)) windows.set(login, login ? await room.officer(login) : await room.visitor());
      const { page } = windows.get(login);
      await page.goto(path);
      for (const { mode, width, height, scheme, elder } of MODES) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
        await page.evaluate((elder) => (elder ? document.documentElement.setAttribute("data-size", "elder") : document.documentElement.removeAttribute("data-size")), elder ?? false);
        const file = `${pattern === "/" ? "home" : pattern.replaceAll(/[^\w]+/g, "-").replaceAll(/^-|-$/g, "")}-${mode}.png`;
        await page.screenshot({ path: join(browser.shots, file), fullPage: true });
      }
    }
    // What stands behind a link and is not for this role.
    browser.forgive(/status of (403|404)/);
    say(`${pages.length} pages in ${MODES.length} modes: ${browser.shots}`);
  },
};
