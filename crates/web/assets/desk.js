// What the pages gain when scripts run (增强): shortcuts, focus on errors, reveal-and-hide, saving while typing.
// Everything here is an addition: each act is a form or a link that works without it. Nothing personal is stored in
// the browser; the one thing kept is whether shortcuts are switched off.
"use strict";
(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const english = document.documentElement.lang === "en";
  const say = (zh, en) => (english ? en : zh);

  // The summary of errors takes the focus, so that it is read out first; not where one is only shown.
  const focused = one("[data-focus]:not([data-shown] *)");
  if (focused) focused.focus();

  // Shortcuts, which can be switched off on the help page.
  const KEY = "huimin.shortcuts";
  const off = () => { try { return localStorage.getItem(KEY) === "off"; } catch { return false; } };
  const toggle = one("#shortcuts-off");
  if (toggle) {
    toggle.checked = off();
    toggle.addEventListener("change", () => {
      try { toggle.checked ? localStorage.setItem(KEY, "off") : localStorage.removeItem(KEY); } catch { /* private mode */ }
    });
  }
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
  let at = -1;
  const step = (by) => {
    const rows = all("tr[data-row]");
    if (rows.length === 0) return;
    at = Math.min(rows.length - 1, Math.max(0, at + by));
    rows.forEach((row, index) => row.classList.toggle("here", index === at));
    const link = one("a.open", rows[at]);
    if (link) link.focus({ preventScroll: true });
    rows[at].scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (off()) return;
    const form = event.target.closest?.("form");
    if (event.ctrlKey && !event.altKey && !event.metaKey) {
      if (event.key === "s" && one("[data-draft]")) { event.preventDefault(); one("[data-draft]").dispatchEvent(new Event("save")); }
      if (event.key === "Enter" && form) { const act = one("button.primary", form); if (act) { event.preventDefault(); form.requestSubmit(act); } }
      return;
    }
    if (event.altKey || event.metaKey || typing(event.target)) return;
    switch (event.key) {
      case "/": { const box = one("#q"); if (box) { event.preventDefault(); box.focus(); box.select(); } break; }
      case "n": { const link = one("[data-new]"); if (link) { event.preventDefault(); link.click(); } break; }
      case "j": step(1); break;
      case "k": step(-1); break;
      case "?": location.assign("/help"); break;
    }
  });

  // The wall is made anew in place; not while somebody is at one of its numbers.
  const wall = one("#wall");
  if (wall) {
    setInterval(async () => {
      if (wall.contains(document.activeElement)) return;
      try {
        const answer = await fetch(location.href);
        if (!answer.ok || answer.redirected) return;
        const made = one("#wall", new DOMParser().parseFromString(await answer.text(), "text/html"));
        if (made) wall.replaceChildren(...made.childNodes);
      } catch { /* the next minute tries again */ }
    }, Number(wall.dataset.renew ?? 60) * 1000);
  }

  // A page for a wall fills the whole screen, where the browser lets it.
  const whole = one("[data-full-screen]");
  if (whole && document.fullscreenEnabled) {
    whole.hidden = false;
    whole.addEventListener("click", () => {
      const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
      done.catch(() => { whole.hidden = true; });
    });
  }

  // A menu closes when the visitor turns elsewhere.
  document.addEventListener("click", (event) => {
    all("details.user[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") all("details.user[open]").forEach((menu) => { menu.open = false; one("summary", menu).focus(); });
  });

  // What was revealed is hidden again after a minute, or when the page is left.
  all("[data-revealed]").forEach((shown) => {
    const hide = () => { if (shown.dataset.masked !== undefined) { shown.textContent = shown.dataset.masked; delete shown.dataset.masked; } };
    setTimeout(hide, 60000);
    window.addEventListener("blur", hide);
    document.addEventListener("visibilitychange", () => { if (document.hidden) hide(); });
  });

  // Saving a draft while typing. The form carries its own request (htmx) and its answer refreshes the panel beside it;
  // here is the word about it, and what happens when the line is down: nothing is lost, and it is tried again.
  const status = (text) => all("[data-saved]").forEach((place) => { place.textContent = text; });
  const banner = (down) => all("[data-offline]").forEach((place) => { place.hidden = !down; });
  const save = (form) => form.dispatchEvent(new Event("save"));
  all("form[data-draft]").forEach((form) => {
    let dirty = false;
    form.addEventListener("input", () => { dirty = true; });
    form.addEventListener("change", () => { dirty = true; });
    form.addEventListener("submit", () => { dirty = false; });
    form.addEventListener("htmx:after:request", (event) => {
      const code = event.detail?.ctx?.response?.status ?? 0;
      if (code === 401) status(say("登录已过期，请另开一页登录后继续；填的内容还在", "Signed out: sign in in another tab and go on; nothing is lost"));
      else if (code >= 200 && code < 300) { dirty = false; banner(false); } // The answer brings the word.
      else status(say("没有保存，请按“保存草稿”看原因", "Not saved; press Save draft to see why"));
    });
    form.addEventListener("htmx:error", () => {
      banner(true);
      status(say("网络断了，还没保存；恢复后自动保存", "Offline, not saved yet; will save when the line is back"));
    });
    window.addEventListener("online", () => { if (dirty) save(form); });
    setInterval(() => { if (dirty) save(form); }, 5000);
  });
  // An answer that is not 2xx must not take the place of the panel.
  document.addEventListener("htmx:before:swap", (event) => {
    const code = event.detail?.ctx?.response?.status ?? 200;
    if (code >= 400 && event.target?.closest?.("[data-draft]")) event.preventDefault();
  });

  // A slider moves the number in its field; the form's own request answers.
  all("[data-slider]").forEach((slider) => {
    const field = document.getElementById(slider.dataset.slider);
    if (!field) return;
    slider.hidden = false;
    slider.addEventListener("input", () => { field.value = slider.value; });
    field.addEventListener("change", () => { slider.value = field.value; });
  });

  // Questions that depend on another one show and hide with it; without script they are all shown.
  const follow = () => all("[data-when]").forEach((block) => {
    const wanted = block.dataset.is.split(" ");
    const fields = all(`[name="${CSS.escape(block.dataset.when)}"]`);
    if (fields.length === 0) return;
    let chosen = fields.filter((field) => field.type !== "radio" || field.checked).map((field) => field.value).filter(Boolean);
    if (chosen.length === 0) {
      const asked = one(`[data-name="${CSS.escape(block.dataset.when)}"]`);
      chosen = asked && asked.dataset.known ? [asked.dataset.known] : [];
    }
    block.hidden = !chosen.some((value) => wanted.includes(value));
  });
  document.addEventListener("change", follow);
  follow();

  // Reading aloud, with a voice this device has itself: no text goes anywhere, and it works without a network. A device
  // without a voice for the page's language shows no button.
  all("[data-aloud]").forEach((button) => {
    const speech = window.speechSynthesis;
    if (!speech) return;
    const tongue = button.dataset.aloud.slice(0, 2);
    const voice = () => speech.getVoices().find(({ lang, localService }) => localService && lang.toLowerCase().startsWith(tongue));
    const offer = () => { button.hidden = !voice(); };
    const read = button.textContent;
    const show = (reading) => { button.textContent = reading ? button.dataset.stop : read; button.setAttribute("aria-pressed", String(reading)); };
    offer();
    speech.addEventListener?.("voiceschanged", offer);
    button.addEventListener("click", () => {
      const reading = button.getAttribute("aria-pressed") === "true";
      speech.cancel();
      show(false);
      if (reading) return;
      const words = new SpeechSynthesisUtterance([one("h1").innerText, ...all("main > :not(.title, .trail)").map((part) => part.innerText)].join("\n"));
      words.lang = button.dataset.aloud;
      words.voice = voice();
      words.onend = words.onerror = () => show(false);
      speech.speak(words);
      show(true);
    });
    window.addEventListener("pagehide", () => speech.cancel());
  });

  // A button that prints the page.
  all("[data-print]").forEach((button) => { button.hidden = false; button.addEventListener("click", () => window.print()); });

  // A warning before the session ends for want of use.
  const warning = one("[data-idle]");
  if (warning) {
    const minutes = Number(warning.dataset.idle);
    let last = Date.now();
    const used = () => { last = Date.now(); warning.hidden = true; };
    all("form").forEach((form) => form.addEventListener("submit", used));
    // A draft that saves itself is use as well: the server counts it so.
    document.addEventListener("htmx:after:request", (event) => { if (event.detail?.ctx?.response?.status < 400) used(); });
    setInterval(() => { if (Date.now() - last > (minutes - 2) * 60000) warning.hidden = false; }, 15000);
    const go = one("button", warning);
    if (go) go.addEventListener("click", async () => { await fetch("/account", { credentials: "same-origin" }); used(); });
  }
})();
