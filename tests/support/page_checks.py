"""What every page owes to people who cannot see it well, use no mouse, or hold a phone.

Run in the browser, over what it really shows.
"""

from typing import Any

from playwright.sync_api import Page

_FAULTS = """() => {
  const faults = [];
  const shown = (e) => e.checkVisibility({ visibilityProperty: true });
  const name = (e) => (e.getAttribute("aria-label") || e.innerText || e.value || e.title || [...(e.labels || [])]
    .map((l) => l.innerText).join(" ") || "").trim();
  const where = (e) => e.outerHTML.slice(0, 120);
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title.trim()) faults.push("no title");
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
  if (document.querySelectorAll("h1").length !== 1) faults.push(`${document.querySelectorAll("h1").length} h1`);
  let level = 0;
  document.querySelectorAll("h1,h2,h3,h4").forEach((h) => {
    const now = Number(h.tagName[1]);
    if (shown(h) && level && now > level + 1) faults.push(`heading skips from ${level} to ${now}: ${where(h)}`);
    if (shown(h)) level = now;
  });
  document.querySelectorAll("input:not([type=hidden]),select,textarea").forEach((e) => {
    if (!e.labels.length && !e.getAttribute("aria-label")) faults.push(`no label: ${where(e)}`);
  });
  document.querySelectorAll("button,a[href],summary").forEach((e) => { if (shown(e) && !name(e)
    && !e.querySelector("img[alt]:not([alt=''])")) faults.push(`no name: ${where(e)}`); });
  document.querySelectorAll("img:not([alt])").forEach((e) => faults.push(`no alt: ${where(e)}`));
  document.querySelectorAll("[aria-describedby],[aria-labelledby]").forEach((e) => {
    for (const id of `${e.getAttribute("aria-describedby") || ""} ${e.getAttribute("aria-labelledby") ||
      ""}`.split(" ").filter(Boolean))
      if (!document.getElementById(id)) faults.push(`${id} does not exist: ${where(e)}`);
  });
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => faults.push(`id twice: ${id}`));
  document.querySelectorAll("button,.button,.main-nav a,input:not([type=hidden]),select").forEach((e) => {
    const box = e.getBoundingClientRect();
    const label = e.closest("label");
    if (shown(e) && !label && box.height && (box.height < 24 || box.width < 24) && !e.matches(".link,.hidden"))
      faults.push(`too small to hit (${box.width}x${box.height}): ${where(e)}`);
  });
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  while (walk.nextNode()) {
    const text = walk.currentNode, e = text.parentElement;
    if (!e.checkVisibility({ visibilityProperty: true }) || e.closest("code,pre,option,textarea,.hidden,svg")) continue;
    for (const word of text.textContent.matchAll(/(?<!\\S)[A-Za-z]{3,14}(?!\\S)/g)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1)
        faults.push(`"${word[0]}" is broken over two lines: ${where(e)}`);
    }
  }
  return faults;
}"""

_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => (v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  const light = (color) => {
    const [r, g, b] = color.map((v) => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const back = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c[3] > 250) return c;
    }
    return rgb("Canvas");
  };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !e.checkVisibility({ visibilityProperty: true }) ||
      e.closest(":disabled,option,.hidden,.skip,svg")) continue;
    const style = getComputedStyle(e), a = light(rgb(style.color)), b = light(back(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.7 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) bad.push(`${ratio.toFixed(2)}: ${walk.currentNode.textContent.trim().slice(0, 40)}`);
  }
  return bad;
}"""


def measured(page: Page, script: str) -> Any:
    """What the script says of the whole page: a click returns when the next page begins to load, which may have no
    element yet.
    """
    page.wait_for_load_state()
    return page.evaluate(script)


def faults(page: Page) -> list[str]:
    """Labels, names, headings, ids, sizes: sentences of what is wrong."""
    return [f"{page.url}: {fault}" for fault in measured(page, _FAULTS)]


def pale(page: Page) -> list[str]:
    """Text whose contrast with what lies behind it is below WCAG AA."""
    return [f"{page.url}: {text}" for text in measured(page, _CONTRAST)]


def too_wide(page: Page) -> list[str]:
    """Pages that scroll sideways."""
    width = measured(page, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{page.url}: {width} px too wide"] if width > 0 else []
