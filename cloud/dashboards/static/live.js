// Keeps a page fresh: replaces what the server says has changed, and says when it hears nothing.
// Everything works without it; a reload shows the same.
"use strict";
(() => {
  const words = document.currentScript.dataset;
  const silenceMax = 15000;

  function addCopyButtons() {
    if (!navigator.clipboard) return;
    for (const text of document.querySelectorAll("[data-copy]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = words.copy;
      button.setAttribute("aria-label", `${words.copy}: ${text.dataset.copy}`);
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(text.textContent.trim());
        button.textContent = words.copied;
        setTimeout(() => { button.textContent = words.copy; }, 2000);
      });
      text.after(button);
    }
  }

  function replace(name, html) {
    const place = document.querySelector(`[data-live="${CSS.escape(name)}"]`);
    if (!place) return;
    const focused = place.contains(document.activeElement) ? document.activeElement : null;
    const wasAt = focused && focused.getAttribute("href");
    const opened = [...place.querySelectorAll("details[open]")].map((details) => details.id);
    place.innerHTML = html;
    for (const id of opened) {
      const details = id && document.getElementById(id);
      if (details) details.open = true;
    }
    if (wasAt) {
      const again = place.querySelector(`[href="${CSS.escape(wasAt)}"]`);
      if (again) again.focus({ preventScroll: true });
    }
  }

  function listen(address) {
    const banner = document.getElementById("stale");
    let heardAt = Date.now();
    let source = null;
    const open = () => {
      if (source && source.readyState !== EventSource.CLOSED) return;
      source = new EventSource(address);
      source.addEventListener("fragments", (event) => {
        heardAt = Date.now();
        banner.hidden = true;
        for (const [name, html] of Object.entries(JSON.parse(event.data))) replace(name, html);
      });
    };
    open();
    setInterval(() => {
      const isStale = Date.now() - heardAt > silenceMax;
      if (banner.hidden === isStale) banner.hidden = !isStale;
      if (isStale && !document.hidden) open(); // the browser gives up after a refusal; we do not
    }, 1000);
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  }

  addCopyButtons();
  if (document.body.dataset.stream) listen(document.body.dataset.stream);
})();
