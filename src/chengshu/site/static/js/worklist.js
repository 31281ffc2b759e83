// The work list by keys: j and k move, x chooses, Enter opens. Tab reaches everything as well.
"use strict";

const list = document.querySelector("[data-worklist]");
const rows = list ? [...list.querySelectorAll("[data-row]")] : [];
let at = -1;

function move(step) {
  if (!rows.length) return;
  rows[at]?.removeAttribute("data-active");
  at = Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[at].setAttribute("data-active", "");
  rows[at].querySelector("a").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea, summary, [contenteditable]")) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "x" && at >= 0) rows[at].querySelector("input").click();
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
