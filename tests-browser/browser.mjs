// Chromium and the people in front of it (浏览器与用户): one window for each officer, watched while they work.
//
// Guarantees: nothing is fetched from another host; console errors, uncaught exceptions and policy violations are
// collected and fail the journey. Deliberately absent: waiting by the clock. A step waits for what it needs to see.

import { chromium } from "playwright-core";
import { join } from "node:path";
import { inspect } from "./looks.mjs";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export class Browser {
  static async start({ chromium: executablePath, base, shots }) {
    const browser = new Browser();
    browser.base = base;
    browser.shots = shots;
    browser.noises = [];
    browser.people = [];
    browser.chromium = await chromium.launch({ executablePath, args: FLAGS });
    return browser;
  }

  /** Somebody sits down: own cookies, own window. `lang` zh or en, `js` false for a browser without scripts, `state` the
   *  cookies of a session that is there already. */
  async person(name, { lang = "zh", js = true, width = 1440, height = 900, elder = false, state } = {}) {
    const context = await this.chromium.newContext({
      baseURL: this.base,
      locale: lang === "en" ? "en-US" : "zh-CN",
      timezoneId: "Asia/Shanghai",
      javaScriptEnabled: js,
      viewport: { width, height },
      acceptDownloads: true,
      storageState: state,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const person = new Person(this, name, page, { lang, js, elder });
    this.watch(person);
    this.people.push(person);
    return person;
  }

  watch({ name, page }) {
    page.on("console", (message) => {
      if (message.type() === "error") this.noises.push(`${name}: console: ${message.text()} (${page.url()})`);
    });
    page.on("pageerror", (error) => this.noises.push(`${name}: exception: ${error.message} (${page.url()})`));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.base) && !url.startsWith("data:") && !url.startsWith("blob:")) this.noises.push(`${name}: asked another host: ${url}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 500) this.noises.push(`${name}: ${response.status()} from ${response.url()}`);
    });
  }

  /** A refused form (4xx) also shows on the console: such a line is expected where the journey says so. */
  forgive(pattern) {
    this.noises = this.noises.filter((noise) => !pattern.test(noise));
  }

  insistOnQuiet() {
    if (this.noises.length > 0) throw new Error(`the pages were not quiet:\n  ${[...new Set(this.noises)].join("\n  ")}`);
  }

  async shootAll(label) {
    for (const person of this.people) await person.shoot(label).catch(() => {});
  }

  async stop() {
    await this.chromium.close();
  }
}

/** Somebody in front of a window: an officer or a visitor. */
export class Person {
  constructor(browser, name, page, { lang, js, elder }) {
    Object.assign(this, { browser, name, page, lang, js, elder, shot: 0 });
  }

  /** The word in this person's language. */
  word(zh, en) {
    return this.lang === "en" ? en : zh;
  }

  async goes(path) {
    const answer = await this.page.goto(path);
    if (!answer.ok()) throw new Error(`${this.name}: ${path} answered ${answer.status()}`);
    return answer;
  }

  async sees(text) {
    await this.page.getByText(text).first().waitFor({ state: "visible" });
  }

  async shoot(label) {
    this.shot += 1;
    const file = `${this.name}-${String(this.shot).padStart(2, "0")}-${label}.png`;
    await this.page.screenshot({ path: join(this.browser.shots, file), fullPage: true });
  }

  /** Look at the page as a whole: accessibility, overflow, clipped texts; keep a picture. */
  async inspects(label) {
    await this.shoot(label);
    await inspect(this.page, `${this.name}, ${label}`, { scripts: this.js });
  }
}
