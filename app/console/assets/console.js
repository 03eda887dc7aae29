// What makes the console quicker; it works without all of this.
"use strict";
(() => {
  const root = document.documentElement;
  const leaveForm = document.querySelector("form.leave");
  const leaveTo = document.body.dataset.leaveTo;

  // Leave now: nothing to see at once, the session over at the server, and this page gone from the history.
  // The server is waited for no longer than a person would notice; it hears of it all the same.
  let leaving = false;
  function leave() {
    if (leaving) return;
    leaving = true;
    root.classList.add("left-behind");
    document.title = "";
    document.body.replaceChildren();
    const told = fetch("/console/leave", {
      method: "POST", keepalive: true, redirect: "manual",
      headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: "",
    }).catch(() => {});
    const waited = new Promise((resolve) => { setTimeout(resolve, 400); });
    Promise.race([told, waited]).finally(() => location.replace(leaveTo));
  }
  leaveForm.addEventListener("submit", (event) => { event.preventDefault(); leave(); });

  let presses = [];
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.repeat) return;
    presses = [...presses.filter((at) => event.timeStamp - at < 3000), event.timeStamp];
    if (presses.length >= 3) leave();
  }, true);

  // A page that comes back from the browser's memory is asked for again: its session may be over.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // Who writes for long is still here: the session does not end under their hands.
  let told = Date.now();
  document.addEventListener("input", () => {
    if (Date.now() - told < 300000) return;
    told = Date.now();
    fetch("/console/here", { redirect: "manual" }).catch(() => {});
  });

  // A form goes once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.gone) { event.preventDefault(); return; }
    // Sent without a network, the browser would put a page of its own in the place of what was written.
    const offline = form.querySelector("[data-offline]");
    if (offline) offline.hidden = navigator.onLine;
    if (!navigator.onLine) { event.preventDefault(); return; }
    form.dataset.gone = "yes";
    setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }), 0);
  });
  window.addEventListener("pagehide", () => document.querySelectorAll("[data-gone]").forEach((form) => {
    delete form.dataset.gone;
    form.querySelectorAll("button").forEach((button) => { button.disabled = false; });
  }));

  // What was done is said once: not again when the page is loaded again.
  const here = new URL(location.href);
  if (here.searchParams.has("done")) {
    here.searchParams.delete("done");
    history.replaceState(null, "", here.pathname + here.search + here.hash);
  }

  // The time that is left goes on being counted, from the server's clock: a device's own may be wrong.
  const words = JSON.parse(document.body.dataset.times);
  const ahead = Date.parse(document.body.dataset.now) - Date.now();
  const filled = (text, gaps) => text.replace(/\{(\w+)\}/g, (_, name) => gaps[name]);
  function span(minutes) {
    const days = Math.floor(minutes / 1440);
    const parts = [[days, "day"], [Math.floor(minutes / 60) % 24, "hour"], [days ? 0 : minutes % 60, "minute"]];
    return parts.filter(([count]) => count)
      .map(([count, name]) => filled(words[count === 1 ? name : `${name}s`], { count })).join(" ");
  }
  function count() {
    for (const one of document.querySelectorAll("[data-until]")) {
      const left = Date.parse(one.dataset.until) - Date.now() - ahead;
      const minutes = Math.floor(Math.abs(left) / 60000);
      one.textContent = minutes < 1 ? words.now : filled(left > 0 ? words.left : words.over, { span: span(minutes) });
      one.parentElement.classList.toggle("over", left <= 0);
    }
  }
  setInterval(count, 15000);

  // Where a form needs correction, reading begins there.
  document.querySelector(".summary")?.focus();
})();
