// Keeps a page up to date while somebody reads it. It listens to a stream of events; when one says that something changed, it asks
// for the page itself and puts in place what is different. A page without a stream is asked for every five minutes. What is being typed or has the focus is left alone. Without this file, or
// when the stream ends, the page is as good as before: one reloads it.
"use strict";
(() => {
  const told = document.currentScript.dataset;
  const main = document.getElementById("main");
  if (!main || !window.EventSource || !window.DOMParser) return;
  const status = document.createElement("p");
  status.className = "hidden";
  status.setAttribute("role", "status");
  document.body.append(status);

  // What somebody is busy with

  const isChanged = (field) => {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.tagName !== "SELECT") return field.type !== "hidden" && field.value !== field.defaultValue;
    const first = Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
    return field.selectedIndex !== first;
  };
  const isBusy = (node) =>
    node.nodeType === Node.ELEMENT_NODE &&
    (node.contains(document.activeElement) || [...node.querySelectorAll("input, select, textarea")].some(isChanged));

  // Putting in place what is different

  let isLeft = false; // something was left as it was, since somebody is busy with it
  let parts = new Set();
  const KEPT = ["open", "value", "checked"];
  const keyOf = (node) =>
    node.nodeType === Node.ELEMENT_NODE
      ? node.id || node.getAttribute("aria-labelledby") || node.getAttribute("action") || node.getAttribute("name") || ""
      : "";
  const isSame = (one, other) => one.nodeName === other.nodeName && keyOf(one) === keyOf(other);
  const note = (node) => {
    const at = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
    const heading = at?.closest("section")?.querySelector("h2");
    if (heading && !at.closest("[data-away]")) parts.add(heading.textContent.trim());
  };

  const drop = (node) => {
    const next = node.nextSibling;
    if (isBusy(node)) isLeft = true;
    else {
      if (node.textContent.trim()) note(node);
      node.remove();
    }
    return next;
  };

  const match = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data.trim() !== fresh.data.trim()) note(old);
      old.data = fresh.data;
      return;
    }
    if (old.tagName === "FORM" && isBusy(old)) {
      isLeft = true;
      return;
    }
    for (const { name, value } of [...fresh.attributes])
      if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
    for (const { name } of [...old.attributes])
      if (!fresh.hasAttribute(name) && !KEPT.includes(name)) old.removeAttribute(name);
    matchAll(old, fresh);
  };

  const matchAll = (old, fresh) => {
    const coming = [...fresh.childNodes];
    const keys = new Set(coming.map((node) => node.nodeName + keyOf(node)).filter((key, at) => keyOf(coming[at])));
    let at = old.firstChild;
    for (const next of coming) {
      while (at && !isSame(at, next) && !keys.has(at.nodeName + keyOf(at))) at = drop(at);
      if (!at || !isSame(at, next)) {
        const later = keyOf(next) && [...old.childNodes].find((node) => isSame(node, next));
        if (later && (!at || at.compareDocumentPosition(later) & Node.DOCUMENT_POSITION_FOLLOWING)) {
          if (!isBusy(later)) old.insertBefore(later, at);
          match(later, next);
        } else {
          const made = old.insertBefore(document.importNode(next, true), at);
          if (made.textContent.trim()) note(made);
        }
      } else {
        const here = at;
        at = at.nextSibling;
        match(here, next);
      }
      keys.delete(next.nodeName + keyOf(next));
    }
    while (at) at = drop(at);
  };

  const show = (text) => {
    const answer = new DOMParser().parseFromString(text, "text/html");
    const fresh = answer.getElementById("main");
    if (!fresh) return;
    const seen = [...main.querySelectorAll("section, li, p")].find((one) => one.getBoundingClientRect().top >= 0);
    const before = seen?.getBoundingClientRect().top;
    isLeft = false;
    parts = new Set();
    matchAll(main, fresh);
    if (seen?.isConnected && !window.CSS?.supports("overflow-anchor", "auto"))
      window.scrollBy(0, seen.getBoundingClientRect().top - before);
    if (parts.size) status.textContent = told.said.replace("{parts}", [...parts].join(", "));
    count();
  };

  // Asking for the page

  const page = location.href.split("#")[0];
  let asking = 0;
  let lastAsked = Date.now();
  const WITHOUT_STREAM = 290_000; // how old such a page may get
  const ask = (within) => {
    if (asking) return;
    asking = setTimeout(async () => {
      asking = 0;
      lastAsked = Date.now();
      try {
        const answer = await fetch(page, { headers: { Accept: "text/html" }, cache: "no-store", credentials: "same-origin" });
        if (answer.ok && !answer.redirected) show(await answer.text());
      } catch {
        // the server is away; the next event or a reload brings it
      }
    }, Math.random() * within);
  };
  document.addEventListener("focusout", () => isLeft && ask(500));

  // The stream, while the page can be seen: browsers allow few at a time

  let source = null;
  let mark = told.stream && new URL(told.stream, location.href).searchParams.get("mark");
  let isOver = false;
  const open = () => {
    if (source || isOver || !told.stream) return;
    const from = new URL(told.stream, location.href);
    from.searchParams.set("mark", mark);
    source = new EventSource(from);
    source.addEventListener("changed", (event) => {
      mark = event.lastEventId;
      ask(Number(event.data) || 0);
    });
    source.addEventListener("end", () => {
      isOver = true;
      close();
    });
  };
  const close = () => {
    source?.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    count();
    if (source?.readyState === EventSource.CLOSED) close();
    open();
    if (!isOver && Date.now() - lastAsked > 60_000) ask(2_000);
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", () => document.hidden || open());

  // How far away each instant is, in the words of the page

  const words = JSON.parse(told.words);
  const skew = Date.parse(told.now) - Date.now();
  const kinds = new Intl.PluralRules(document.documentElement.lang || "en");
  const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
  const distance = (then, now) => {
    const way = then > now ? "in" : "ago";
    const length = Math.abs(then - now);
    if (length < MINUTE) return then > now ? words.soon : words.now;
    const [unit, size] = length < 2 * HOUR ? ["minute", MINUTE] : length < 3 * DAY ? ["hour", HOUR] : ["day", DAY];
    const number = Math.floor(length / size);
    const found = words[way][unit];
    return (found[kinds.select(number)] || found.other).replace("{n}", number.toLocaleString(document.documentElement.lang));
  };
  const count = () => {
    const now = Date.now() + skew;
    for (const one of main.querySelectorAll("[data-away]")) {
      const said = distance(Date.parse(one.dataset.away), now);
      if (one.textContent !== said) one.textContent = said;
    }
  };
  const everyMinute = () =>
    setTimeout(
      () => {
        count();
        if (!told.stream && !document.hidden && Date.now() - lastAsked > WITHOUT_STREAM) ask(10_000);
        everyMinute();
      },
      MINUTE - ((Date.now() + skew) % MINUTE) + 50,
    );

  if (!document.hidden) open();
  everyMinute();
})();
