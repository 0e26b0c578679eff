// Filling in (填表): what is wrong is said where it is wrong, what was typed stays, nothing is sent unseen.

import assert from "node:assert/strict";
import { fill, leave, open } from "../desk.mjs";

/** Forms by where they stand, who has them, which one it is, and what is typed into it that cannot be right. */
const FORMS = [
  { path: "/sign-in", form: "form:has([name=password][type=password])", typed: { login: "wangxiaoming", password: "nicht richtig" } },
  { path: "/sign-in", form: "form:has([name=password][type=password])", typed: { login: "", password: "" } },
  { path: "/progress", form: 'main form[action="/progress"]', typed: { code: "7K3F-9M2Q", tail: "12" } },
  { login: "chuangkou", path: "/people/new", form: 'form[action="/people/new"]', typed: { number: "440306199001011234", name: "张𬱖䶮", address: "前进路12号" } },
  { login: "chuangkou", path: "/apply", form: 'form[action="/apply"]', typed: { who: "" } },
  { login: "chuangkou", page: "/people/{id}/change", form: 'form:has([name=phone]):has(button[value=phone])', typed: { phone: "12" } },
  { login: "chuangkou", page: "/people/{id}/account", form: 'form[action$="/account"]', typed: { bank: "演示银行", number: "12", holder: "某某" } },
  { login: "chuangkou", page: "/people/{id}", form: 'form[action$="/reveal"]', typed: {} },
  { login: "caiwu", path: "/pay-runs", form: 'form[action="/pay-runs"]', typed: { month: "2040-01" } },
  { login: "jiedao", path: "/roster", form: 'form[action="/roster"]', typed: {} },
  { login: "guanli", path: "/officers", form: 'form[action="/officers"]', typed: { name: "", login: "a b", number: "123" } },
  { login: "guanli", path: "/account", form: 'form[action="/account/password"]', typed: { present: "x", wanted: "short", again: "other" } },
];

/** An address of a page with an identifier, as the officer meets it. */
async function addressOf(room, person, page) {
  if (!page.startsWith("/people/{id}")) throw new Error(`no way to ${page}`);
  const one = await room.once("a person", async () => {
    await person.goes(`/search?q=${encodeURIComponent("梁秀兰")}`);
    return person.page.locator('main a[href^="/people/"]').first().getAttribute("href");
  });
  return page.replace("/people/{id}", one);
}

/** What is typed into a form now, passwords and tokens left out. */
const typedIn = (form) => form.evaluate((form) => [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !["csrf", "key"].includes(name) && form.querySelector(`[name="${CSS.escape(name)}"]`)?.type !== "password"));

async function wrongly(room, { login, path, page, form, typed }) {
  const person = login ? await room.officer(login) : await room.visitor();
  const where = path ?? (await addressOf(room, person, page));
  await person.goes(where);
  const filled = person.page.locator(form).first();
  await filled.waitFor({ state: "attached" });
  await open(person, filled);
  for (const [name, value] of Object.entries(typed)) await fill(filled.locator(`[name="${name}"]`), value);
  const before = await typedIn(filled);
  const answered = person.page.waitForResponse((answer) => answer.request().isNavigationRequest() && answer.request().method() === "POST");
  await leave(person, () => filled.locator("button[type=submit]").first().click());
  return { person, where, before, status: (await answered).status(), after: person.page.locator(form).first() };
}

/** What the summary promises, in words where it does not hold. */
async function summary(page, where) {
  const faults = [];
  const box = page.locator(".errors[role=alert]");
  if ((await box.count()) !== 1) return [`${where}: ${await box.count()} summaries of errors`];
  if (!(await page.title()).startsWith("错误：")) faults.push(`${where}: the title is “${await page.title()}”`);
  if (!(await box.evaluate((box) => box === document.activeElement))) faults.push(`${where}: the summary has not the focus`);
  const lines = await box.locator("li").count();
  if (!new RegExp(`有 ${lines} 处需要改正`).test(await box.innerText())) faults.push(`${where}: the heading counts other than ${lines}`);
  for (let at = 0; at < lines; at++) {
    const line = box.locator("li").nth(at);
    const said = (await line.innerText()).trim();
    if ((await line.locator("a").count()) === 0) {
      faults.push(`${where}: “${said}” leads to no field`);
      continue;
    }
    const to = (await line.locator("a").getAttribute("href")).slice(1);
    const target = page.locator(`[id="${to}"]`);
    if ((await target.count()) !== 1) {
      faults.push(`${where}: #${to} stands ${await target.count()} times`);
      continue;
    }
    const beside = page.locator(`[id="${to}-error"]`);
    const words = (await beside.count()) ? (await beside.innerText()).replace(/^错误：\s*/, "").trim() : "(nothing)";
    if (words !== said) faults.push(`${where}: “${said}” above, “${words}” at #${to}`);
    await line.locator("a").click();
    const there = await page.evaluate((id) => document.activeElement?.id === id || document.getElementById(id)?.contains(document.activeElement), to);
    if (!there) faults.push(`${where}: the link to #${to} does not take the focus there`);
  }
  return faults;
}

/** Every form sent once with something wrong: what its summary lacks, and what of the typed is lost. */
async function allWrongly(room) {
  const [said, lost] = [[], []];
  for (const one of FORMS) {
    const { person, where, before, status, after } = await wrongly(room, one);
    const kept = await typedIn(after);
    for (const [name, value] of before) {
      const now = kept.filter(([other]) => other === name).map(([, value]) => value);
      if (!now.includes(value)) lost.push(`${where}: “${name}” was “${value}”, is “${now}”`);
    }
    if (status !== 422) said.push(`${where}: answered ${status}`);
    said.push(...(await summary(person.page, where)));
    await person.page.context().close();
  }
  return { said, lost };
}

export const forms = [
  {
    name: "UX-09 a form that is wrong says so on top, at the field, in the title, and takes the focus there",
    async run({ room }) {
      const { said } = await room.once("wrong forms", () => allWrongly(room));
      assert.equal(said.length, 0, said.join("\n  "));
      room.say(`${FORMS.length} forms sent with something wrong`);
    },
  },
  {
    name: "UX-10 what was typed stays after an error",
    async run({ room }) {
      const { lost } = await room.once("wrong forms", () => allWrongly(room));
      assert.equal(lost.length, 0, lost.join("\n  "));
    },
  },
  {
    name: "UX-10 what was typed survives the end of the session and signing in again",
    async run({ room }) {
      const officer = await room.alone("chuangkou");
      const { page } = officer;
      await officer.goes("/people/new");
      const form = page.locator('form[action="/people/new"]');
      const typed = { name: "欧阳𬱖", phone: "13812349876", address: "前进路 99 号 “后院” & 3<4" };
      for (const [name, value] of Object.entries(typed)) await form.locator(`[name=${name}]`).fill(value);
      await page.context().clearCookies();
      await leave(officer, () => form.locator("button.primary").click());
      assert.match(await page.locator("main").innerText(), /您填的内容还在/);
      const door = page.locator("form:has(input[type=password])").first();
      await door.locator("[name=login]").fill("chuangkou");
      await door.locator("[name=password]").fill("wrong at first");
      await leave(officer, () => door.locator("button[type=submit]").click());
      await door.locator("[name=login]").fill("chuangkou");
      await door.locator("[name=password]").fill("Yanshi-2026");
      await leave(officer, () => door.locator("button[type=submit]").click());
      await leave(officer, () => page.getByRole("button", { name: "接着提交" }).click());
      // The number is missing, so the form comes back, with all that was typed before the session ended.
      for (const [name, value] of Object.entries(typed)) assert.equal(await page.locator(`form[action="/people/new"] [name=${name}]`).inputValue(), value);
      const again = page.url();
      assert.match(again, /\/people\/new/);
    },
  },
  {
    name: "UX-11 answers are checked before they are handed in: each has its way back, and the button names the act",
    async run({ room }) {
      const officer = await room.officer("chuangkou");
      const { page } = officer;
      const draft = await room.draft(officer, 5);
      await officer.goes(`${draft}/check`);
      const rows = page.locator("main dl.facts > div");
      const count = await rows.count();
      assert.ok(count > 5, `${count} answers`);
      for (let at = 0; at < count; at++) {
        const row = rows.nth(at);
        const label = (await row.locator("dt").innerText()).trim();
        const name = (await row.locator("dd a").textContent()).replaceAll(/\s+/g, " ").trim();
        assert.equal(name, `修改 ${label}`.trim(), "whoever hears the link alone knows what it changes");
      }
      const buttons = await page.locator(`form[action="${draft}/submit"] button[type=submit]`).allInnerTexts();
      assert.deepEqual(buttons, ["提交申请"]);
      const link = rows.first().locator("dd a");
      const to = (await link.getAttribute("href")).split("#")[1];
      await leave(officer, () => link.click());
      assert.equal(await page.locator(`[id="${to}"], [data-name="${to}"]`).first().isVisible(), true, "the way back leads to the question");
      assert.equal(await page.locator('form[action$="/submit"]').count(), 0, "the form itself hands nothing in");
    },
  },
  {
    name: "UX-38 a draft saves itself, says when, and loses nothing without a network",
    async run({ room, browser }) {
      const officer = await room.officer("chuangkou");
      const { page } = officer;
      const draft = await room.draft(officer, 6);
      const deposits = page.locator('.member input[name$=".deposits"]').first();
      for (let pages = 0; pages < 12 && !(await deposits.count()); pages++) await leave(officer, () => page.locator("button[name=go][value=next]").click());
      const step = page.url();
      const began = Date.now();
      const saved = page.waitForResponse((answer) => answer.url().endsWith("/save") && answer.ok());
      await deposits.fill("1200");
      await saved;
      assert.ok(Date.now() - began < 5000, "within five seconds of the last letter");
      await page.locator("#saved").filter({ hasText: /已保存 \d{1,2}:\d{2}/ }).waitFor();
      await page.context().setOffline(true);
      await deposits.fill("3400");
      await deposits.blur();
      await page.locator("[data-offline]").waitFor({ state: "visible" });
      assert.equal(await deposits.inputValue(), "3400", "the form stays as it is");
      const again = page.waitForResponse((answer) => answer.url().endsWith("/save") && answer.ok());
      await page.context().setOffline(false);
      await again;
      await page.locator("[data-offline]").waitFor({ state: "hidden" });
      await officer.goes(step);
      assert.equal(Number(await deposits.inputValue()), 3400, "what was typed without a network is kept");
      await officer.goes("/drafts");
      assert.equal(await page.locator(`main a[href^="${draft}"]`).count(), 1, "and it is one draft, in the list of mine");
      browser.forgive(/ERR_INTERNET_DISCONNECTED|Failed to fetch/);
    },
  },
  {
    name: "UX-39 two minutes before the session ends a warning comes, and 继续 goes on",
    async run({ room }) {
      const officer = await room.officer("chuangkou");
      const { page } = officer;
      await page.clock.install();
      const draft = await room.draft(officer, 6);
      await officer.goes(draft);
      const form = page.locator("form[data-draft]");
      const warning = page.locator("[data-idle]");
      const minutes = Number(await warning.getAttribute("data-idle"));
      assert.ok(minutes >= 5, `${minutes} minutes`);
      await page.clock.fastForward((minutes - 3) * 60_000);
      assert.equal(await warning.isVisible(), false, "not three minutes before");
      await page.clock.fastForward(75_000);
      await warning.waitFor({ state: "visible" });
      assert.match(await warning.innerText(), /2 分钟后自动退出/);
      const there = await typedIn(form);
      const asked = page.waitForResponse((answer) => answer.url().endsWith("/account"));
      await warning.getByRole("button", { name: "继续使用" }).click();
      assert.ok((await asked).ok(), "the server counts it as use");
      await warning.waitFor({ state: "hidden" });
      assert.deepEqual(await typedIn(form), there, "and the form stands as it was");
      await page.clock.fastForward((minutes - 3) * 60_000);
      assert.equal(await warning.isVisible(), false, "and it counts from the beginning");
    },
  },
];
