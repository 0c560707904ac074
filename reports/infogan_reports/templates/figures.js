"use strict";

// Figures: data from the JSON block, ink and grid from the theme in force.

const THEMES = {
  light: { ink: "#1d2329", muted: "#59626c", grid: "#e3e6ea", panel: "#ffffff" },
  dark: { ink: "#e4e8ec", muted: "#a3adb8", grid: "#2c333b", panel: "#1b2026" },
};
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
const figures = [...document.querySelectorAll(".plot")];

const plots = JSON.parse(document.getElementById("plots").textContent); // other scripts may add to them before they are drawn

function themed(theme, layout) {
  const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
  const axis = (name) => ({
    [`${name}.gridcolor`]: theme.grid,
    [`${name}.linecolor`]: theme.grid,
    [`${name}.tickcolor`]: theme.grid,
    [`${name}.title.font.color`]: theme.muted,
    [`${name}.title.font.size`]: 12,
  });
  return {
    "font.color": theme.muted,
    "font.family": FONT,
    "font.size": 12,
    "hoverlabel.bgcolor": theme.panel,
    "hoverlabel.bordercolor": theme.grid,
    "hoverlabel.font.color": theme.ink,
    ...Object.assign({}, ...axes.map(axis)),
  };
}

function restyle(theme) {
  for (const figure of figures) if (figure.layout) Plotly.relayout(figure, themed(theme, figure.layout));
}

/** `layout` with the theme in it, so that a figure is drawn once. */
function inTheme(theme, layout) {
  for (const [path, value] of Object.entries(themed(theme, layout))) {
    const names = path.split(".");
    const last = names.pop();
    names.reduce((part, name) => (part[name] ??= {}), layout)[last] = value;
  }
  return layout;
}

/** Lets paper, which is narrower than the window and announces no new size, scale a figure down. */
function makeScalable(figure) {
  const { width, height } = figure.querySelector(".svg-container").getBoundingClientRect();
  figure.style.setProperty("--shape", width / height);
  for (const drawing of figure.querySelectorAll(".main-svg")) drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
}

async function draw() {
  const config = { displayModeBar: false, responsive: true, scrollZoom: false };
  for (const figure of figures) {
    const { data, layout } = plots[figure.id];
    await Plotly.newPlot(figure, data, inTheme(currentTheme(), layout), config);
    makeScalable(figure);
    figure.on("plotly_afterplot", () => makeScalable(figure));
    await new Promise((resolve) => setTimeout(resolve)); // the page answers its reader in between
  }
}

function currentTheme() {
  return prefersDark.matches ? THEMES.dark : THEMES.light;
}

let drawn = Promise.resolve();
if (figures.length > 0) {
  drawn = new Promise((ready) => document.addEventListener("DOMContentLoaded", ready)).then(draw);
  prefersDark.addEventListener("change", () => restyle(currentTheme()));
  window.addEventListener("beforeprint", () => restyle(THEMES.light)); // paper is white
  window.addEventListener("afterprint", () => restyle(currentTheme()));
}
