"use strict";

// Figures: data from the JSON block, ink and grid from the theme in force.

const THEMES = {
  light: { ink: "#1d2329", muted: "#59626c", grid: "#e3e6ea", panel: "#ffffff" },
  dark: { ink: "#e4e8ec", muted: "#a3adb8", grid: "#2c333b", panel: "#1b2026" },
};
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
const figures = [...document.querySelectorAll(".plot")];

function themed(theme, figure) {
  const axes = Object.keys(figure.layout).filter((name) => /^[xy]axis\d*$/.test(name));
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
  for (const figure of figures) Plotly.relayout(figure, themed(theme, figure));
}

async function draw() {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const config = { displayModeBar: false, responsive: true, scrollZoom: false };
  for (const figure of figures) {
    const { data, layout } = plots[figure.id];
    await Plotly.newPlot(figure, data, layout, config);
    await Plotly.relayout(figure, themed(currentTheme(), figure));
  }
}

function currentTheme() {
  return prefersDark.matches ? THEMES.dark : THEMES.light;
}

let drawn = Promise.resolve();
if (figures.length > 0) {
  drawn = draw();
  prefersDark.addEventListener("change", () => restyle(currentTheme()));
  window.addEventListener("beforeprint", () => restyle(THEMES.light)); // paper is white
  window.addEventListener("afterprint", () => restyle(currentTheme()));
}
