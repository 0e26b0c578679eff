// One person, one record (重复登记): registered twice with two digits of the passport swapped, warned, registered all the same with a
// reason, found in the queue, merged by two officers, and taken apart again.
//
// With and without scripts; the pages are looked at wide, on a telephone and in elder mode. Another place's officer sees nothing.

import assert from "node:assert/strict";
import { fill, leave, open, signIn, wantElderMode } from "../desk.mjs";

const NAME = "玛丽亚";
const FIRST = "E12345678";
const SWAPPED = "E12345687";

async function register(person, number) {
  const { page } = person;
  await person.goes("/people/new");
  const form = page.locator('form[action="/people/new"]');
  await form.locator("[name=kind]").selectOption("passport");
  const typed = { number, name: NAME, birth_date: "1985-03-12", phone: "13812345678", address: "前进路12号301室" };
  for (const [name, value] of Object.entries(typed)) await form.locator(`[name=${name}]`).fill(value);
  await fill(form.locator("[name=sex]"), "2");
  await form.locator("[name=lives_in]").selectOption({ index: 1 });
  await leave(person, () => form.locator("button.primary").click());
}

export const duplicates = (script) => ({
  name: `duplicates-${script ? "script" : "noscript"}`,
  on: script ? ["sqlite", "postgres"] : ["sqlite"],
  async walk({ browser, say }) {
    const window = await browser.person("window", { js: script });
    await signIn(window, "chuangkou");
    const { page } = window;
    const main = () => page.locator("main").innerText();

    say("registered once, and again with two digits swapped: warned");
    await register(window, FIRST);
    assert.match(page.url(), /done=registered/);
    const known = new URL(page.url()).pathname;
    await register(window, SWAPPED);
    assert.match(await main(), /可能已登记/);
    assert.match(await main(), /很可能是同一人/);
    assert.match(await main(), /错一位或相邻两位颠倒/);
    assert.ok(!(await main()).includes(FIRST), "the number on record stays masked");
    await window.inspects("warned");

    say("this is the one: the record there is is used");
    const form = page.locator('form[action="/people/new"]');
    await fill(form.locator("[name^=said_]"), "same");
    await leave(window, () => form.locator("button.primary").click());
    assert.equal(new URL(page.url()).pathname, known);

    say("registered all the same, with a reason: it waits in the queue");
    await register(window, SWAPPED);
    await fill(form.locator("[name^=said_]"), "unsure");
    await leave(window, () => form.locator("button.primary").click());
    assert.match(await main(), /请写明理由/);
    await form.locator("[name^=why_]").fill("自称换了护照，旧护照没带");
    await leave(window, () => form.locator("button.primary").click());
    assert.match(page.url(), /done=registered/);
    const second = new URL(page.url()).pathname;
    await window.goes("/");
    assert.match(await main(), /重复登记：有 \d+ 对/);
    await window.goes("/duplicates");
    assert.match(await main(), /自称换了护照/);
    await window.inspects("queue");
    const pair = await page.locator('main a[href^="/duplicates/"]:not([href*="export"])').first().getAttribute("href");
    await window.goes(pair);
    await window.inspects("pair");

    say("the merge is prepared with a choice, and is for the street to decide");
    const merge = page.locator('form[action$="/merge"]');
    await open(window, merge);
    await leave(window, () => merge.locator("button.primary").click());
    assert.match(await main(), /请选择留下哪一条/);
    await open(window, merge);
    await fill(merge.locator("[name=survivor]"), "a");
    await merge.locator("[name=merge_reason]").fill("两本护照照片为同一人");
    await leave(window, () => merge.locator("button.primary").click());
    assert.match(await main(), /合并已拟定/);
    assert.equal(await page.locator('form[action$="/decide"]').count(), 0);

    const street = await browser.person("street", { js: script });
    await signIn(street, "jiedao");
    await street.goes(pair);
    await street.inspects("waiting");
    await leave(street, () => street.page.locator('form[action$="/decide"] button').click());
    assert.match(await street.page.locator("main").innerText(), /已合并/);

    say("either record leads to the one that stays");
    await window.goes(second);
    assert.equal(new URL(page.url()).pathname, known);
    assert.match(await main(), /已并入这一条/);
    await window.inspects("survivor");

    say("another place's officer learns nothing");
    const there = await browser.person("there", { js: script });
    await signIn(there, "chuangkou2");
    assert.equal((await there.page.goto(pair)).status(), 404);
    await there.goes("/duplicates?state=all");
    assert.ok(!(await there.page.locator("main").innerText()).includes(NAME));

    say("undone: two records again, as they were");
    await street.goes(pair);
    const undo = street.page.locator('form[action$="/undo"]');
    await open(street, undo);
    await fill(undo.locator("[name=since]"), "survivor");
    await undo.locator("[name=undo_reason]").fill("护照照片不是一个人");
    await leave(street, () => undo.locator("button.primary").click());
    assert.match(await street.page.locator("main").innerText(), /合并已撤销/);
    await window.goes(second);
    assert.equal(new URL(page.url()).pathname, second);

    browser.forgive(/404|422/);
    if (!script) return;
    for (const { label, width, elder } of [
      { label: "390", width: 390 },
      { label: "elder", width: 390, elder: true },
    ]) {
      say(`the same pages, ${label}`);
      const small = await browser.person(`street-${label}`, { width, height: 844 });
      await signIn(small, "jiedao");
      if (elder) await wantElderMode(small);
      await small.goes("/duplicates?state=all");
      await small.inspects("queue");
      await small.goes(pair);
      await small.inspects("pair");
      const clerk = await browser.person(`window-${label}`, { width, height: 844 });
      await signIn(clerk, "chuangkou");
      if (elder) await wantElderMode(clerk);
      await register(clerk, elder ? "E12345786" : "E12345768");
      await clerk.inspects("warned");
    }
    browser.forgive(/422/);
  },
});
