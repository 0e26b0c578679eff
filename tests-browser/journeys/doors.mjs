// The doors (各人的门): what each role sees first, on a wide screen, on a telephone and in elder mode; and what it does not.
//
// Every role's home and every entry of its rail is opened and looked at as a whole. Another community's people are not
// found, not listed and not reached by their address.

import assert from "node:assert/strict";
import { signIn, wantElderMode } from "../desk.mjs";

const ROLES = ["chuangkou", "jiedao", "qushen", "caiwu", "shenji", "guanli", "guize"];
const PUBLIC = ["/", "/sign-in", "/notices", "/progress", "/programmes", "/help", "/style", "/style?mode=dark"];
const SIZES = [
  { label: "1440", width: 1440, height: 900 },
  { label: "390", width: 390, height: 844 },
  { label: "elder", width: 390, height: 844, elder: true },
];

export const doors = {
  name: "doors",
  on: ["sqlite"],
  async walk({ browser, say }) {
    for (const { label, width, height, elder } of SIZES) {
      say(`the public door, ${label}`);
      const visitor = await browser.person(`public-${label}`, { width, height });
      await visitor.goes("/sign-in");
      if (elder) await wantElderMode(visitor);
      for (const path of PUBLIC) {
        await visitor.goes(path);
        await visitor.inspects(path.replaceAll(/[/?=]/g, "-"));
      }
    }
    for (const login of ROLES) {
      for (const { label, width, height, elder } of SIZES) {
        say(`${login}, ${label}`);
        const officer = await browser.person(`${login}-${label}`, { width, height });
        await signIn(officer, login);
        if (elder) await wantElderMode(officer);
        await officer.inspects("home");
        const entries = await officer.page.locator("nav.rail a").evaluateAll((links) => links.map((link) => new URL(link.href).pathname));
        for (const path of entries) {
          await officer.goes(path);
          await officer.inspects(path.replaceAll("/", "-"));
        }
      }
    }
    await cannotSeeElsewhere({ browser, say });
    browser.forgive(/404|403/);
  },
};

async function cannotSeeElsewhere({ browser, say }) {
  say("an officer of another street can neither see nor guess");
  const here = await browser.person("here");
  await signIn(here, "chuangkou");
  await here.goes("/households");
  const household = await here.page.locator('main a[href^="/households/"]').first().getAttribute("href");
  await here.goes(household);
  const person = await here.page.locator('main a[href^="/people/"]').first().getAttribute("href");
  const there = await browser.person("there");
  await signIn(there, "chuangkou2");
  for (const path of [household, person]) {
    const answer = await there.page.goto(path);
    assert.equal(answer.status(), 404, `${path} does not exist for the other officer`);
  }
  await there.goes(`/search?q=${encodeURIComponent("梁秀兰")}`);
  assert.ok(!(await there.page.locator("main").innerText()).includes("12栋304室"), "search finds nothing of the other street");
  await there.page.goto("/journal");
  assert.ok(!there.page.url().endsWith("/journal") || (await there.page.locator("h1").innerText()).length > 0);
}
