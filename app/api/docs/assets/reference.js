// Shows the contract of this very service. Requests are not sent from here: a key belongs to a program, not to a browser.
"use strict";

const night = window.matchMedia("(prefers-color-scheme: dark)");
const followLight = () => document.documentElement.classList.toggle("dark-mode", night.matches);
const reference = document.getElementById("reference");

// What Swagger UI leaves unsaid to who reads by ear or by keyboard (WCAG 2.2: 1.3.1, 2.1.1, 4.1.2).
const mend = () => {
  const each = (selector, change) => reference.querySelectorAll(selector).forEach(change);
  // A link within a button is two things in one place; the button opens what the link names.
  each(".opblock-summary-control a[href], .opblock-tag a[href], .models a[href]", (link) => link.removeAttribute("href"));
  each("select:not([aria-label])", (select) => {
    const row = select.closest("tr");
    const of = row?.dataset.paramName ?? row?.dataset.code ?? "the body";
    select.setAttribute("aria-label", `${select.closest(".content-type-wrapper") ? "Media type" : "Example"} of ${of}`);
  });
  each("pre:not([tabindex]), .table-container:not([tabindex])", (wide) => wide.setAttribute("tabindex", "0"));
  each(".opblock-tag:not([aria-level])", (heading) => heading.setAttribute("aria-level", "2"));
  each(".opblock-body h4:not([aria-level])", (heading) => heading.setAttribute("aria-level", "3"));
  each(".opblock-body h5:not([aria-level])", (heading) => heading.setAttribute("aria-level", "4"));
  each("table[role=region]", (table) => table.removeAttribute("role"));
};

followLight();
night.addEventListener("change", followLight);
new MutationObserver(mend).observe(reference, { childList: true, subtree: true });
window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  supportedSubmitMethods: [],
  validatorUrl: null,
  queryConfigEnabled: false,
});
