// The work list by keys: j and k move, x chooses, Enter opens, ? shows them. Tab reaches everything as well.
// Single keys get in the way of speech input: they can be turned off, and stay so on this device (WCAG 2.1.4).
"use strict";

const list = document.querySelector("[data-worklist]");
const rows = list ? [...list.querySelectorAll("[data-row]")] : [];
const help = document.querySelector("[data-keys]");
const off = document.querySelector("[data-keys-off]");
const KEPT = "worklist-keys-off";
let at = -1;
let silent = false;

// A browser that keeps nothing still has the keys, and the choice holds for the page.
try {
  silent = localStorage.getItem(KEPT) === "1";
} catch {}

if (off) {
  off.hidden = false;
  off.querySelector("input").checked = silent;
  off.addEventListener("change", (event) => {
    silent = event.target.checked;
    try {
      if (silent) localStorage.setItem(KEPT, "1");
      else localStorage.removeItem(KEPT);
    } catch {}
  });
}

function move(step) {
  if (!rows.length) return;
  rows[at]?.removeAttribute("data-active");
  at = Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[at].setAttribute("data-active", "");
  rows[at].querySelector("a").focus();
}

document.addEventListener("keydown", (event) => {
  if (silent || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "?" && help) {
    help.open = !help.open;
    if (help.open) help.querySelector("summary").focus();
  } else if (event.key === "x" && at >= 0) rows[at].querySelector("input").click();
  else return;
  event.preventDefault();
});

// Whoever comes by Tab or pointer goes on from there.
list?.addEventListener("focusin", (event) => {
  const row = event.target.closest("[data-row]");
  if (!row) return;
  rows[at]?.removeAttribute("data-active");
  at = rows.indexOf(row);
  row.setAttribute("data-active", "");
});
