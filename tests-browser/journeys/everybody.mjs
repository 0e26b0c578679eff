// Everybody at once (全人口): policy finds people, and what another standard would mean, as officers meet them.
//
// A window officer opens a lead the sweep found, notes the visit and helps to apply; the district runs the sweep and tries
// another standard; the rule officer turns the values tried into a draft. Looked at wide, on a telephone and in elder mode.

import assert from "node:assert/strict";
import { leave, signIn, wantElderMode } from "../desk.mjs";

export const everybody = (script) => ({
  name: `everybody-${script ? "script" : "noscript"}`,
  on: ["sqlite"],
  async walk({ browser, say }) {
    say("the window officer: a lead, a visit, an application");
    const window = await browser.person("window", { js: script });
    await signIn(window, "chuangkou");
    await window.goes("/leads?kind=due");
    await window.inspects("leads");
    await leave(window, () => window.page.locator("main td a.open").first().click());
    const lead = new URL(window.page.url()).pathname;
    await window.inspects("lead");
    await window.page.locator("details:has(form[action$='/visit']) > summary").click();
    await window.page.locator("[name=visit]").fill("已上门，本人愿意申请");
    await leave(window, () => window.page.locator("form[action$='/visit'] button").click());
    assert.match(await window.page.locator("main").innerText(), /已上门，本人愿意申请/);
    await leave(window, () => window.page.locator("form[action='/drafts'] button").click());
    assert.match(window.page.url(), /\/drafts\//);

    say("another street's officer cannot reach it");
    const elsewhere = await browser.person("elsewhere", { js: script });
    await signIn(elsewhere, "chuangkou2");
    const answer = await elsewhere.page.goto(lead);
    assert.equal(answer.status(), 404);

    say("the district sweeps everybody");
    const district = await browser.person("district", { js: script });
    await signIn(district, "qushen");
    await district.goes("/leads/sweep");
    await leave(district, () => district.page.locator("form[action='/leads/sweep'] button").click());
    for (let tries = 0; tries < 60; tries++) {
      await district.page.waitForTimeout(1000);
      await district.goes("/leads/sweep");
      if (/完成/.test(await district.page.locator("main").innerText())) break;
    }
    assert.match(await district.page.locator("main").innerText(), /上一次比对于 .* 完成/);
    await district.inspects("sweep");

    say("and tries another standard");
    await district.goes("/simulate");
    const field = district.page.locator("main form input.number").first();
    const now = Number(await field.getAttribute("placeholder"));
    await field.fill(String(now + 100));
    if (script) await Promise.all([district.page.locator("#answer table").first().waitFor(), field.dispatchEvent("change")]);
    else await leave(district, () => district.page.locator("form:has(input.number) button.primary").click());
    assert.match(await district.page.locator("#answer").innerText(), /每月多支出/);
    await district.inspects("simulate");
    for (const [label, width, elder] of [["390", 390, false], ["elder", 390, true]]) {
      const small = await browser.person(`district-${label}`, { js: script, width, height: 844 });
      await signIn(small, "qushen");
      if (elder) await wantElderMode(small);
      const name = await field.getAttribute("name");
      for (const path of ["/leads", lead, "/leads/sweep", `/simulate?${name}=${now + 100}`]) {
        await small.goes(path);
        await small.inspects(`${label}${path.split("?")[0].replaceAll("/", "-")}`);
      }
    }

    say("the rule officer drafts the very values");
    const writer = await browser.person("writer", { js: script });
    await signIn(writer, "guize");
    await writer.goes(`/simulate?${await field.getAttribute("name")}=${now + 100}`);
    await writer.inspects("writer");
    const draft = writer.page.locator("form[action='/simulate/draft']").first();
    await draft.locator("[name^=source]").fill("演示〔2026〕10号");
    await leave(writer, () => draft.locator("button").click());
    assert.match(await writer.page.locator("main").innerText(), /草稿已保存并检查/);
    browser.forgive(/404/);
  },
});
