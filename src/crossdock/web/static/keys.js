// Lists by keyboard: single keys that do nothing while somebody types, and that can be switched off (WCAG 2.1.4).
(() => {
  "use strict";
  const help = document.getElementById("keys");
  const OFF = "keys-off";
  // Storage may be forbidden; the keys work then, and the choice holds for this page.
  let off = false;
  try { off = localStorage.getItem(OFF) === "yes"; } catch (error) { off = false; }
  const choice = help.querySelector("[name=keys]");
  choice.checked = !off;
  choice.addEventListener("change", () => {
    off = !choice.checked;
    try { localStorage.setItem(OFF, off ? "yes" : "no"); } catch (error) { /* this page alone, then */ }
  });
  const opener = document.getElementById("keys-open");
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());

  const rows = () => [...document.querySelectorAll("main table.stacks tbody tr")].filter((row) => row.querySelector("a"));
  const here = () => rows().findIndex((row) => row.contains(document.activeElement));
  const go = (step) => {
    const all = rows();
    if (!all.length) return;
    const from = here();
    const to = from < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, from + step));
    all[to].querySelector("a").focus();
    all[to].scrollIntoView({ block: "nearest" });
  };
  const boxes = (row) => row.querySelectorAll("input[type=checkbox]:not(:disabled)");
  const tick = () => {
    const row = rows()[here()];
    if (row) boxes(row).forEach((box) => box.click());
  };
  const tickAll = () => {
    const all = rows().flatMap((row) => [...boxes(row)]);
    const to = !all.every((box) => box.checked);
    all.filter((box) => box.checked !== to).forEach((box) => box.click());
  };
  // The list's own before the shop window's.
  const field = (where) => document.querySelector(`${where} [role=search] input[type=search]`);
  const search = () => (field("main") || field("header"))?.focus();
  const turn = (way) => document.querySelector(`main nav [rel=${way}]`)?.click();
  const DEEDS = {
    "/": search,
    "?": () => help.showModal(),
    j: () => go(1),
    k: () => go(-1),
    x: tick,
    a: tickAll,
    b: () => document.getElementById("deed")?.focus(),
    n: () => turn("next"),
  };
  const types = (item) => item.isContentEditable || item.matches("textarea, select, input:not([type=checkbox]):not([type=radio])");
  document.addEventListener("keydown", (event) => {
    if (off || event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (types(event.target) || document.querySelector("dialog[open], [popover]:popover-open")) return;
    const deed = DEEDS[event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  });
})();
