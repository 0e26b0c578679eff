// A rule is changed (修改规则): the rule officer drafts a new standard, the worked cases tell, the district publishes it.
//
// A value changed in place turns cases red and is thrown away; a dated value passes, is proposed, refused to the one who
// wrote it, and published by the second officer; the rule's own page then shows it.

import assert from "node:assert/strict";
import { leave, showAgain, signIn } from "../desk.mjs";

const SOURCE = "演示〔2026〕9号第一条";

export const rules = (script) => ({
  name: `rules-${script ? "script" : "noscript"}`,
  on: ["sqlite"],
  async walk({ browser, say }) {
    const writer = await browser.person("writer", { js: script });
    await signIn(writer, "guize");
    const { page } = writer;
    const main = () => page.locator("main").innerText();

    say("a value changed in place: red cases");
    await writer.goes("/rules");
    const rule = await page.locator('main a[href^="/rules/"][href*="old_age_allowance"]').first().getAttribute("href");
    await writer.goes(rule);
    await leave(writer, () => page.locator('a[href$="/edit"]').click());
    await writer.inspects("edit");
    const text = page.locator("textarea[name=text]");
    await text.fill((await text.inputValue()).replace(/(\[old_age_rates\][^]*?\{ \d+ = )\d+/, (_, before) => `${before}12345`));
    await leave(writer, () => page.locator("form:has(textarea[name=text]) button[type=submit]").click());
    assert.match(await main(), /办例不相符/);
    assert.match(await main(), /会改变以前的结果/);
    await writer.inspects("red");

    say("thrown away, and a dated value in its place");
    await leave(writer, () => page.locator('#check a[href^="/rules/drafts/"]').click());
    await leave(writer, () => page.locator('form[action$="/discard"] button').click());
    await writer.goes(`${rule}/edit`);
    const form = page.locator('form[action$="/value"]');
    await form.locator("[name=parameter]").selectOption("old_age_rates");
    await form.locator("[name=from]").fill("2031-01-01");
    await form.locator("[name=value]").fill("{ 80 = 12000, 90 = 22000, 100 = 32000 }");
    await form.locator("[name=source]").fill(SOURCE);
    await leave(writer, () => form.locator("button[type=submit]").click());
    assert.match(await main(), /通过，\d+ 个办例相符/);

    say("proposed, and not for the one who wrote it to publish");
    await leave(writer, () => page.locator('#check a[href^="/rules/drafts/"]').click());
    const draft = new URL(page.url()).pathname;
    const proposal = page.locator('form[action$="/propose"]');
    await proposal.locator("[name=from]").fill("2031-01-01");
    await proposal.locator("[name=basis]").fill("演示〔2026〕9号");
    await leave(writer, () => proposal.locator("button[type=submit]").click());
    assert.match(await main(), /已提请发布/);
    await leave(writer, () => page.locator('form[action$="/publish"] button').click());
    await showAgain(writer);
    assert.match(await main(), /由另一位同事办理/);

    say("the second officer publishes");
    const second = await browser.person("second", { js: script });
    await signIn(second, "qushen");
    await second.goes(draft);
    await second.inspects("proposal");
    await leave(second, () => second.page.locator('form[action$="/publish"] button').click());
    await showAgain(second);
    assert.match(await second.page.locator("main").innerText(), /已发布/);
    await second.goes("/rules/editions");
    await second.inspects("history");
    await second.goes(rule);
    assert.ok((await second.page.locator("main").innerText()).includes(SOURCE), "the rule shows the new value with its source");
    browser.forgive(/422/);
  },
});
