"use strict";
// The portal's one script: live news, keys, and the end of a session. Every page works without it.
// What has focus or unsaved input is never replaced: it is marked as stale, and the reader decides.
(() => {
  const body = document.body, text = body.dataset;
  const policy = window.trustedTypes
    ? window.trustedTypes.createPolicy("lumbar", { createHTML: (html) => html, createScriptURL: (url) => url })
    : { createHTML: (html) => html, createScriptURL: (url) => url };
  const make = (tag, className, content) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (content) made.textContent = content;
    return made;
  };
  const clock = () => new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" }).format(new Date());

  // --- News: one stream for the whole browser, in a shared worker; where there is none, one of this page.
  const live = document.getElementById("live");
  let asOf = clock(), waiting = 0, refreshing = false, again = false;
  const show = (isLive) => {
    if (!live) return;
    live.hidden = false;
    live.textContent = isLive ? `● ${text.tLive}` : `○ ${text.tReconnecting} ${asOf}`;
  };
  const concerns = (news) => {
    const wanted = document.querySelector("[data-live]");
    if (!wanted) return false;
    const about = wanted.dataset.live.split(" ");
    return about.includes("*") || [news.patient, news.referral, (news.focus || "").split("/").pop()].some((id) => id && about.includes(id));
  };
  const hear = (news) => {
    if (news.state) { show(news.state === "open"); return; }
    asOf = clock();
    if (news.reset || concerns(news)) {
      clearTimeout(waiting);
      waiting = setTimeout(refresh, 150);
    }
  };
  const isBusy = (part) =>
    part.contains(document.activeElement) && document.activeElement !== document.body && document.activeElement.matches("input, textarea, select")
    || [...part.querySelectorAll("[data-unsaved]")].some((form) => form.dataset.changed);
  async function refresh() {
    if (refreshing) { again = true; return; }
    refreshing = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Fragment": "1" }, redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 401) { over(); return; }
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(policy.createHTML(await answer.text()), "text/html");
      for (const part of document.querySelectorAll("[data-part]")) replace(part, fresh.querySelector(`[data-part="${part.dataset.part}"]`));
    } catch { show(false); } finally {
      refreshing = false;
      if (again) { again = false; refresh(); }
    }
  }
  function replace(part, fresh) {
    if (!fresh || part.innerHTML === fresh.innerHTML) return;
    if (!isBusy(part)) {
      const active = part.contains(document.activeElement) ? document.activeElement : null;
      const focused = active?.getAttribute("href"), cell = active?.closest("[data-cell]")?.dataset.cell;
      part.replaceWith(document.adoptNode(fresh));
      const same = focused && fresh.querySelector(`[href="${CSS.escape(focused)}"]`);
      const near = cell && fresh.querySelector(`[data-cell="${CSS.escape(cell)}"] a`);
      if (active) (same || near || (fresh.tabIndex === 0 ? fresh : null))?.focus();
      return;
    }
    if (part.classList.contains("stale")) return;
    part.classList.add("stale");
    const note = make("p", "note", `${text.tChanged} `);
    const button = make("button", "", text.tShow);
    button.type = "button";
    button.addEventListener("click", () => part.replaceWith(document.adoptNode(fresh)));
    note.append(button);
    part.prepend(note);
  }
  function listen() {
    if (!document.querySelector("[data-live]")) return;
    if (window.SharedWorker) {
      const worker = new SharedWorker(policy.createScriptURL(`/static/${text.version}/news.js`), { name: "lumbar-news" });
      worker.port.onmessage = (message) => hear(message.data);
      worker.port.start();
      addEventListener("pagehide", () => worker.port.postMessage("bye"));
      return;
    }
    const source = new EventSource("/live");
    source.onopen = () => hear({ state: "open" });
    source.onerror = () => hear({ state: "closed" });
    source.addEventListener("news", (event) => hear(JSON.parse(event.data)));
    source.addEventListener("reset", () => hear({ reset: true }));
  }

  // --- Forms: what is typed counts as unsaved until it is sent, and a form is sent once.
  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-unsaved]");
    if (form) form.dataset.changed = "1";
  });
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    if (event.target.method === "dialog") return;
    event.target.dataset.sent = "1";
    setTimeout(() => delete event.target.dataset.sent, 4000);
  });
  document.getElementById("problems")?.focus();

  // --- The end of a session: a warning two minutes before, one press to stay.
  function warn(sentence, label, act) {
    document.querySelector(".warning")?.remove();
    const box = make("div", "warning", `${sentence} `);
    box.setAttribute("role", "alertdialog");
    box.setAttribute("aria-label", sentence);
    const button = make("button", "main", label);
    button.type = "button";
    button.addEventListener("click", act);
    box.append(button);
    body.append(box);
    if (!document.activeElement || document.activeElement === body) button.focus();
  }
  function over() {
    warn(text.tOver, text.tSignin, () => location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`));
  }
  let timers = [];
  function watch(endsAt) {
    timers.forEach(clearTimeout);
    const left = Date.parse(endsAt) - Date.now();
    timers = [
      setTimeout(() => warn(text.tEnding, text.tStay, stay), Math.min(Math.max(left - 120000, 0), 2 ** 31 - 1)),
      setTimeout(over, Math.min(left, 2 ** 31 - 1)),
    ];
  }
  async function stay() {
    document.querySelector(".warning")?.remove();
    const answer = await fetch("/session/extend", { method: "POST", headers: { Accept: "application/json" } });
    if (!answer.ok) { over(); return; }
    watch((await answer.json()).ends_at);
  }
  if (text.sessionEnds) watch(text.sessionEnds);

  // --- Keys: letters act only outside of fields, and a switch turns them off.
  let goes = false;
  const rows = () => [...document.querySelectorAll("[data-row]")];
  function move(step) {
    const all = rows(), focused = all.findIndex((row) => row.contains(document.activeElement));
    const at = focused < 0 ? all.findIndex((row) => row.classList.contains("picked")) : focused;
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    if (!next) return;
    all.forEach((row) => row.classList.remove("picked"));
    next.classList.add("picked");
    next.scrollIntoView({ block: "nearest" });
    next.querySelector("a")?.focus();
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { document.querySelectorAll("details[open].me").forEach((one) => one.removeAttribute("open")); return; }
    if (text.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select") || event.target.closest("dialog")) return;
    if (goes) {
      goes = false;
      const there = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      if (there) { event.preventDefault(); there.click(); }
      return;
    }
    const acts = {
      g: () => { goes = true; setTimeout(() => { goes = false; }, 1500); },
      "/": () => document.getElementById("find")?.focus(),
      "?": () => document.getElementById("keys").showModal(),
      j: () => move(1),
      k: () => move(-1),
    };
    if (document.querySelector("[data-arrows]")) Object.assign(acts, { ArrowDown: acts.j, ArrowUp: acts.k });
    const picked = event.target.closest("[data-row]") || document.querySelector("[data-row].picked");
    const wanted = picked?.querySelector(`[data-act="${CSS.escape(event.key)}"]`);
    if (wanted || acts[event.key]) event.preventDefault();
    if (wanted) wanted.click();
    else acts[event.key]?.();
  });
  // --- A calendar: arrows lead over its times, up and down a day, left and right to the same height of another.
  const lines = (column) => [...document.querySelectorAll(`[data-grid] tbody tr > :nth-child(${column + 1}) a`)];
  const nearest = (all, top) => all.reduce((best, one) =>
    Math.abs(one.getBoundingClientRect().top - top) < Math.abs(best.getBoundingClientRect().top - top) ? one : best);
  function lead(link, key) {
    const cell = link.closest("td"), column = cell.cellIndex, all = lines(column);
    if (key === "ArrowUp" || key === "ArrowDown") return all[all.indexOf(link) + (key === "ArrowDown" ? 1 : -1)];
    const step = key === "ArrowRight" ? 1 : -1;
    for (let other = column + step; other > 0 && other < cell.parentElement.cells.length; other += step) {
      if (lines(other).length) return nearest(lines(other), link.getBoundingClientRect().top);
    }
  }
  document.addEventListener("keydown", (event) => {
    if (!event.key.startsWith("Arrow") || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const grid = event.target.closest("[data-grid]"), link = event.target.closest("[data-grid] td a");
    const next = link ? lead(link, event.key) : event.target === grid && event.key === "ArrowDown" ? grid.querySelector("td a") : null;
    if (link || next) event.preventDefault();
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  });
  // --- A page about what sends no news asks for itself again, while somebody looks.
  const every = document.querySelector("[data-every]");
  if (every) setInterval(() => { if (!document.hidden) refresh(); }, 1000 * Number(every.dataset.every));
  listen();
})();
