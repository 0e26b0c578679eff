// The room all page tests share (共用的房间): one district, one browser, each officer signed in once.
//
// Guarantees: whoever asks for an officer gets a window of their own with that officer's session; windows are closed when
// the test is over. Deliberately absent: order. A test prepares what it needs; what two of them need is made here, once.

import { leave, signIn } from "../desk.mjs";

export class Room {
  constructor({ house, browser, say }) {
    Object.assign(this, { house, browser, say, states: new Map(), made: new Map(), serial: 0 });
  }

  /** A visitor nobody knows. */
  visitor(options = {}) {
    this.serial += 1;
    return this.browser.person(`visitor-${this.serial}`, options);
  }

  /** An officer of the demo at a window of their own. The language is switched by the caller if it matters. */
  async officer(login, options = {}) {
    if (!this.states.has(login)) {
      const first = await this.browser.person(`${login}-door`);
      await signIn(first, login);
      this.states.set(login, await first.page.context().storageState());
      await first.page.context().close();
    }
    this.serial += 1;
    return this.browser.person(`${login}-${this.serial}`, { state: this.states.get(login), ...options });
  }

  /** An officer whose session is no other window's, for what ends it. An officer has a few sessions at most: the one kept for
   *  the others may be the one that goes. */
  async alone(login, options = {}) {
    this.forget(login);
    this.serial += 1;
    const person = await this.browser.person(`${login}-${this.serial}`, options);
    await signIn(person, login);
    return person;
  }

  /** Forget the session kept for an officer: it may have ended. */
  forget(login) {
    this.states.delete(login);
  }

  /** Something several tests need, made when first asked for; what fails, fails for each of them. */
  once(name, make) {
    if (!this.made.has(name)) this.made.set(name, make());
    return this.made.get(name);
  }

  /** An application begun at the window, for the household at this place of the list. */
  async draft(person, at) {
    await person.goes("/households");
    const homes = await person.page.locator('main a.open[href^="/households/"]').evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    await person.goes(homes[at % homes.length]);
    await leave(person, () => person.page.locator("form[action='/drafts'] button[type=submit]").first().click());
    return new URL(person.page.url()).pathname;
  }

  /** Close every window opened since. */
  async tidy() {
    for (const person of this.browser.people.splice(0)) await person.page.context().close().catch(() => {});
  }
}
