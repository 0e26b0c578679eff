// The main ways (主要办事路径): what people come for, each short, walked without scripts, on a telephone and in elder mode.
//
// Guarantees: a way is written once and walked in every mode; it uses what a person sees. Each walk takes households and
// people of its own, so that the modes do not stand in each other's way. Deliberately absent: the long story, which is `widow`.

import assert from "node:assert/strict";
import { act, fill, idNumber, leave, open, wantElderMode } from "../desk.mjs";
import { inspect } from "../looks.mjs";

/** How somebody sits there, and where in the lists they take their own. */
const MODES = [
  { mode: "without scripts", at: 10, options: { js: false } },
  { mode: "on a telephone", at: 20, options: { width: 390, height: 844 } },
  { mode: "in elder mode", at: 30, options: { width: 1024, height: 768 }, elder: true },
];

const main = ({ page }) => page.locator("main").innerText();

/** Hand in an application for the living allowance; a household that has one already is passed over. */
export async function handIn(room, officer, at) {
  const { page } = officer;
  let draft;
  for (let tries = 0; tries < 4 && !page.url().includes("/receipt"); tries++) {
    draft = await room.draft(officer, at + tries);
    for (let pages = 0; pages < 12 && !page.url().endsWith("/check"); pages++) await leave(officer, () => page.locator("button[name=go][value=next]").click());
    for (const box of await page.locator("[name=apply]").all()) await box.setChecked(false);
    await page.locator("#apply").getByLabel("最低生活保障", { exact: true }).check();
    await leave(officer, () => page.locator(`form[action="${draft}/submit"] button[type=submit]`).click());
  }
  const receipt = (await main(officer)).match(/[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]/)?.[0];
  assert.ok(receipt, `a receipt: ${page.url()}`);
  const first = await page.locator('main a[href^="/cases/"]').first().getAttribute("href");
  return { draft, receipt, first, url: page.url() };
}

/** The window takes an application in: from now on its clock runs. */
export async function accept(officer, path) {
  await officer.goes(path);
  const asked = await officer.page.locator('form[action$="/acts/accept"] [name="accept.staff_relative"]').count();
  await act(officer, "accept", { fields: asked ? { staff_relative: "false" } : {} });
}

const WAYS = {
  "read what one can apply for": async (room, { visitor }) => {
    await visitor.goes("/programmes");
    await visitor.page.locator("main [name=text]").fill("高龄");
    await leave(visitor, () => visitor.page.locator("main form.filters button").click());
    await leave(visitor, () => visitor.page.locator('main a[href^="/programmes/"]').first().click());
    assert.match(await main(visitor), /带什么材料[^]*依据/);
  },
  "apply at the window": async (room, { window }, kept, at) => {
    kept.application = await handIn(room, window, at);
  },
  "read the receipt": async (room, { window }, kept) => {
    await window.goes(new URL(kept.application.url).pathname);
    assert.ok(await window.page.locator(".qr svg").isVisible());
  },
  "ask for the progress": async (room, { visitor }, kept) => {
    await visitor.goes(`/progress/${kept.application.receipt}`);
    assert.equal(await visitor.page.locator("[name=code]").inputValue(), kept.application.receipt);
    await visitor.page.locator("[name=tail]").fill("0000");
    await leave(visitor, () => visitor.page.locator("main form button[type=submit]").click());
    assert.match(await main(visitor), /没有查到/, "with another phone number nothing is told");
  },
  "accept a case": async (room, { window }, kept) => {
    await accept(window, kept.application.first);
    assert.match(await main(window), /受理/);
  },
  "find somebody and open the record": async (room, { window }) => {
    await window.goes("/households");
    await window.page.locator("#q").fill("梁秀兰");
    await leave(window, () => window.page.locator("form.search button").click());
    await leave(window, () => window.page.locator('main a[href^="/people/"]').first().click());
    assert.match(await main(window), /证件号码/);
  },
  "show a number for a purpose": async (room, { window }) => {
    const form = window.page.locator('form[action$="/reveal"]');
    await open(window, form);
    await fill(form.locator("[name=purpose]"), "填写文书");
    await leave(window, () => form.locator("button[type=submit]").click());
    assert.match(await main(window), /440390195312010/);
  },
  "register somebody with a rare name": async (room, { window }, kept, at) => {
    await window.goes("/people/new");
    const form = window.page.locator('form[action="/people/new"]');
    // Three people nobody could take for one.
    const [name, birth, phone, address] = {
      10: ["买买提·𬱖䶮", "19480315", "13812341010", "前进路 7 号"],
      20: ["阿依努尔·㼆", "19511120", "13967452020", "后海街 215 号"],
      30: ["欧阳𬱖", "19430702", "15190873030", "松岗北里 3 栋"],
    }[at];
    const typed = { number: idNumber("440390", birth, at * 7 + 1), name, phone, address };
    for (const [field, value] of Object.entries(typed)) await form.locator(`[name=${field}]`).fill(value);
    for (const field of ["hukou"]) if (await form.locator(`[name=${field}]`).count()) await form.locator(`[name=${field}]`).fill("440390");
    await form.locator("[name=lives_in]").selectOption({ index: 1 });
    await leave(window, () => form.locator("button.primary").click());
    assert.match(window.page.url(), /done=registered/, await main(window));
    assert.equal((await window.page.locator("h1").innerText()).trim(), name);
    kept.rare = name;
  },
  "look into the list of cases and narrow it": async (room, { street }) => {
    await street.goes("/cases");
    await leave(street, () => street.page.locator("main form.filters button[type=submit]").first().click());
    await leave(street, () => street.page.locator("main td a.open").first().click());
    assert.match(new URL(street.page.url()).pathname, /^\/cases\//);
  },
  "decide a short procedure": async (room, { street, window }, kept) => {
    // Whichever of the cases is of the short procedure: the one the street itself confirms.
    await street.goes("/");
    assert.match(await main(street), /待办|办件号/);
    await street.goes(kept.application.first);
    assert.ok((await street.page.locator('form[action*="/acts/"]').count()) > 0, "the street has its acts on the case");
  },
  "propose a payment": async (room, { finance }, kept, at) => {
    await finance.goes("/pay-runs");
    const form = finance.page.locator('form[action="/pay-runs"]').first();
    await open(finance, form);
    await form.locator("[name=month]").fill("2026-07");
    await leave(finance, () => form.locator("button[type=submit]").first().click());
    assert.ok(/\/pay-runs\/./.test(finance.page.url()) || (await finance.page.locator(".errors").count()) === 1, "a run, or the reason why there is none");
  },
  "read a rule with its articles": async (room, { street }) => {
    await street.goes("/rules");
    await leave(street, () => street.page.locator('main a[href^="/rules/"][href*="old_age"]').first().click());
    assert.match(await main(street), /条/);
  },
  "read the journal": async (room, { auditor }) => {
    await auditor.goes("/journal");
    await leave(auditor, () => auditor.page.locator("main form.filters button").first().click());
    assert.ok((await auditor.page.locator("main tbody tr").count()) > 0);
  },
  "print: a letter of a case as a PDF": async (room, { street }, kept) => {
    const { page } = street;
    await street.goes(kept.application.first);
    const link = page.locator('main a[href^="/letters/"], main a[href$="/form"]').first();
    if (await link.count()) {
      const answer = await page.context().request.get(new URL(await link.getAttribute("href"), page.url()).href);
      assert.equal((await answer.body()).subarray(0, 5).toString(), "%PDF-");
    }
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator("nav.rail").isVisible(), false, "on paper there is no rail");
    assert.ok(await page.locator("h1").isVisible());
    await page.emulateMedia({ media: "screen" });
  },
};

const DESKS = { visitor: undefined, window: "chuangkou", street: "jiedao", finance: "caiwu", auditor: "shenji" };

async function walkAll(room, { mode, at, options, elder }) {
  const desks = {};
  for (const [name, login] of Object.entries(DESKS)) {
    desks[name] = login ? await room.officer(login, options) : await room.visitor(options);
    if (elder) {
      await desks[name].goes("/");
      await wantElderMode(desks[name]);
    }
  }
  const kept = {};
  const faults = [];
  let walked = 0;
  for (const [way, walk] of Object.entries(WAYS)) {
    try {
      await walk(room, desks, kept, at);
      for (const { page } of Object.values(desks)) if (page.url().startsWith("http")) await inspect(page, `${way}, ${mode}`, { scripts: false });
      walked += 1;
    } catch (fault) {
      faults.push(`${way}: ${fault.message}`);
    }
  }
  room.say(`${walked} of ${Object.keys(WAYS).length} ways walked ${mode}`);
  assert.equal(faults.length, 0, faults.join("\n  "));
  return kept;
}

export const ways = [
  {
    name: "UX-01 the main ways are walked without scripts",
    run: ({ room }) => walkAll(room, MODES[0]),
  },
  {
    name: "UX-06 the main ways are walked on a telephone",
    run: ({ room }) => walkAll(room, MODES[1]),
  },
  {
    name: "UX-05 the main ways are walked in elder mode",
    run: ({ room }) => walkAll(room, MODES[2]),
  },
  {
    name: "UX-31 a rare name is entered, found, listed and printed as itself",
    async run({ room }) {
      const officer = await room.officer("chuangkou");
      const { page } = officer;
      const name = "张𬱖䶮㼆·艾";
      await officer.goes("/people/new");
      const form = page.locator('form[action="/people/new"]');
      const typed = { number: idNumber("440390", "19470203", 77), name, phone: "13812340077", address: "前进路 77 号" };
      for (const [field, value] of Object.entries(typed)) await form.locator(`[name=${field}]`).fill(value);
      await form.locator("[name=hukou]").fill("440390");
      await form.locator("[name=lives_in]").selectOption({ index: 1 });
      await leave(officer, () => form.locator("button.primary").click());
      assert.match(page.url(), /done=registered/, await page.locator("main").innerText());
      for (const part of ["𬱖", "䶮㼆", name, name.replace("·", "")]) {
        await officer.goes(`/search?q=${encodeURIComponent(part)}`);
        const found = (await page.locator("main td a.open, main td").allInnerTexts()).some((text) => text.includes(name)) || (await page.locator("h1").innerText()).includes(name);
        assert.ok(found, `“${part}” finds ${name}`);
      }
      // A replacement for a missing glyph has the width and the strokes of every other missing glyph; a glyph has its own.
      await officer.goes(`/search?q=${encodeURIComponent(name)}`);
      const boxes = await page.evaluate(() => {
        const canvas = document.createElement("canvas");
        const pen = canvas.getContext("2d", { willReadFrequently: true });
        const ink = (letter) => {
          canvas.width = canvas.height = 48;
          pen.font = `32px ${getComputedStyle(document.body).fontFamily}`;
          pen.fillText(letter, 4, 36);
          return pen.getImageData(0, 0, 48, 48).data.join("");
        };
        // U+10FFFE is no character and can have no glyph.
        const missing = ink("\u{10FFFE}");
        return ["䶮", "㼆", "·", "𬱖"].filter((letter) => ink(letter) === missing);
      });
      if (boxes.length) room.say(`this machine's fonts have no glyph for ${boxes.join(" ")}: on letters the program's own font is used`);
      const pdf = await page.pdf({ format: "A4" });
      assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
    },
  },
];
