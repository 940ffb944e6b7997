"use strict";
// Applies the theme, draws the charts, and lets tables be sorted, snippets be copied and the page refresh itself.

const root = new URL(document.currentScript.src).pathname.replace("static/pages.js", "");
const systemTheme = window.matchMedia("(prefers-color-scheme: dark)");

/* Airflow shows these pages in a frame; a class on its own page names the selected theme. */
function airflowPage() {
  try {
    return window.top === window ? null : window.top.document.documentElement;
  } catch {
    return null;  // framed by another site
  }
}

/* Charts need no redrawing: their colours are variables of the style sheet. A report is a page of its own in a frame. */
function applyTheme() {
  const chosen = ["light", "dark"].find((name) => airflowPage()?.classList.contains(name));
  const theme = chosen ?? (systemTheme.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme;
  for (const frame of document.querySelectorAll("iframe.report")) {
    frame.contentDocument?.documentElement?.setAttribute("data-theme", theme);
  }
}

const BESIDE = 105;  // pixels of the price axis and the padding beside the plots

/* Vega-Lite fits one chart to its place, but not charts below each other: they get their width here. */
function fitted(specification, place) {
  for (const view of specification.vconcat ?? []) view.width = Math.max(200, place.clientWidth - BESIDE);
  return specification;
}

async function drawCharts() {
  const config = JSON.parse(document.getElementById("chart-config")?.textContent ?? "{}");
  for (const place of document.querySelectorAll(".plotted:empty")) {
    place.style.minWidth = `${place.dataset.narrowest}px`;
    place.style.maxWidth = `${place.dataset.widest}px`;
    const specification = fitted(JSON.parse(place.nextElementSibling.textContent), place);
    if (specification.vconcat) place.dataset.width = place.clientWidth;
    await window.vegaEmbed(place, specification, {
      actions: false,
      ast: true,  // interpret expressions without eval, which the page's policy forbids
      config,
      defaultStyle: false,
      loader: { target: "_self" },
      renderer: "svg",
      tooltip: { disableDefaultStyle: true },
    });
    place.parentElement.scrollLeft = place.parentElement.scrollWidth;  // the latest day is at the end
  }
  document.body.dataset.drawn = "yes";
}

function refit() {
  for (const place of document.querySelectorAll(".plotted[data-width]")) {
    if (place.clientWidth !== Number(place.dataset.width)) place.replaceChildren();
  }
  drawCharts();
}

/* A click on a heading sorts its table: numbers by value, anything else by its letters; a second click turns it round. */
function sortBy(heading) {
  const table = heading.closest("table");
  const column = heading.cellIndex;
  const isNumber = heading.classList.contains("n");
  const turn = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const text = (row) => row.cells[column]?.textContent.trim() ?? "";
  const value = (row) => parseFloat(text(row).replace("\u2212", "-").replace(/[^0-9.eE+-]/g, ""));
  const compare = isNumber
    ? (a, b) => (value(a) - value(b)) * turn
    : (a, b) => text(a).localeCompare(text(b), "en", { numeric: true }) * turn;
  const rows = [...table.tBodies[0].rows];
  const filled = rows.filter((row) => text(row) !== "");
  table.tBodies[0].append(...filled.sort(compare), ...rows.filter((row) => text(row) === ""));
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", turn === 1 ? "ascending" : "descending");
}

/* Airflow's own pages belong into its window, not into our frame, which may not navigate it: its page follows the link. */
function leaveFrame(event, link) {
  const outside = airflowPage();
  if (!outside) return;
  event.preventDefault();
  const copied = outside.ownerDocument.createElement("a");
  copied.href = link.href;
  outside.ownerDocument.body.append(copied);
  copied.click();
  copied.remove();
}

async function copy(button) {
  await navigator.clipboard.writeText(button.nextElementSibling.textContent);
  button.textContent = "copied";
  setTimeout(() => { button.textContent = "copy"; }, 1500);
}

async function refresh(main) {
  if (document.hidden || main.contains(document.activeElement)) return;  // nobody looks, or somebody works on it
  const answer = await fetch(window.location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  if (!fresh) return;
  const heights = [...main.querySelectorAll(".plotted")].map((chart) => chart.offsetHeight);
  main.replaceChildren(...fresh.childNodes);
  main.querySelectorAll(".plotted").forEach((chart, i) => { chart.style.minHeight = `${heights[i] ?? 0}px`; });  // nothing jumps
  prepare();
}

function prepare() {
  applyTheme();
  for (const frame of document.querySelectorAll("iframe.report")) frame.addEventListener("load", applyTheme);
  for (const grid of document.querySelectorAll(".grid")) grid.scrollLeft = grid.scrollWidth;  // the latest day
  if (window.vegaEmbed) drawCharts();
}

let resized;
window.addEventListener("resize", () => {
  clearTimeout(resized);
  if (window.vegaEmbed) resized = setTimeout(refit, 200);
});
applyTheme();
systemTheme.addEventListener("change", applyTheme);
if (airflowPage()) new MutationObserver(applyTheme).observe(airflowPage(), { attributeFilter: ["class"] });
document.addEventListener("click", (event) => {
  const heading = event.target.closest("main thead th");
  if (heading && !heading.querySelector("a") && !heading.closest(".grid")) sortBy(heading);  // a link sorts on the server
  const link = event.target.closest("a[href]");
  if (link && link.origin === window.location.origin && !link.pathname.startsWith(root)) leaveFrame(event, link);
  const button = event.target.closest("[data-copies]");
  if (button) copy(button);
});
document.addEventListener("DOMContentLoaded", () => {
  prepare();
  const main = document.querySelector("main[data-refresh]");
  if (main) setInterval(() => refresh(main), Number(main.dataset.refresh) * 1000);
});
