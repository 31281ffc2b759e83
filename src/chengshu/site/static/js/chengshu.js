// Small comforts; every page works without them.
"use strict";

// An open menu closes on Escape, on a click elsewhere, and when another one opens.
document.addEventListener("click", (event) => {
  for (const pop of document.querySelectorAll("details.pop[open]")) {
    if (!pop.contains(event.target)) pop.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const pop of document.querySelectorAll("details.pop[open]")) {
    pop.open = false;
    pop.querySelector("summary").focus();
  }
});

// A form that came back with errors: the summary is read first.
document.querySelector("[data-focus]")?.focus();

// A filter whose choice alone is the answer needs no button: <select data-submit>.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A button pressed twice sends once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.matches("[hx-post]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Chosen files are named beside the field: <input type="file" data-names="id of an element">.
document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.type !== "file" || !input.dataset.names) return;
  document.getElementById(input.dataset.names).textContent = [...input.files].map((file) => file.name).join("，");
});

// A dialogue before what cannot be undone: <form data-confirm="…">.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    delete event.target.dataset.sent;
  }
});

// Fields that depend on other answers appear and go as one types: the server says in X-Asked which are asked.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest("form[data-asks]");
  const asked = event.detail.xhr.getResponseHeader("X-Asked");
  if (!form || asked === null) return;
  const names = new Set(asked.split(" "));
  for (const part of form.querySelectorAll("[data-field]")) part.hidden = !names.has(part.dataset.field);
});
