// When something is in the way (出错页): what happened, what to do next, and the number of the request.

import assert from "node:assert/strict";
import { axe, overflow } from "../looks.mjs";
import { handIn } from "./ways.mjs";

async function helpful(page, answer, status) {
  assert.equal(answer.status(), status, page.url());
  const words = await page.locator("main").innerText();
  const id = answer.headers()["x-request-id"];
  assert.ok(id && words.includes(id), `the page of ${status} carries the number of its request`);
  assert.match(words, /请/, `the page of ${status} says what to do`);
  assert.ok(await page.locator("main a.button.primary").isVisible(), `the page of ${status} leads on`);
  assert.ok(await page.locator('footer.foot a[href^="tel:"]').isVisible());
  const faults = [...(await overflow(page)), ...(await axe(page))];
  assert.equal(faults.length, 0, faults.join("\n"));
}

/** A form sent from this page to another address; the answer is what the visitor then sees. */
async function sends(page, path, fields) {
  const answered = page.waitForResponse((answer) => answer.request().isNavigationRequest() && answer.request().method() === "POST");
  const arrived = page.waitForNavigation({ waitUntil: "load" });
  await page.evaluate(([path, fields]) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = path;
    const csrf = document.querySelector("[name=csrf]")?.value ?? "";
    for (const [name, value] of Object.entries({ csrf, ...fields })) {
      const input = document.createElement("input");
      input.name = name;
      input.value = value;
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  }, [path, fields]);
  const [answer] = await Promise.all([answered, arrived]);
  return answer;
}

/** A receipt code that belongs to nobody and is right in itself: twelve symbols and their check, as `casework::receipt` makes it. */
function wellFormed(body) {
  const symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const sum = [...body].reduce((total, symbol, at) => total + symbols.indexOf(symbol) * (2 * at + 1), 0);
  return `${body.match(/.{4}/g).join("-")}-${symbols[sum % 32]}`;
}

export const trouble = [
  {
    name: "UX-43 the pages of 403, 404, 409 and 429 say what to do next and carry the number of the request",
    async run({ room }) {
      const visitor = await room.visitor({ width: 390, height: 844 });
      await helpful(visitor.page, await visitor.page.goto("/nowhere-at-all"), 404);
      const officer = await room.officer("guanli");
      await helpful(officer.page, await officer.page.goto("/journal"), 403);
      await officer.goes("/account");
      await helpful(officer.page, await sends(officer.page, "/account/sessions/end", { csrf: "forged" }), 403);

      const window = await room.officer("chuangkou");
      const { draft } = await handIn(room, window, 7);
      // Handed in: the draft is a case now, and somebody who still has the form open is told so.
      const answer = await window.page.goto(draft);
      await helpful(window.page, answer, 409);

      const tries = { code: wellFormed("7K3F9M2QXW4T"), tail: "0000" };
      await visitor.goes("/progress");
      for (let at = 0; at < 10; at++) assert.equal((await sends(visitor.page, "/progress", tries)).status(), 422, `try ${at + 1}`);
      const last = await sends(visitor.page, "/progress", tries);
      await helpful(visitor.page, last, 429);
      assert.ok(Number(last.headers()["retry-after"]) > 0, "and when to come back");
    },
  },
];
