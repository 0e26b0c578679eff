// Who sees what, and how long (隐私): numbers are masked, shown for a while, and a window computer forgets.

import assert from "node:assert/strict";
import { fill, leave, open } from "../desk.mjs";
import { accept, handIn } from "./ways.mjs";

/** Eighteen characters of an identity number, or eleven of a mobile phone, in the clear; not within a longer word, as tokens are. */
const CLEAR = /(?<![\dA-Za-z-])(\d{17}[\dX]|1[3-9]\d{9})(?![\dA-Za-z-])/;

/** What leads from the first page to the cases of the area that are overdue. */
const OVERDUE = 'main a[href="/cases?light=red"]';

async function reveal(officer) {
  const { page } = officer;
  const form = page.locator('form[action$="/reveal"]');
  await open(officer, form);
  await fill(form.locator("[name=purpose]"), "核对本人身份");
  await leave(officer, () => form.locator("button[type=submit]").click());
}

export const privacy = [
  {
    name: "UX-41 numbers are masked; shown for a purpose, they hide after 60 seconds and when one looks elsewhere",
    async run({ room }) {
      const officer = await room.officer("chuangkou");
      const { page } = officer;
      await page.clock.install();
      await officer.goes(`/search?q=${encodeURIComponent("梁秀兰")}`);
      assert.doesNotMatch(await page.locator("main").innerText(), CLEAR, "masked in the list");
      await leave(officer, () => page.locator('main a[href^="/people/"]').first().click());
      const person = page.url();
      assert.doesNotMatch(await page.content(), CLEAR, "not in the page at all before it is asked for");
      const form = page.locator('form[action$="/reveal"]');
      await open(officer, form);
      await leave(officer, () => form.locator("button[type=submit]").click());
      assert.doesNotMatch(await page.content(), CLEAR, "not without a purpose");
      await reveal(officer);
      assert.match(await page.locator("main").innerText(), CLEAR);
      await page.clock.fastForward(59_000);
      assert.match(await page.locator("main").innerText(), CLEAR, "still there after 59 seconds");
      await page.clock.fastForward(2_000);
      assert.doesNotMatch(await page.locator("main").innerText(), CLEAR, "hidden after 60");
      await officer.goes(person);
      await reveal(officer);
      assert.match(await page.locator("main").innerText(), CLEAR);
      await page.evaluate(() => window.dispatchEvent(new Event("blur")));
      assert.doesNotMatch(await page.locator("main").innerText(), CLEAR, "hidden when the window is left");
      const auditor = await room.officer("shenji");
      await auditor.goes("/journal");
      assert.match(await auditor.page.locator("main").innerText(), /核对本人身份/, "and the purpose stands in the journal");
    },
  },
  {
    name: "UX-46 signing out empties the browser, and going back shows nothing",
    async run({ room }) {
      const officer = await room.alone("chuangkou");
      const { page } = officer;
      await officer.goes("/households");
      await page.evaluate(() => {
        localStorage.setItem("left", "behind");
        sessionStorage.setItem("left", "behind");
      });
      const answered = page.waitForResponse((answer) => answer.url().endsWith("/sign-out"));
      await page.locator(".user > summary").click();
      await leave(officer, () => page.locator('form[action="/sign-out"] button').click());
      assert.equal((await (await answered).allHeaders())["clear-site-data"], '"cache", "storage"');
      assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0, "nothing is stored");
      assert.deepEqual((await page.context().cookies()).filter(({ name }) => name.includes("huimin")), [], "no session is kept");
      await page.goBack();
      assert.equal(await page.locator("main td").count(), 0, "the list is not shown again");
    },
  },
  {
    name: "UX-47 three clicks from the first page to a case that is overdue",
    last: true,
    async run({ room }) {
      // A case taken in and left lying; time moves on, which ends sessions, until it is overdue.
      const window = await room.alone("chuangkou");
      await accept(window, (await handIn(room, window, 13)).first);
      for (let months = 0; months < 4; months++) {
        const head = await room.alone("qushen");
        await head.goes("/");
        if (await head.page.locator(OVERDUE).count()) return threeClicks(head);
        await leave(head, () => head.page.locator('form[action="/demo/clock"] button[value=month]').click());
      }
      throw new Error("after four months nothing is overdue");
    },
  },
];

async function threeClicks(head) {
  const { page } = head;
  let clicks = 0;
  const click = async (what) => {
    clicks += 1;
    await leave(head, () => what.click());
  };
  await click(page.locator(OVERDUE).first());
  assert.match(await page.locator("main").innerText(), /超期/);
  await click(page.locator("main td a.open").first());
  assert.match(new URL(page.url()).pathname, /^\/cases\//);
  assert.ok(clicks <= 3, `${clicks} clicks`);
  assert.ok(await page.locator(".timeline, .verdict").first().isVisible(), "and there is what happened so far");
}
