// The form of a referral in steps, places found while typing, and a form that outlives a broken network.
// Nothing of it is kept anywhere but in the page; all of it works without this.
"use strict";
(() => {
  const main = document.querySelector("main");

  function steps(form) {
    const all = [...form.querySelectorAll(".step")];
    const line = form.querySelector(".step-line");
    const of = (node) => all.findIndex((one) => one.contains(node));
    function show(number, focus) {
      all.forEach((one, at) => { one.hidden = at !== number; });
      line.replaceChildren(...all.map((one, at) => {
        const item = document.createElement("li");
        item.textContent = one.dataset.step;
        if (at === number) item.setAttribute("aria-current", "step");
        return item;
      }));
      if (focus) {
        all[number].querySelector("h2").focus();
        window.scrollTo(0, 0);
      }
    }
    form.classList.add("by-steps");
    form.querySelectorAll(".turn").forEach((one) => { one.hidden = false; });
    line.hidden = false;
    form.addEventListener("click", (event) => {
      const by = event.target.closest("[data-turn]");
      if (by) show(of(by) + Number(by.dataset.turn), true);
    });
    // A fault leads to its step, and a place that was searched for to its own.
    main.querySelectorAll(".summary a").forEach((link) => link.addEventListener("click", (event) => {
      const field = document.querySelector(link.getAttribute("href"));
      if (!field || of(field) < 0) return;
      event.preventDefault();
      show(of(field));
      field.closest("details")?.setAttribute("open", "");
      field.focus();
    }));
    const first = form.querySelector(".wrong") ?? (location.hash ? form.querySelector(location.hash) : null);
    show(first && of(first) >= 0 ? of(first) : 0);
  }

  function seek(form, place) {
    const name = place.dataset.place;
    const field = place.querySelector(".seek input");
    const found = place.querySelector(".found");
    let asked = 0;
    async function ask() {
      const number = ++asked;
      const fields = new URLSearchParams({ csrf: form.elements.csrf.value, place: name });
      fields.set(`sought.${name}`, field.value);
      found.querySelectorAll("input").forEach((one) => { if (one.checked) fields.append(one.name, one.value); });
      fields.set("keep", form.elements.version ? "true" : "");
      try {
        const answer = await fetch("/console/referrals/places", { method: "POST", body: fields });
        if (number !== asked || !answer.ok) return;
        found.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
      } catch { /* The button asks again, and says what is wrong. */ }
    }
    let waits;
    field.addEventListener("input", () => { clearTimeout(waits); waits = setTimeout(ask, 350); });
    place.querySelector(".seek button").addEventListener("click", (event) => {
      event.preventDefault();
      clearTimeout(waits);
      ask();
    });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      clearTimeout(waits);
      ask();
    });
  }

  function keep(form) {
    let signedOut = false;
    const troubles = [...form.querySelectorAll("[data-trouble]")];
    const say = (trouble) => troubles.forEach((one) => { one.hidden = one.dataset.trouble !== trouble; });
    // Enter in a field is not the end of the form.
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("input:not([type=hidden])")) event.preventDefault();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (form.dataset.going) return;
      form.dataset.going = "yes";
      say();
      try {
        if (signedOut) {
          const again = await fetch(location.pathname, { redirect: "error" });
          const page = new DOMParser().parseFromString(await again.text(), "text/html");
          form.elements.csrf.value = page.querySelector("main input[name=csrf]").value;
        }
        const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
        if (answer.redirected) { location.assign(answer.url); return; }
        if (answer.status === 401 || answer.status === 403) { signedOut = true; say("signed-out"); return; }
        if (answer.status >= 500 || answer.status === 429) { say("trouble"); return; }
        replace(await answer.text());
      } catch {
        say(signedOut ? "signed-out" : "offline");
      } finally {
        delete form.dataset.going;
      }
    });
  }

  // What was on the page before stays in its memory, so that going back finds the form as it was.
  const before = [];
  let hash = location.hash;
  window.addEventListener("popstate", () => {
    const elsewhere = location.hash !== hash;
    hash = location.hash;
    if (elsewhere || !before.length) return;
    const [title, nodes] = before.pop();
    document.title = title;
    main.replaceChildren(...nodes);
  });

  function replace(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    before.push([document.title, [...main.childNodes]]);
    history.pushState(null, "", location.pathname);
    hash = "";
    document.title = page.title;
    main.replaceChildren(...page.querySelector("main").childNodes);
    window.scrollTo(0, 0);
    begin();
    (main.querySelector(".summary") ?? main).focus();
  }

  function begin() {
    main.querySelectorAll("form[data-kept]").forEach((form) => {
      keep(form);
      if ("steps" in form.dataset) steps(form);
      form.querySelectorAll("[data-place]").forEach((place) => seek(form, place));
    });
  }

  begin();
})();
