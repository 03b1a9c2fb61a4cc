"use strict";
// The player, where there is a recording; lanes of scores and rows of segments have one order.
const player = document.getElementById("player");
const lanes = document.getElementById("lanes");
const only = document.getElementById("only");
const rows = [...document.querySelectorAll("tr[data-start]")];
const timed = rows.filter((row) => row.dataset.start !== "");
const duration = Number(lanes.dataset.duration);
const stage = document.getElementById("stage");
let current = null;

// A row that is shown does not lie below the stage, which stays in sight.
function leaveRoom() {
  document.documentElement.style.scrollPaddingTop = `${stage.offsetHeight}px`;
}

function mark(row) {
  if (row === current) return;
  if (current) current.removeAttribute("aria-current");
  current = row;
  if (row) row.setAttribute("aria-current", "true");
}

function show(row) {
  if (row.hidden) {
    only.checked = false;
    filter();
  }
  mark(row);
  row.scrollIntoView({ block: "nearest" });
}

function moveCursor(seconds) {
  const place = String((1000 * seconds) / duration);
  for (const line of lanes.querySelectorAll(".cursor")) {
    line.setAttribute("x1", place);
    line.setAttribute("x2", place);
  }
}

function play(row) {
  show(row);
  moveCursor(Number(row.dataset.start));
  if (!player) return;
  player.currentTime = Number(row.dataset.start);
  // What cannot be played says so by its event `error`.
  player.play().catch(() => {});
}

// The segment at a time, or the last one before it.
function rowAt(seconds) {
  return timed.filter((row) => Number(row.dataset.start) <= seconds).at(-1) ?? timed[0];
}

function filter() {
  for (const row of rows) row.hidden = only.checked && !row.classList.contains("flagged");
}

function step(direction) {
  const flagged = timed.filter((row) => row.classList.contains("flagged"));
  const here = current ? timed.indexOf(current) : -1;
  const ahead = flagged.filter((row) => direction * (timed.indexOf(row) - here) > 0);
  const next = direction > 0 ? ahead[0] : ahead.at(-1);
  if (next) play(next);
}

lanes.addEventListener("click", (event) => {
  const drawing = event.target.closest("svg");
  if (!drawing || !timed.length) return;
  const box = drawing.getBoundingClientRect();
  const number = event.target.dataset.row;
  play(number ? rows[Number(number)] : rowAt((duration * (event.clientX - box.left)) / box.width));
});
for (const row of timed) row.querySelector("button").addEventListener("click", () => play(row));
document.getElementById("previous").addEventListener("click", () => step(-1));
document.getElementById("next").addEventListener("click", () => step(1));
only.addEventListener("change", filter);
if (player) {
  player.addEventListener("timeupdate", () => {
    moveCursor(player.currentTime);
    const row = rowAt(player.currentTime);
    if (row && Number(row.dataset.start) <= player.currentTime) mark(row);
  });
  const unplayable = () => (document.getElementById("unplayable").hidden = false);
  player.addEventListener("error", unplayable);
  // It may have failed before this script ran.
  if (player.error) unplayable();
}
new ResizeObserver(leaveRoom).observe(stage);
filter();
