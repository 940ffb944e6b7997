"use strict";
// Applies the theme and draws the charts in its colours.

const systemTheme = window.matchMedia("(prefers-color-scheme: dark)");

/* Airflow shows these pages in a frame; a class on its own page names the selected theme. */
function airflowPage() {
  try {
    return window.top === window ? null : window.top.document.documentElement;
  } catch {
    return null;  // framed by another site
  }
}

function theme() {
  const chosen = ["light", "dark"].find((name) => airflowPage()?.classList.contains(name));
  return chosen ?? (systemTheme.matches ? "dark" : "light");
}

function look() {
  const style = getComputedStyle(document.documentElement);
  const probe = document.createElement("span");
  document.body.append(probe);
  const color = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const [ink, soft, line] = ["--ink", "--soft", "--line"].map(color);
  probe.remove();
  const text = { labelColor: soft, titleColor: soft, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
  return {
    background: "transparent",
    font: style.fontFamily,
    axis: { ...text, gridColor: line, domainColor: line, tickColor: line },
    legend: text,
    title: { color: ink, font: "system-ui, sans-serif" },
    view: { stroke: null },
    text: { color: soft },
    rule: { color: soft },
  };
}

async function draw() {
  for (const place of document.querySelectorAll(".plotted")) {
    place.style.minWidth = `${place.dataset.narrowest}px`;
    place.style.maxWidth = `${place.dataset.widest}px`;
    const specification = JSON.parse(place.nextElementSibling.textContent);
    await window.vegaEmbed(place, specification, {
      actions: false,
      ast: true,  // interpret expressions without eval, which the page's policy forbids
      config: look(),
      defaultStyle: false,
      loader: { target: "_self" },
      renderer: "svg",
      tooltip: { disableDefaultStyle: true },
    });
    place.parentElement.scrollLeft = place.parentElement.scrollWidth;  // the latest day is at the end
  }
  document.body.dataset.drawn = "yes";
}

function show() {
  document.documentElement.dataset.theme = theme();
  if (window.vegaEmbed && document.body) draw();
}

show();
document.addEventListener("DOMContentLoaded", show);
systemTheme.addEventListener("change", show);
if (airflowPage()) new MutationObserver(show).observe(airflowPage(), { attributeFilter: ["class"] });
