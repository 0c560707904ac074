"use strict";

// Figures: data from the JSON block, ink and grid from the theme in force.

const THEMES = {
  light: { ink: "#1d2329", muted: "#59626c", grid: "#e3e6ea", panel: "#ffffff" },
  dark: { ink: "#e4e8ec", muted: "#a3adb8", grid: "#2c333b", panel: "#1b2026" },
};
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
const figures = [...document.querySelectorAll(".plot")];

function themed(theme) {
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
    ...axis("xaxis"),
    ...axis("yaxis"),
  };
}

function restyle(theme) {
  for (const figure of figures) Plotly.relayout(figure, themed(theme));
}

async function draw() {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const config = { displayModeBar: false, responsive: true, scrollZoom: false };
  for (const figure of figures) {
    const { data, layout } = plots[figure.id];
    await Plotly.newPlot(figure, data, layout, config);
    await Plotly.relayout(figure, themed(currentTheme()));
  }
}

function currentTheme() {
  return prefersDark.matches ? THEMES.dark : THEMES.light;
}

if (figures.length > 0) {
  draw();
  prefersDark.addEventListener("change", () => restyle(currentTheme()));
  window.addEventListener("beforeprint", () => restyle(THEMES.light)); // paper is white
  window.addEventListener("afterprint", () => restyle(currentTheme()));
}

// Tables: a click on a header sorts by its column, a second one the other way round; blanks stay at the end.

function sortBy(table, column, ascending, numeric) {
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => {
    const text = row.cells[column].textContent.trim();
    const number = Number.parseFloat(text);
    return { row, key: numeric ? number : text, blank: numeric ? Number.isNaN(number) : text === "" };
  });
  const compare = numeric ? (a, b) => a - b : (a, b) => a.localeCompare(b, "en", { numeric: true });
  keyed.sort((a, b) => a.blank - b.blank || (a.blank ? 0 : (ascending ? 1 : -1) * compare(a.key, b.key)));
  body.append(...keyed.map(({ row }) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  for (const [column, header] of headers.entries()) {
    header.querySelector("button").addEventListener("click", () => {
      const ascending = header.getAttribute("aria-sort") !== "ascending";
      for (const other of headers) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sortBy(table, column, ascending, header.classList.contains("number"));
    });
  }
}
