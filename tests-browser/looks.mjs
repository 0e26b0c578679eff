// What must hold on every page whoever looks (外观检查): accessible, nothing wider than the window, no text cut off.
//
// Guarantees: axe finds nothing under WCAG 2.2 A and AA; the page itself never scrolls sideways (a wide table may, inside
// its own frame); a text is not cut by its box unless the box says that it shortens it.
// Deliberately absent: pictures compared with pictures. People look at target/shots.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

export async function inspect(page, where, { scripts = true } = {}) {
  // Axe runs inside the page; without scripts the same page is looked at by a journey that has them.
  const faults = [...(await overflow(page)), ...(scripts ? await axe(page) : [])];
  if (faults.length > 0) throw new Error(`${where} (${page.url()}):\n  ${faults.join("\n  ")}`);
}

/** What is wider than the window or cut off. */
export async function overflow(page) {
  return page.evaluate(() => {
    const faults = [];
    const root = document.documentElement;
    const shown = (element) => {
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      return style.visibility !== "hidden" && style.display !== "none" && box.width > 1 && box.height > 1;
    };
    const called = (element) => `<${element.tagName.toLowerCase()}${element.id ? ` id=${element.id}` : ""}${element.className ? ` class="${element.className}"` : ""}> “${element.textContent.trim().slice(0, 30)}”`;
    if (root.scrollWidth > root.clientWidth + 1) {
      const wide = [...document.body.querySelectorAll("*")].filter((element) => {
        if (!shown(element) || element.getBoundingClientRect().right <= root.clientWidth + 1) return false;
        for (let frame = element.parentElement; frame && frame !== document.body; frame = frame.parentElement) {
          if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(frame).overflowX)) return false;
        }
        return true;
      });
      faults.push(`the page is ${root.scrollWidth} px wide in a window of ${root.clientWidth} px: ${wide.slice(0, 3).map(called).join("; ")}`);
    }
    for (const element of document.body.querySelectorAll("*")) {
      const style = getComputedStyle(element);
      const ownText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
      if (!ownText || !shown(element) || style.textOverflow === "ellipsis" || style.position === "absolute") continue;
      const cuts = (overflow, scroll, client) => ["hidden", "clip"].includes(overflow) && scroll > client + 2;
      if (cuts(style.overflowX, element.scrollWidth, element.clientWidth) || cuts(style.overflowY, element.scrollHeight, element.clientHeight)) {
        faults.push(`a text is cut off: ${called(element)}`);
      }
    }
    return faults;
  });
}

/** What axe finds; all rules of WCAG 2.2 A and AA, or the named ones. */
export async function axe(page, rules) {
  const known = await page.evaluate("typeof axe");
  // Evaluated through the debugger, so the page's own content policy stays as it is.
  if (known === "undefined") await page.evaluate(AXE);
  const runOnly = rules ? { type: "rule", values: rules } : { type: "tag", values: TAGS };
  const violations = await page.evaluate(async (runOnly) => {
    const { violations } = await axe.run(document, { runOnly, resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 160)} — ${failureSummary.split("\n").slice(1, 3).join(" ").trim()}`) }));
  }, runOnly);
  return violations.map(({ id, help, nodes }) => `axe ${id}: ${help}\n    ${nodes.join("\n    ")}`);
}
