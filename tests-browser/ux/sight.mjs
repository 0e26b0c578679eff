// What can be measured on a page as it stands (页面测量): sizes of letters and targets, distances, colours, what is shown.
//
// Guarantees: each function looks and changes nothing; it returns the faults in words, none where all is well.
// Deliberately absent: judgement of single pages. A page has no exceptions here.

/** Elder mode's letters: none below 18 px, lines at least 1.3 apart, the largest at least 30 px, paragraphs apart by 1.3 lines. */
export function letters(page) {
  return page.evaluate(() => {
    const faults = new Set();
    const shown = (element) => {
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      return style.visibility !== "hidden" && box.width > 1 && box.height > 1 && !element.closest(".unseen, .skip, option");
    };
    const called = (element) => `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> “${element.textContent.trim().slice(0, 20)}”`;
    let largest = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.textContent.trim() || !shown(element)) continue;
      const style = getComputedStyle(element);
      let size = parseFloat(style.fontSize);
      // Letters in a drawing grow and shrink with it.
      const drawing = element.closest("svg");
      if (drawing?.viewBox?.baseVal?.width) size *= drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width;
      largest = Math.max(largest, size);
      if (size < 17.95) faults.add(`${size.toFixed(1)} px: ${called(element)}`);
      const leading = parseFloat(style.lineHeight) / parseFloat(style.fontSize);
      if (!drawing && leading < 1.295) faults.add(`lines ${leading.toFixed(2)} apart: ${called(element)}`);
    }
    if (largest < 29.95) faults.add(`the largest letters are ${largest} px`);
    for (const second of document.querySelectorAll("p + p")) {
      const first = second.previousElementSibling;
      if (!shown(first) || !shown(second)) continue;
      const style = getComputedStyle(second);
      const [size, line] = [parseFloat(style.fontSize), parseFloat(style.lineHeight)];
      const gap = second.getBoundingClientRect().top - first.getBoundingClientRect().bottom + line - size;
      // Side by side is no paragraph after a paragraph.
      if (gap > -line && gap < line * 1.3 - 0.6) faults.add(`paragraphs ${(gap / line).toFixed(2)} lines apart: ${called(second)}`);
    }
    return [...faults];
  });
}

/** Targets: in elder mode 60 px for controls and 44 px for the rest, else 32 px for controls; 24 px for the rest, or as far from
 *  the next, is a rule of axe (WCAG 2.5.8). A link in the midst of a sentence may be as high as its line. */
export function targets(page, elder) {
  return page.evaluate((elder) => {
    const [main, rest] = elder ? [60, 44] : [32, 24];
    const faults = new Set();
    const called = (element) => `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}" name="${element.getAttribute("name") ?? ""}"> “${(element.textContent || element.value || "").trim().slice(0, 20)}”`;
    const inSentence = (link) => [...link.parentElement.childNodes].some((node) => node !== link && node.nodeType === Node.TEXT_NODE && node.textContent.trim().length > 1);
    for (const element of document.querySelectorAll("a[href], button, .button, select, textarea, input:not([type=hidden]), summary")) {
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      if (style.visibility === "hidden" || box.width < 2 || box.height < 2 || element.matches(".skip")) continue;
      if (element.closest("svg")) continue;
      const small = element.matches("[type=checkbox], [type=radio]");
      const control = element.matches("button, .button, select, textarea, input") && !small;
      if (element.tagName === "A" && !control && inSentence(element)) continue;
      if (element.matches("[type=range]") || (!elder && !control)) continue;
      const wanted = control ? main : rest;
      if (box.height < wanted - 0.6) faults.add(`${Math.round(box.width)}×${Math.round(box.height)} px, wanted ${wanted}: ${called(element)}`);
      else if (box.width < (small || !control ? Math.min(wanted, rest) : wanted) - 0.6) faults.add(`${Math.round(box.width)}×${Math.round(box.height)} px, too narrow for ${wanted}: ${called(element)}`);
    }
    return [...faults];
  }, elder);
}

/** Help, the phone and somebody to help, in this order at the foot (WCAG 3.2.6); what stands there, as one line. */
export function helpAtTheFoot(page) {
  return page.evaluate(() => {
    const foot = document.querySelector("footer.foot");
    if (!foot) return "no foot";
    const last = [...document.body.children].filter((child) => child.tagName !== "SCRIPT").at(-1) === foot;
    const parts = [...foot.children].filter((child) => !child.matches(".version")).map((child) => (child.tagName === "A" ? `[${child.getAttribute("href")}] ` : "") + child.textContent.trim());
    return `${last ? "last on the page" : "NOT last on the page"}: ${parts.join(" | ")}`;
  });
}

/** The lightness of the page's ground and of its letters, 0 to 1. */
export function shades(page) {
  return page.evaluate(() => {
    const lightness = (colour) => {
      const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
      return alpha === 0 ? 1 : (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
    };
    const parts = [...document.querySelectorAll("body, main h1, main p, main td, .part, .card")].map((element) => getComputedStyle(element));
    return {
      ground: lightness(getComputedStyle(document.body).backgroundColor),
      grounds: Math.min(...parts.map(({ backgroundColor }) => lightness(backgroundColor))),
      letters: Math.max(...parts.map(({ color }) => lightness(color))),
    };
  });
}
