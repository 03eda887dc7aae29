// Shows the contract of this very service. Requests are not sent from here: a key belongs to a program, not to a browser.
"use strict";

const night = window.matchMedia("(prefers-color-scheme: dark)");
const followLight = () => document.documentElement.classList.toggle("dark-mode", night.matches);

followLight();
night.addEventListener("change", followLight);
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
