// Without a mouse (键盘): every page can be walked with Tab, where one is is seen, and shortcuts can be switched off.

import assert from "node:assert/strict";
import { leave } from "../desk.mjs";
import { findPages } from "./round.mjs";

/** Where the focus is: what, how well it is seen, and whether something lies over it. */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body || element === document.documentElement) return null;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = (colour) => {
      const [red, green, blue] = numbers(colour).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    let ground = element.parentElement;
    while (ground.parentElement && (numbers(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0) ground = ground.parentElement;
    const [one, other] = [light(style.outlineColor), light(getComputedStyle(ground).backgroundColor)];
    const middle = document.elementFromPoint(Math.min(innerWidth - 1, Math.max(0, box.left + box.width / 2)), Math.min(innerHeight - 1, Math.max(0, box.top + box.height / 2)));
    const order = [...document.querySelectorAll("*")].indexOf(element);
    return {
      what: `<${element.tagName.toLowerCase()} ${element.getAttribute("href") ?? element.getAttribute("name") ?? ""}> “${(element.textContent || element.value || "").trim().slice(0, 20)}”`,
      order,
      inner: element.matches("[type=date], [type=month]"),
      tabindex: element.tabIndex,
      visible: element.matches(":focus-visible") || ["INPUT", "SELECT", "TEXTAREA"].includes(element.tagName),
      outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
      contrast: (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05),
      inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
      over: middle && !element.contains(middle) && !middle.contains(element) && !(element.labels && [...element.labels].some((label) => label.contains(middle))) ? middle.tagName + "." + middle.className : null,
    };
  });
}

/** Walk a page from its beginning to its end with Tab; what is wrong on the way, in words. */
async function walk(page, path, faults) {
  await page.goto(path);
  await page.evaluate(() => document.activeElement?.blur());
  const expected = await page.evaluate(() => document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary").length);
  let before = -1;
  let steps = 0;
  for (; steps < Math.min(expected + 30, 120); steps++) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    if (!at || at.order < before) break; // The end: the browser's own controls come next.
    if (steps === 0 && !/跳到正文/.test(at.what)) faults.push(`${path}: the first stop is ${at.what}, not the way to the content`);
    // A date has stops of its own inside: year, month, day, calendar. The browser draws them.
    if (at.order === before && at.inner) continue;
    if (at.order === before) faults.push(`${path}: stuck at ${at.what}`);
    if (at.tabindex > 0) faults.push(`${path}: an order of its own at ${at.what}`);
    if (!at.visible || at.outline < 2) faults.push(`${path}: focus not seen (${at.outline} px) at ${at.what}`);
    else if (at.contrast < 3) faults.push(`${path}: focus seen with ${at.contrast.toFixed(1)}:1 only at ${at.what}`);
    if (!at.inside) faults.push(`${path}: ${at.what} is outside of the window`);
    else if (at.over) faults.push(`${path}: ${at.what} lies under ${at.over}`);
    if (faults.length > 30) return;
    before = at.order;
  }
  if (steps < 4) faults.push(`${path}: only ${steps} stops`);
}

const WALKED = ["/sign-in", "/programmes", "/progress", "/ (chuangkou)", "/apply", "/people/new", "/people/{id}", "/households/{id}", "/drafts/{id}", "/drafts/{id}/check", "/cases", "/cases/{id}", "/search", "/pay-runs", "/rules/{id}", "/statistics", "/journal", "/leads"];

export const keyboard = [
  {
    name: "UX-07 every stop of Tab is seen, uncovered and in order; the way to the content comes first",
    async run({ room }) {
      const { pages } = await room.once("pages", () => findPages(room));
      const faults = [];
      let walked = 0;
      for (const { pattern, path, login } of pages.filter(({ pattern }) => WALKED.includes(pattern))) {
        const person = login ? await room.officer(login) : await room.visitor();
        await walk(person.page, path, faults);
        await person.page.context().close();
        walked += 1;
      }
      assert.ok(walked >= 12, `${walked} pages walked`);
      assert.equal(faults.length, 0, faults.join("\n  "));
      const visitor = await room.visitor();
      await visitor.goes("/programmes");
      await visitor.page.keyboard.press("Tab");
      await visitor.page.keyboard.press("Enter");
      await visitor.page.keyboard.press("Tab");
      assert.ok(await visitor.page.evaluate(() => document.activeElement.closest("main") !== null), "the skip link leads past the frame");
    },
  },
  {
    name: "UX-07 an officer signs in, finds somebody and opens a record by keyboard alone",
    async run({ room }) {
      const officer = await room.visitor();
      const { page } = officer;
      await officer.goes("/sign-in");
      await page.locator("[name=login]").first().focus();
      await page.keyboard.type("chuangkou");
      await page.keyboard.press("Tab");
      await page.keyboard.type("Yanshi-2026");
      await leave(officer, () => page.keyboard.press("Enter"));
      room.forget("chuangkou");
      await page.keyboard.press("/");
      await page.keyboard.type("梁秀兰");
      await leave(officer, () => page.keyboard.press("Enter"));
      await page.keyboard.press("j");
      await leave(officer, () => page.keyboard.press("Enter"));
      assert.match(page.url(), /\/people\//);
      await page.locator(".user > summary").focus();
      await page.keyboard.press("Enter");
      assert.ok(await page.locator(".user .menu").isVisible());
      await page.keyboard.press("Escape");
      assert.equal(await page.locator(".user .menu").isVisible(), false, "Escape closes the menu");
    },
  },
  {
    name: "UX-08 shortcuts / n j k Enter Ctrl+S Ctrl+Enter ?, which can be switched off",
    async run({ room }) {
      const officer = await room.officer("chuangkou");
      const { page } = officer;
      await officer.goes("/cases");
      await page.keyboard.press("/");
      assert.equal(await page.evaluate(() => document.activeElement.id), "q");
      await page.keyboard.type("n");
      assert.equal(await page.locator("#q").inputValue(), "n", "a letter typed into a field is a letter");
      await page.evaluate(() => document.activeElement.blur());
      for (const [key, row] of [["j", 0], ["j", 1], ["k", 0]]) {
        await page.keyboard.press(key);
        assert.equal(await page.evaluate(() => [...document.querySelectorAll("tr[data-row]")].findIndex((row) => row.contains(document.activeElement))), row, `${key} leads to row ${row}`);
      }
      const there = await page.evaluate(() => document.activeElement.getAttribute("href"));
      await leave(officer, () => page.keyboard.press("Enter"));
      assert.equal(new URL(page.url()).pathname, there.split("?")[0]);
      await leave(officer, () => page.keyboard.press("?"));
      assert.equal(new URL(page.url()).pathname, "/help");
      await officer.goes("/");
      await leave(officer, () => page.keyboard.press("n"));
      assert.equal(new URL(page.url()).pathname, "/apply");

      const draft = await room.draft(officer, 4);
      await officer.goes(draft);
      const field = page.locator("form[data-draft] :is(input, select, textarea, button)").filter({ visible: true }).first();
      await field.focus();
      const saved = page.waitForResponse((answer) => answer.url().endsWith("/save"));
      await page.keyboard.press("Control+s");
      assert.ok((await saved).ok(), "Ctrl+S saves the draft");
      await leave(officer, () => page.keyboard.press("Control+Enter"));
      assert.ok(page.url().includes(draft) && !page.url().endsWith(draft), `Ctrl+Enter sends the form: ${page.url()}`);

      await officer.goes("/help");
      await page.locator("#shortcuts-off").check();
      for (const key of ["?", "n", "/", "j"]) {
        await officer.goes("/cases");
        await page.keyboard.press(key);
        await page.waitForTimeout(100);
        assert.equal(new URL(page.url()).pathname, "/cases", `${key} does nothing when switched off`);
        assert.notEqual(await page.evaluate(() => document.activeElement.id), "q");
      }
    },
  },
];
