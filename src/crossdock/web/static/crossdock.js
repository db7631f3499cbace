// Small comforts on top of pages that work without them: no double posts, local times, copying, menus that close.
(() => {
  "use strict";

  const busy = new WeakSet();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (busy.has(form)) {
      event.preventDefault();
      return;
    }
    busy.add(form);
    form.setAttribute("aria-busy", "true");
    // After the browser has read the pressed button's own value.
    setTimeout(() => form.querySelectorAll("button:not([type=button])").forEach((button) => { button.disabled = true; }));
  });

  const release = (root) => root.querySelectorAll("form[aria-busy]").forEach((form) => {
    busy.delete(form);
    form.removeAttribute("aria-busy");
    form.querySelectorAll("button:not([type=button])").forEach((button) => { button.disabled = false; });
  });
  window.addEventListener("pageshow", () => release(document));
  document.addEventListener("htmx:afterRequest", () => release(document));

  const format = new Intl.DateTimeFormat(document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
  const enhance = (root) => {
    root.querySelectorAll("time[data-local]").forEach((time) => {
      time.title = time.textContent;
      time.textContent = format.format(new Date(time.dateTime));
      time.removeAttribute("data-local");
    });
    root.querySelectorAll("[data-copy]:not([data-ready])").forEach((item) => {
      item.dataset.ready = "";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "link copy";
      const word = item.dataset.word || "copy";
      button.textContent = word;
      button.setAttribute("aria-label", `${word} ${item.dataset.copy}`);
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(item.dataset.copy);
        button.textContent = item.dataset.done || "copied";
        setTimeout(() => { button.textContent = word; }, 1500);
      });
      item.after(button);
    });
  };
  enhance(document);
  document.addEventListener("htmx:load", (event) => enhance(event.detail.elt));

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });

  const closeMenus = (but) => document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(but)) menu.open = false;
  });
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.menu[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
  });
})();
