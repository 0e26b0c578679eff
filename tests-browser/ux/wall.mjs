// The cockpit on a wall (驾驶舱): one screen without scrolling, renewed by itself, each number leading to its list.

import assert from "node:assert/strict";
import { leave } from "../desk.mjs";
import { inspect } from "../looks.mjs";

export const wall = [
  {
    name: "UX-35 the cockpit fills 1920 × 1080 without scrolling, renews itself, and its numbers open their lists",
    async run({ room }) {
      const leader = await room.officer("qushen", { width: 1920, height: 1080 });
      const { page } = leader;
      await page.clock.install();
      await leader.goes("/cockpit");
      assert.equal(await page.locator("html").getAttribute("data-theme"), "dark", "dark unless chosen otherwise");
      const size = await page.evaluate(() => [document.documentElement.scrollHeight, document.documentElement.scrollWidth]);
      assert.ok(size[0] <= 1080 && size[1] <= 1920, `no scrolling at 1920 × 1080: ${size}`);
      assert.match(await page.locator("main").innerText(), /统计到 2026-06-01/);
      await inspect(page, "the wall", { scripts: true });
      await leader.shoot("wall");

      // A minute later the numbers are made anew in place, in the same document.
      await page.evaluate(() => { window.stays = true; });
      const renewed = page.waitForResponse((answer) => new URL(answer.url()).pathname === "/cockpit" && answer.ok());
      await page.clock.fastForward(61_000);
      await (await renewed).finished();
      await page.locator("#wall .great a").first().waitFor();
      assert.ok(await page.evaluate(() => window.stays === true), "the page itself stays");

      for (const list of ["/rights?", "/pay-lines?", "/cases?kind=working"]) {
        await leader.goes("/cockpit");
        const link = page.locator(`#wall a[href^="${list}"]`).first();
        const said = (await link.innerText()).match(/[\d,.]+\s*$/)[0].trim();
        await leave(leader, () => link.click());
        assert.ok((await page.locator("main").innerText()).includes(said), `${list} proves ${said}`);
      }
      await leader.goes("/cockpit");
      await leave(leader, () => page.getByRole("link", { name: "退出驾驶舱" }).click());
      assert.equal(new URL(page.url()).pathname, "/statistics");

      // Without scripts one asks for a page that renews itself.
      const plain = await room.officer("qushen", { js: false });
      await plain.goes("/cockpit");
      const asked = plain.page.getByRole("link", { name: "每分钟更新" });
      const answer = await plain.page.request.get(await asked.getAttribute("href"));
      assert.equal(answer.headers().refresh, "60");
      for (const width of [1440, 390]) {
        const small = await room.officer("qushen", { width, height: 900 });
        await small.goes("/cockpit");
        await inspect(small.page, `the wall at ${width}`, { scripts: true });
        await small.shoot(`wall-${width}`);
      }
    },
  },
];
