// The picture of the READMEs (说明文档的截图): the widow's form with the rule book beside it, taken from the demo.
//
//   node tests-browser/picture.mjs --program target/release/huimin

import { parseArgs } from "node:util";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Browser } from "./browser.mjs";
import { leave, signIn } from "./desk.mjs";
import { House } from "./house.mjs";

const { values: wish } = parseArgs({
  options: {
    program: { type: "string", default: "target/debug/huimin" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    to: { type: "string", default: "docs/screenshot.png" },
  },
});

const folder = mkdtempSync(join(tmpdir(), "huimin-picture-"));
const house = await House.start({ program: resolve(wish.program), engine: "sqlite", people: "4000", folder });
const browser = await Browser.start({ chromium: wish.chromium, base: house.base, shots: folder });
try {
  const officer = await browser.person("officer", { width: 1280, height: 860 });
  await signIn(officer, "chuangkou");
  await officer.goes(`/search?q=${encodeURIComponent("梁秀兰")}`);
  await leave(officer, () => officer.page.locator('main a[href^="/people/"]').first().click());
  await leave(officer, () => officer.page.locator('main a[href^="/households/"]').first().click());
  await leave(officer, () => officer.page.locator("form[action='/drafts'] button[type=submit]").first().click());
  const deposits = officer.page.locator('.member input[name$=".deposits"]').first();
  while (!(await deposits.count())) await leave(officer, () => officer.page.locator("button[name=go][value=next]").click());
  await deposits.fill("3000");
  await officer.page.waitForResponse((answer) => answer.url().endsWith("/save") && answer.ok());
  await officer.page.waitForTimeout(300);
  await officer.page.screenshot({ path: wish.to });
  console.log(`written ${wish.to}`);
} finally {
  await browser.stop();
  await house.stop();
  rmSync(folder, { recursive: true, force: true });
}
