// What officers do at the desk (办事动作), in the words of a journey: sign in, find, fill in, act, move time on.
//
// Guarantees: everything goes through what a person sees and clicks; nothing is posted behind the page's back.
// Deliberately absent: expectations. The journey says what must be seen.

/** The demo's password; printed by the demo, known to everybody. */
const PASSWORD = "Yanshi-2026";

export async function signIn(person, login) {
  await person.goes("/sign-in");
  if (person.lang === "en") await chooseEnglish(person);
  const form = person.page.locator("form:has(input[type=password])").first();
  await form.locator("[name=login]").fill(login);
  await form.locator("[name=password]").fill(PASSWORD);
  await leave(person, () => form.locator("button[type=submit]").click());
}

/** An act that touches many people's money asks once more who is there; the same press goes on with the act. */
export async function showAgain(person) {
  const form = person.page.locator('form:has([name="again.shown"])');
  await form.waitFor();
  await form.locator('[name="again.shown"]').fill(PASSWORD);
  await leave(person, () => form.locator("button[type=submit]").first().click());
}

async function chooseEnglish({ page, ...person }) {
  if ((await page.locator("html").getAttribute("lang")).startsWith("en")) return;
  await page.getByRole("button", { name: "English" }).first().click();
  await page.locator('html[lang^="en"]').waitFor();
}

export async function wantElderMode({ page }) {
  await page.getByRole("button", { name: /长辈版|Larger|Elder|Senior/ }).first().click();
  await page.locator('html[data-size="elder"]').waitFor();
}

/** Click what leads to another page, and wait until it is there. */
export async function leave({ page }, click) {
  await Promise.all([page.waitForNavigation({ waitUntil: "load" }), click()]);
}

/** What the officer must do next is in the form of the act; its fields carry the act's name. */
export async function act(person, act, { fields = {}, opinion, participants } = {}) {
  const { page } = person;
  const form = page.locator(`form[action$="/acts/${act}"]`);
  await form.waitFor({ state: "attached" });
  await open(person, form);
  for (const [name, value] of Object.entries(fields)) await fill(form.locator(`[name="${act}.${name}"]`), value);
  if (opinion) await form.locator(`[name="${act}.opinion"]`).fill(opinion);
  if (participants) {
    for (const [at, name] of participants.entries()) await form.locator(`[name="${act}.participants"]`).nth(at).fill(name);
  }
  await leave(person, () => form.locator("button[type=submit]").first().click());
  const wrong = page.locator("[role=alert].errors, .errors[role=alert]");
  if (await wrong.count()) throw new Error(`${person.name}: “${act}” was refused: ${(await wrong.first().innerText()).trim()}`);
  if (!/[?&]done=/.test(page.url())) throw new Error(`${person.name}: after “${act}” the page is ${page.url()}`);
}

/** A form that is folded away is opened as a person opens it. */
export async function open(person, form) {
  if (await form.isVisible()) return;
  await person.page.locator("details").filter({ has: form }).locator("> summary").first().click();
  await form.waitFor({ state: "visible" });
}

/** Fill whatever kind of field it is: choice, list or text. */
export async function fill(field, value) {
  const first = field.first();
  const [tag, type] = await first.evaluate((element) => [element.tagName, element.type]);
  if (type === "radio") return field.and(field.page().locator(`[value="${value}"]`)).check();
  if (tag === "SELECT") return first.selectOption(String(value));
  return first.fill(String(value));
}

/** The banner of the demo moves time on: `day`, `week` or `month`. */
export async function moveTimeOn(person, step, times = 1) {
  for (let at = 0; at < times; at++) {
    const form = person.page.locator('form[action="/demo/clock"]').first();
    await leave(person, () => form.locator(`button[name=to][value=${step}]`).click());
  }
}

/** GB 11643: six digits of place, eight of birth, three of sequence, and the check. */
export function idNumber(place, birth, sequence) {
  const body = `${place}${birth}${String(sequence).padStart(3, "0")}`;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = [...body].reduce((total, digit, at) => total + Number(digit) * weights[at], 0);
  return body + "10X98765432"[sum % 11];
}
