import { chromium } from "playwright-core";
const base = process.argv[2];
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const c = await browser.newContext({ baseURL: base, locale: "zh-CN" });
const p = await c.newPage();
p.on("console", (m) => console.log("console", m.text())); 
await p.goto("/sign-in"); const f = p.locator("form:has(input[type=password])").first();
await f.locator("[name=login]").fill("qushen"); await f.locator("[name=password]").fill("Yanshi-2026");
await Promise.all([p.waitForNavigation(), f.locator("button[type=submit]").first().click()]);
const real = process.argv[3] === "real";
if (!real) await p.clock.install();
await p.goto("/cockpit");
p.on("request", (r) => console.log("asked", r.url()));
await p.waitForTimeout(500);
if (real) await p.waitForTimeout(63000); else { await p.clock.runFor(61000); await p.waitForTimeout(3000); }
console.log(await p.evaluate(() => document.querySelector("#wall")?.innerText.slice(-60)));
await browser.close();
