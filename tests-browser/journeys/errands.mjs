// Errands (日常差事): what an office does from month to month, each written once and walked without scripts, on a telephone and
// in elder mode on a telephone.
//
// Guarantees: an errand goes from the first page to its result through what a person sees, with a second person where the law
// wants one; every page it ends on is looked at (accessibility, overflow). Each mode has a district of its own. Deliberately
// absent: the widow's long way, the rules, the leads and the duplicates, which are journeys of their own.

import assert from "node:assert/strict";
import { fill, idNumber, leave, open, showAgain, signIn, wantElderMode } from "../desk.mjs";

const MODES = {
  noscript: { options: { js: false } },
  telephone: { options: { width: 390, height: 844 } },
  elder: { options: { width: 390, height: 844 }, elder: true },
};

const main = ({ page }) => page.locator("main").innerText();
const submit = (person, form) => leave(person, () => form.locator("button[type=submit]").first().click());

/** Everybody who sits down in one mode, each at a window of their own. */
class Office {
  constructor({ browser, say, mode }) {
    Object.assign(this, { browser, say, mode: MODES[mode], people: new Map() });
  }

  async at(login) {
    if (this.people.has(login)) return this.people.get(login);
    const person = await this.browser.person(login, this.mode.options);
    if (login !== "visitor") await signIn(person, login);
    else await person.goes("/");
    if (this.mode.elder) await wantElderMode(person);
    this.people.set(login, person);
    return person;
  }
}

const ERRANDS = {
  "a pay run: proposed by one, released by another, into the bank's file": async (office) => {
    const finance = await office.at("caiwu");
    await finance.goes("/pay-runs");
    const propose = finance.page.locator('form[action="/pay-runs"]').first();
    await open(finance, propose);
    await propose.locator("[name=month]").fill("2026-07");
    await submit(finance, propose);
    const run = new URL(finance.page.url()).pathname;
    assert.match(run, /^\/pay-runs\/.+/);
    assert.equal(await finance.page.locator(`form[action="${run}/release"]`).count(), 0, "not by whoever proposed");
    const second = await office.at("caiwu2");
    await second.goes(run);
    await submit(second, second.page.locator(`form[action="${run}/release"]`));
    await showAgain(second);
    await second.goes(run);
    assert.match(await main(second), /已放款/);
    await finance.goes(run);
    const [download] = await Promise.all([finance.page.waitForEvent("download"), finance.page.locator(`form[action="${run}/file"] button[value=csv]`).click()]);
    assert.ok(await download.path());
    return finance;
  },
  "a death: reported, what it touches looked at, noted, and the case called": async (office) => {
    const finance = await office.at("caiwu");
    await finance.goes("/rights?month=2026-06&programme=old_age_allowance");
    const person = await finance.page.locator('main td a[href^="/people/"]').first().getAttribute("href");
    const window = await office.at("qushen");
    await window.goes(person);
    await leave(window, () => window.page.locator('main a[href^="/households/"]').first().click());
    const home = new URL(window.page.url()).pathname;
    await leave(window, () => window.page.locator(`main a[href="${home}/event"]`).click());
    await leave(window, () => window.page.locator('main .buttons a[href*="kind=death"]').click());
    const form = window.page.locator("main form[method=post]").last();
    await form.locator("[name=person]").selectOption(person.split("/").pop());
    await form.locator("[name=on]").fill("2026-05-20");
    await form.locator("[name=source]").fill("殡仪馆");
    await submit(window, form);
    assert.match(await main(window), /高龄/, "the benefit it ends is named before anything is written");
    const confirm = window.page.locator('form:has(button[name=step][value=confirm])');
    await leave(window, () => confirm.locator("button[value=confirm]").click());
    await window.goes("/life-events");
    assert.match(await main(window), /死亡|去世/);
    return window;
  },
  "a standard: what it changes is worked out by one, and waits for another": async (office) => {
    const finance = await office.at("caiwu");
    await finance.goes("/adjustments");
    const form = finance.page.locator('form[action="/adjustments"]');
    await open(finance, form);
    await form.locator("[name=programme]").first().check();
    await form.locator("[name=from]").fill("2026-07");
    await form.locator("[name=basis]").fill("演示〔2026〕7号");
    await submit(finance, form);
    const path = new URL(finance.page.url()).pathname;
    assert.match(path, /^\/adjustments\/.+/, await main(finance));
    assert.equal(await finance.page.locator('form[action$="/approve"]').count(), 0, "not by whoever proposed");
    return finance;
  },
  "a roster: checked first, wrong rows named, the right ones taken": async (office, mode) => {
    const street = await office.at("jiedao");
    const at = Object.keys(MODES).indexOf(mode) + 1;
    const good = idNumber("440390", "19600101", at);
    const bad = idNumber("440390", "19610101", at + 10);
    const wrong = bad.slice(0, 17) + (bad.endsWith("1") ? "2" : "1");
    await street.goes("/households");
    const place = await street.page.locator('[name=region] option[value]:not([value=""])').last().getAttribute("value");
    const rows = ["户编号,与户主关系,姓名,证件类型,证件号码,居住社区,详细住址", `R${at},户主,张一${at},居民身份证,${good},${place},一号楼`, `S${at},户主,王二,居民身份证,${wrong},${place},二号楼`];
    await street.goes("/roster");
    await street.page.locator("[name=file]").setInputFiles({ name: "hu.csv", mimeType: "text/csv", buffer: Buffer.from(`${rows.join("\n")}\n`) });
    await submit(street, street.page.locator('form[action="/roster"]'));
    assert.match(await main(street), /校验位不对/);
    await leave(street, () => street.page.locator('form[action="/roster/commit"] button[value=valid]').click());
    assert.match(await main(street), /新建 1 户/);
    return street;
  },
  "the auditor: the chain is whole, and the year adds up": async (office) => {
    const auditor = await office.at("shenji");
    await auditor.goes("/journal");
    await submit(auditor, auditor.page.locator('form[action="/journal/verify"]'));
    assert.match(await main(auditor), /完整|没有被改|一致/);
    await auditor.goes("/audit?year=2026");
    assert.match(await main(auditor), /2026/);
    return auditor;
  },
  "an account: made, told once, changed at the first sign-in": async (office, mode) => {
    const admin = await office.at("guanli");
    await admin.goes("/officers");
    const form = admin.page.locator('form[action="/officers"]');
    await open(admin, form);
    await form.locator("[name=name]").fill("新来的");
    await form.locator("[name=login]").fill(`xinlai-${mode}`);
    await submit(admin, form);
    const password = (await admin.page.locator("#password").innerText()).trim();
    const fresh = await office.browser.person(`fresh-${mode}`, office.mode.options);
    await fresh.goes("/sign-in");
    const door = fresh.page.locator("form:has(input[type=password])").first();
    await door.locator("[name=login]").fill(`xinlai-${mode}`);
    await door.locator("[name=password]").fill(password);
    await submit(fresh, door);
    assert.match(await main(fresh), /新密码/, "the first password is changed before anything else");
    return admin;
  },
  "the public: what one may apply for, the one sheet, and help": async (office) => {
    const visitor = await office.at("visitor");
    await visitor.goes("/programmes?text=" + encodeURIComponent("低保"));
    await leave(visitor, () => visitor.page.locator('main a[href^="/programmes/"]').first().click());
    assert.match(await main(visitor), /带什么材料[^]*依据/);
    await leave(visitor, () => visitor.page.locator('footer a[href="/help"]').click());
    return visitor;
  },
  "the cockpit: a number on the wall opens the list that proves it": async (office) => {
    const district = await office.at("qushen");
    await district.goes("/cockpit");
    assert.equal(await district.page.locator("html").getAttribute("data-theme"), "dark");
    const number = district.page.locator('main .great a[href^="/rights"]').first();
    const said = (await number.innerText()).trim();
    await leave(district, () => number.click());
    assert.ok((await main(district)).includes(`在发 ${said} 项`), `${said}: ${await main(district)}`);
    await leave(district, () => district.page.goBack());
    await leave(district, () => district.page.locator('main a[href="/statistics"]').first().click());
    return district;
  },
};

export const errands = (mode) => ({
  name: `errands-${mode}`,
  on: ["sqlite"],
  async walk({ browser, say }) {
    const office = new Office({ browser, say, mode });
    const faults = [];
    for (const [errand, walk] of Object.entries(ERRANDS)) {
      try {
        const person = await walk(office, mode);
        await person.inspects(errand.split(":")[0].replaceAll(" ", "-"));
        say(`walked: ${errand}`);
      } catch (fault) {
        faults.push(`${errand}: ${fault.stack ?? fault}`);
        say(`FAILED ${errand}: ${fault.message}`);
      }
      // A refused form shows on the console, too; what was refused was looked at.
      browser.forgive(/status of 422/);
    }
    assert.equal(faults.length, 0, faults.join("\n  "));
  },
});
