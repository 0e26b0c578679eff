// The widow's way through (一位老人的办事全程), from an officer's sign-in to a line in the bank file.
//
// ARCHITECTURE.md tells the story; this walks it with the officers who would do it, in one of the two languages, with
// scripts or without. Deliberately absent: programmes' names and amounts written here by hand, except the one that the
// demo's own tour promises; the page's own words are compared with each other.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { act, fill, idNumber, leave, moveTimeOn, open, showAgain, signIn } from "../desk.mjs";

/** Born half a year more than 72 years before the demo's day, in a county that does not exist. */
const WIDOW = { name: "梁秀兰", id: idNumber("440390", "19531201", 2) };
/** A one-page scan, as small as a valid picture can be. */
const SCAN = { name: "scan.png", mimeType: "image/png", buffer: Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64") };

export function widow(lang, js) {
  const name = `widow-${lang}${js ? "" : "-without-scripts"}`;
  return { name, walk: (journey) => walk(journey, { lang, js }) };
}

async function walk({ browser, say }, { lang, js }) {
  const window = await browser.person("window", { lang, js });
  await signIn(window, "chuangkou");
  await window.inspects("home");

  say("the officer types her identity number; the register knows her household");
  await window.goes("/apply");
  await window.page.locator("[name=who]").fill(WIDOW.id);
  await leave(window, () => window.page.locator("form[action='/apply'] button[type=submit]").first().click());
  assert.match(window.page.url(), /\/households\//, "the household opens");
  await window.inspects("household");

  say("one form, each fact once; the rule book beside it");
  await leave(window, () => window.page.locator("form[action='/drafts'] button[type=submit]").first().click());
  const draft = new URL(window.page.url()).pathname;
  const panel = window.page.locator("#preview");
  const marks = async () => (await panel.innerText()).replaceAll(/\s+/g, " ");
  const before = await marks();
  await window.inspects("form");
  let answered = false;
  for (let pages = 0; pages < 12 && !window.page.url().endsWith("/check"); pages++) {
    const deposits = window.page.locator('.member input[name$=".deposits"]').first();
    if (!answered && (await deposits.count()) && (await deposits.isVisible())) {
      // Waited for from before it is typed: the answer may be quicker than the next line.
      const saved = js && window.page.waitForResponse((answer) => answer.url().endsWith("/save") && answer.ok());
      await deposits.fill("3000");
      await saved;
      answered = true;
      await window.inspects("form-deposits");
    }
    await leave(window, () => window.page.locator("button[name=go][value=next]").click());
  }
  assert.ok(answered, "the form asks for the deposits nobody knew");
  assert.equal(new URL(window.page.url()).pathname, `${draft}/check`);
  await window.goes(draft);
  const after = await marks();
  assert.notEqual(after, before, "what the rule book says changed with the answer");
  say(`before: ${before.slice(0, 120)}`);
  say(`after:  ${after.slice(0, 120)}`);

  say("she hands in");
  await window.goes(`${draft}/check`);
  await window.inspects("check");
  await leave(window, () => window.page.locator(`form[action="${draft}/submit"] button[type=submit]`).first().click());
  await window.inspects("submitted");
  const receipt = (await window.page.locator("main").innerText()).match(/[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]/)?.[0];
  assert.ok(receipt, "a receipt code is shown");
  const cases = await window.page.locator('main a[href^="/cases/"]').evaluateAll((links) => [...new Set(links.map((link) => new URL(link.href).pathname))]);
  assert.ok(cases.length >= 2, `one case for each programme: ${cases}`);

  say("the public sees how far it is, and nothing about her");
  const visitor = await browser.person("visitor", { lang, js });
  await visitor.goes("/progress");
  await visitor.inspects("progress");
  await visitor.page.locator("[name=code]").fill(receipt);
  await visitor.page.locator("[name=tail]").fill("9001");
  await leave(visitor, () => visitor.page.locator("main form button[type=submit]").first().click());
  await visitor.inspects("progress-found");
  const shown = await visitor.page.locator("main").innerText();
  assert.ok(!shown.includes(WIDOW.name) && !shown.includes(WIDOW.id.slice(-6)), "no personal data on the progress page");

  const street = await browser.person("street", { lang, js });
  await signIn(street, "jiedao");
  await street.inspects("home");
  const district = await browser.person("district", { lang, js });
  await signIn(district, "qushen");
  await district.inspects("home");

  const granted = [];
  for (const path of cases) {
    await window.goes(path);
    const walked = (await window.page.locator('form[action$="/acts/accept"] [name="accept.staff_relative"]').count())
      ? await household({ window, street, district, browser, visitor, path, js, say })
      : await allowance({ window, street, path, say });
    granted.push(walked);
  }

  say("the money: proposed, released by another, in the bank's file");
  await pay({ browser, lang, js, say, granted: granted.length });

  say("the auditor sees who did what");
  const auditor = await browser.person("auditor", { lang, js });
  await signIn(auditor, "shenji");
  await auditor.inspects("home");
  await auditor.goes("/journal");
  await auditor.inspects("journal");
  await auditor.goes("/enquiries");
  await auditor.inspects("enquiries");
  assert.match(await auditor.page.locator("main").innerText(), /HD2026-000001/);
}

/** The long procedure: enquiry, visit, opinion, notice, the district's decision. */
async function household({ window, street, district, browser, visitor, path, js, say }) {
  say(`${path}: acceptance and authorisation`);
  await act(window, "accept", { fields: { staff_relative: "false" } });
  await authorise(window, path);
  await window.inspects("case-accepted");

  await verification({ street, district, path, say });

  say(`${path}: home visit by two, opinion`);
  await street.goes(path);
  await act(street, "start_investigation");
  await attach(street, path, "visit_form");
  await act(street, "visit", { fields: { visit_date: "2026-06-01", visit_result: "as_declared", visitors_unrelated: "unrelated" }, participants: ["李文静", "周立新"] });
  await act(street, "preliminary_opinion", { opinion: "入户情况与申报一致，建议确认。" });
  await street.inspects("case-opined");

  say(`${path}: seven days of notice, seen by anybody`);
  await act(street, "post_notice");
  await visitor.goes("/notices");
  await visitor.inspects("notices");
  const notice = await visitor.page.locator("main").innerText();
  assert.ok(!notice.includes(WIDOW.id), "the notice holds no identity number");
  await street.goes(path);
  await moveTimeOn(street, "day", 8);
  await street.goes(path);
  await act(street, "report_to_district");

  say(`${path}: the district decides`);
  await signInAgain(district, "qushen");
  await district.goes(path);
  await district.inspects("case-decision");
  await act(district, "confirm", { opinion: "同意确认。" });
  await district.inspects("case-granted");
  await letter(district);
  return path;
}

/** The departments are asked; a car of the dead husband is found, taken, objected to, and the fact corrected by another. */
async function verification({ street, district, path, say }) {
  const { page } = street;
  const enquiry = `${path}/enquiry`;
  const verdict = async (person) => (await person.page.locator(".aside .verdict").last().innerText()).replaceAll(/\s+/g, " ");
  say(`${path}: eight departments and more are asked`);
  await street.goes(enquiry);
  await street.inspects("enquiry-before");
  await leave(street, () => page.locator(`form[action="${enquiry}"] button[type=submit]`).first().click());
  assert.match(page.url(), /done=asked/);
  await street.inspects("enquiry-report");
  // Of all that was found one line changes what the rules say; the children have no car, which changes nothing.
  const car = page.locator("tr", { hasText: "→" }).locator('input[name=take][value^="vehicle.vehicles."]');
  assert.equal(await car.count(), 1, "one car is found that changes the answer, of one person");
  const line = await car.getAttribute("value");
  const pdf = await page.context().request.get(new URL(await page.locator('a[href$="/pdf"]').first().getAttribute("href"), page.url()).href);
  assert.equal((await pdf.body()).subarray(0, 5).toString(), "%PDF-");
  await leave(street, () => page.locator('form[action$="/reproduce"] button').click());
  assert.match(page.url(), /done=same/, "the report can be made again");

  say(`${path}: the car is taken`);
  await street.goes(`${path}/findings`);
  const before = await verdict(street);
  await street.goes(enquiry);
  for (const box of await page.locator("input[name=take]").all()) {
    await box.setChecked((await box.getAttribute("value")) === line);
  }
  await leave(street, () => page.locator('form[action$="/take"] button[type=submit]').click());
  assert.match(page.url(), /done=taken/);
  await street.goes(`${path}/findings`);
  const withCar = await verdict(street);
  assert.notEqual(withCar, before, "the car changes what the rules say");

  say(`${path}: she objects; another officer answers`);
  await street.goes(enquiry);
  await leave(street, () => page.locator(`a[href$="&object=${line}"]`).first().click());
  const objects = page.locator('form[action$="/object"]');
  await objects.locator("[name=by]").selectOption({ index: 1 });
  await objects.locator("[name=said]").fill("车是亡夫的，三年前已经报废。");
  await objects.locator("[name=papers]").fill("机动车注销证明");
  await street.inspects("enquiry-objecting");
  await leave(street, () => objects.locator("button[type=submit]").click());
  assert.match(page.url(), /done=objected/);
  assert.equal(await page.locator('form[action*="/objections/"]').count(), 0, "who took it does not answer");
  await signInAgain(district, "qushen");
  await district.goes(enquiry);
  const answers = district.page.locator('form[action*="/objections/"]');
  await open(district, answers);
  await fill(answers.locator("[name=answer_result]"), "upheld");
  await answers.locator("[name=answer_reason]").fill("车管所复核：已注销。");
  await answers.locator("[name=value]").fill("0");
  await answers.locator("[name=number]").fill("车管复〔2026〕9号");
  await leave(district, () => answers.locator("button[type=submit]").click());
  assert.match(district.page.url(), /done=answered/);
  await district.inspects("enquiry-corrected");
  await street.goes(`${path}/findings`);
  assert.equal(await verdict(street), before, "corrected, the rules say what they said before");
  await street.goes(enquiry);
  assert.equal(await page.locator(`input[name=take][value="${line}"]`).count(), 0, "what was refuted is not offered again");
  say(`before ${before} · with the car ${withCar} · corrected as before`);
}

/** The short procedure: acceptance, then the street's decision. */
async function allowance({ window, street, path, say }) {
  say(`${path}: the short procedure`);
  await signInAgain(window, "chuangkou");
  await window.goes(path);
  await act(window, "accept");
  await signInAgain(street, "jiedao");
  await street.goes(path);
  await act(street, "confirm", { opinion: "核对无误，同意。" });
  await street.inspects("allowance-granted");
  return path;
}

/** Time moved on may have ended somebody's session; then the desk is not the desk. */
async function signInAgain(person, login) {
  await person.page.goto("/");
  if ((await person.page.locator("body.desk").count()) === 0) await signIn(person, login);
}

/** Everybody signs on the screen, the children through their guardian; the form has ticked whoever has not signed yet. */
async function authorise(person, path) {
  await person.goes(path);
  const form = person.page.locator(`form[action="${path}/authorise"]`);
  await form.waitFor({ state: "attached" });
  await open(person, form);
  await fill(form.locator("[name=auth_way]"), "screen");
  await form.locator("[name=auth_by]").selectOption({ index: 1 });
  await leave(person, () => form.locator("button[type=submit]").first().click());
  assert.match(person.page.url(), /done=authorised/);
}

async function attach(person, path, kind) {
  await person.goes(path);
  const form = person.page.locator(`form[action="${path}/evidence"]`);
  await open(person, form);
  await form.locator("[name=paper_kind]").selectOption(kind);
  await form.locator("[name=paper_file]").setInputFiles(SCAN);
  await leave(person, () => form.locator("button[type=submit]").first().click());
  assert.match(person.page.url(), /done=evidence/);
}

async function letter(person) {
  const { page } = person;
  const link = page.locator('a[href*="/letters/"]').first();
  await link.waitFor();
  const href = await link.getAttribute("href");
  const answer = await page.context().request.get(new URL(href, page.url()).href);
  assert.equal(answer.status(), 200);
  assert.equal((await answer.body()).subarray(0, 5).toString(), "%PDF-");
}

async function pay({ browser, lang, js, say, granted }) {
  const finance = await browser.person("finance", { lang, js });
  await signIn(finance, "caiwu");
  await finance.inspects("home");
  await finance.goes("/pay-runs");
  await finance.inspects("pay-runs");
  const propose = finance.page.locator('form[action="/pay-runs"]').first();
  await open(finance, propose);
  await propose.locator("[name=month]").fill("2026-07");
  await leave(finance, () => propose.locator("button[type=submit]").first().click());
  await finance.inspects("pay-run-proposed");
  const run = new URL(finance.page.url()).pathname;

  say("whoever proposed is not offered the release; another officer is");
  assert.equal(await finance.page.locator(`form[action="${run}/release"]`).count(), 0);
  const second = await browser.person("second", { lang, js });
  await signIn(second, "caiwu2");
  await second.goes(run);
  await leave(second, () => second.page.locator(`form[action="${run}/release"] button[type=submit]`).first().click());
  say("before the money moves she shows once more that it is she");
  await second.inspects("pay-run-asked-again");
  await showAgain(second);
  await second.inspects("pay-run-released");

  await finance.goes(run);
  const file = finance.page.locator(`form[action="${run}/file"] button[value=csv]`);
  const [download] = await Promise.all([finance.page.waitForEvent("download"), file.click()]);
  const bytes = readFileSync(await download.path());
  await download.saveAs(join(browser.shots, "bank-file.csv"));
  const text = new TextDecoder("gb18030").decode(bytes);
  const lines = text.split("\n").filter((line) => line.includes(WIDOW.name));
  assert.equal(lines.length, granted, "one line in the bank file for each thing granted");
  for (const line of lines) say(`the line: ${line.trim()}`);
}
