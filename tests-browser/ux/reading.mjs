// Reading and looking (看得清、读得懂): every page in every mode, and the sentences of the public door.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { wantElderMode } from "../desk.mjs";
import { round } from "./round.mjs";
import { shades } from "./sight.mjs";

/** Pages no link leads to: they follow an act, a second factor, or are there only when such a thing happened. */
const NEEDS_AN_ACT = [
  "/sign-in/code", // a second factor enrolled; `web::…` tests walk it
  "/progress/{code}", // behind the QR of a receipt
  "/audit", // opened by its form on the journal
  "/exports/{id}", // a long list asked for
  "/rate/{code}", // behind the receipt's code
  "/ratings/{rating}", // somebody has rated
  "/verify/{code}", // behind a paper's code
];

const looked = (room) => room.once("round", () => round(room));

/** The faults of one kind over all pages, with where they are. */
function gather(looks, kind) {
  return looks.flatMap((seen) => seen[kind].map((fault) => `${seen.pattern} (${seen.path}): ${fault}`));
}

function none(faults) {
  assert.equal(faults.length, 0, `${faults.length} faults:\n  ${faults.slice(0, 40).join("\n  ")}`);
}

const PUBLIC = ["/", "/programmes", "/progress", "/notices", "/help", "/sign-in"];

export const reading = [
  {
    name: "UX-02 axe finds nothing on any page, light, dark, elder mode, 200 % zoom",
    async run({ room }) {
      const { looks, missed } = await looked(room);
      none(["light", "dark", "elder", "zoom"].flatMap((mode) => gather(looks, mode).map((fault) => `${mode}: ${fault}`)));
      const unexpected = missed.filter((pattern) => !NEEDS_AN_ACT.includes(pattern));
      room.say(`looked at ${looks.length} pages in four modes; not reached by a link: ${missed.join(" ")}`);
      assert.ok(unexpected.length <= 12, `too many pages nobody reaches by links: ${unexpected.join(" ")}`);
    },
  },
  {
    name: "UX-03 elder mode's letters are 18 px at least, the largest 30, lines and paragraphs apart",
    async run({ room }) {
      none(gather((await looked(room)).looks, "letters"));
    },
  },
  {
    name: "UX-04 targets: 60 and 44 px in elder mode, 32 and 24 px otherwise",
    async run({ room }) {
      const { looks } = await looked(room);
      none([...gather(looks, "elderTargets").map((fault) => `elder: ${fault}`), ...gather(looks, "targets")]);
    },
  },
  {
    name: "UX-06 reflow at 320 px: nothing scrolls sideways but a table in its frame",
    async run({ room }) {
      none(gather((await looked(room)).looks, "narrow"));
    },
  },
  {
    name: "UX-40 help, the phone and somebody to help stand in the same place on every page",
    async run({ room }) {
      const { looks } = await looked(room);
      const kinds = new Set(looks.map(({ help }) => help));
      assert.equal(kinds.size, 1, [...kinds].join("\n"));
      assert.match([...kinds][0], /^last on the page: 需要帮助？ \| \[\/help\] 帮助 \| \[tel:12345\] 服务热线 12345 \| 找人帮办：/);
      const visitor = await room.visitor();
      await visitor.page.goto("/nowhere-at-all");
      assert.ok(await visitor.page.locator('footer.foot a[href="tel:12345"]').isVisible(), "also where nothing is found");
    },
  },
  {
    name: "UX-37 dark follows the system, can be forced, comes with the first byte; print is always light",
    async run({ room }) {
      const { looks } = await looked(room);
      none(looks.filter(({ darkShades }) => darkShades.ground > 0.2).map(({ path }) => `${path} stays light in the dark`));
      none(looks.filter(({ print }) => print.grounds < 0.95 || print.letters > 0.3).map(({ path, print }) => `${path} prints dark: ${JSON.stringify(print)}`));
      // Without scripts there is nothing that could switch late: what is forced stands in the page as sent.
      const officer = await room.officer("qushen", { js: false });
      for (const [theme, system, dark] of [["dark", "light", true], ["light", "dark", false], ["", "dark", true]]) {
        await officer.page.emulateMedia({ colorScheme: system });
        await officer.goes("/account");
        await officer.page.locator(".user > summary").click();
        await officer.page.locator(`.themes button[value="${theme}"]`).click();
        await officer.page.waitForLoadState();
        assert.equal(await officer.page.locator("html").getAttribute("data-theme"), theme || null);
        const { ground } = await shades(officer.page);
        assert.equal(ground < 0.2, dark, `“${theme}” on a ${system} system: ${ground}`);
      }
    },
  },
  {
    name: "UX-05 elder mode is found on the first screen, by four words, and remembered",
    async run({ room }) {
      const { looks } = await looked(room);
      none(looks.filter(({ elderEntry }) => !elderEntry).map(({ path }) => `${path}: no entry on the first screen`));
      const visitor = await room.visitor({ width: 390, height: 844 });
      for (const word of ["长辈版", "亲情版", "关爱版", "关怀版"]) {
        await visitor.goes("/programmes");
        await visitor.page.locator("main [name=text]").fill(word);
        await Promise.all([visitor.page.waitForNavigation(), visitor.page.locator("main form.filters button").click()]);
        assert.ok(await visitor.page.locator("main button[name=size][value=elder]").isVisible(), `“${word}” finds the switch`);
        assert.ok(!/没有找到/.test(await visitor.page.locator("main").innerText()));
      }
      await Promise.all([visitor.page.waitForNavigation(), visitor.page.locator("main button[name=size][value=elder]").click()]);
      await visitor.goes("/notices");
      assert.equal(await visitor.page.locator("html").getAttribute("data-size"), "elder", "remembered on the next page");
      const cookie = (await visitor.page.context().cookies()).find(({ name }) => name === "size");
      assert.ok(cookie.expires > Date.now() / 1000 + 300 * 86400, "and for a year");
    },
  },
  {
    name: "UX-42 public sentences have 30 characters on average at most",
    async run({ room }) {
      const visitor = await room.visitor();
      await visitor.goes("/programmes");
      const sheets = await visitor.page.locator('main a[href^="/programmes/"]').evaluateAll((links) => links.map((link) => link.getAttribute("href")));
      const long = [];
      for (const path of [...PUBLIC, ...new Set(sheets)]) {
        await visitor.goes(path);
        const texts = await visitor.page.locator("main").evaluate((main) => {
          // What the law says is quoted as it stands, and a table is no sentence.
          const blocks = [...main.querySelectorAll("p, li, dd, .hint")].filter((block) => !block.closest(".law-quote, .law-text, details, table, nav") && !block.querySelector("p, li"));
          return blocks.map((block) => block.innerText.trim());
        });
        const sentences = texts.flatMap((text) => text.split(/[。！？；\n]/)).map((text) => text.replaceAll(/\s/g, "")).filter((text) => /\p{Script=Han}/u.test(text));
        if (sentences.length === 0) continue;
        const average = sentences.reduce((sum, text) => sum + [...text].length, 0) / sentences.length;
        if (average > 30) long.push(`${path}: ${average.toFixed(1)}, as in “${sentences.toSorted((one, other) => other.length - one.length)[0]}”`);
      }
      none(long);
    },
  },
  {
    name: "UX-44 a public page with all it loads weighs 100 KB at most, compressed",
    async run({ room }) {
      const visitor = await room.visitor();
      const heavy = [];
      for (const path of PUBLIC) {
        const parts = new Map();
        const note = async (answer) => parts.set(answer.url(), gzipSync(await answer.body().catch(() => Buffer.alloc(0))).length);
        const waiting = [];
        const listen = (answer) => waiting.push(note(answer));
        visitor.page.on("response", listen);
        await visitor.page.goto(path, { waitUntil: "load" });
        await Promise.all(waiting);
        visitor.page.off("response", listen);
        // Assets kept from an earlier page count as well: the first visit has to fetch them.
        const links = await visitor.page.locator("link[rel=stylesheet], link[rel=icon], script[src]").evaluateAll((all) => all.map((one) => one.href || one.src));
        for (const link of links) if (!parts.has(link)) parts.set(link, gzipSync(Buffer.from(await (await visitor.page.request.get(link)).body())).length);
        const weight = [...parts.values()].reduce((sum, size) => sum + size, 0);
        room.say(`${path}: ${(weight / 1024).toFixed(0)} KB`);
        if (weight > 100 * 1024) heavy.push(`${path}: ${weight}`);
      }
      none(heavy);
      const answer = await visitor.page.request.get("/", { headers: { "accept-encoding": "gzip" } });
      assert.equal(answer.headers()["content-encoding"], "gzip", "and it is sent compressed");
    },
  },
  {
    name: "UX-45 reading aloud: a button where there is a voice, none where there is none",
    async run({ room }) {
      const silent = await room.visitor();
      await silent.goes("/");
      assert.equal(await silent.page.locator("[data-aloud]").isVisible(), (await silent.page.evaluate(() => (window.speechSynthesis?.getVoices() ?? []).some(({ lang, localService }) => localService && lang.startsWith("zh")))), "shown only with a voice");
      const heard = await room.visitor();
      await heard.page.addInitScript(() => {
        window.said = [];
        const speech = { getVoices: () => [{ lang: "zh-CN", localService: true }, { lang: "zh-CN", localService: false }], speak: (words) => window.said.push(words.text), cancel: () => {}, addEventListener: () => {} };
        Object.defineProperty(window, "speechSynthesis", { value: speech });
        window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
      });
      await heard.goes("/programmes");
      await heard.page.context().setOffline(true);
      const button = heard.page.locator("[data-aloud]");
      await button.click();
      assert.equal(await button.getAttribute("aria-pressed"), "true");
      const said = (await heard.page.evaluate(() => window.said)).join("");
      assert.match(said, /办事事项[^]*申请不收费/);
      await button.click();
      assert.equal(await button.getAttribute("aria-pressed"), "false", "pressed again it stops");
      // A voice that speaks over the network would send the page away: it is no voice here.
      const sent = await room.visitor();
      await sent.page.addInitScript(() => Object.defineProperty(window, "speechSynthesis", { value: { getVoices: () => [{ lang: "zh-CN", localService: false }], cancel: () => {}, addEventListener: () => {} } }));
      await sent.goes("/programmes");
      assert.equal(await sent.page.locator("[data-aloud]").isVisible(), false);
      const officer = await room.officer("chuangkou", { width: 390, height: 844 });
      await officer.goes("/");
      await wantElderMode(officer);
      assert.equal(await officer.page.locator("[data-aloud]").count(), 0, "the desk has none");
    },
  },
];
