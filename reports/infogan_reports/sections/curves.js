"use strict";

// Training curves of the trials that the reader chooses, in the leaderboard or here; a row is a place in the ranking.

const Curves = (() => {
  const block = document.getElementById("curve-data");
  const { panels, rows, best, colours, dashes } = block ? JSON.parse(block.textContent) : { panels: [], rows: [], best: 0, colours: [], dashes: [] };
  const MOST = 2 * colours.length;
  const ENDS = { stopped: "diamond-open", diverged: "x", failed: "x" };
  const DASH_ARRAYS = { solid: "", dash: "7 4", dot: "2 4", dashdot: "7 3 2 3", longdash: "12 4" };
  const { columns, named, number, statusWords, text } = Trials;
  const at = (id) => document.getElementById(`curves-${id}`);
  const available = new Set(rows);
  const chosen = new Map(); // row -> its style, which it keeps for as long as it is chosen
  const followers = [];
  const escaped = (label) => label.replace(/[&<>]/g, (found) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[found]);
  const trialOf = (row) => text(named("trial"), row);
  const statusOf = (row) => text(named("status"), row);

  /** Each pair of a colour and a dash once, so that lines differ to a reader who sees no colour. */
  function styleOf(slot) {
    const round = Math.floor(slot / colours.length);
    return { slot, colour: colours[slot % colours.length], dash: dashes[(slot + round) % dashes.length] };
  }

  function choose(row, wanted) {
    if (!wanted) chosen.delete(row);
    else if (!chosen.has(row) && chosen.size < MOST) {
      const taken = new Set([...chosen.values()].map(({ slot }) => slot));
      chosen.set(row, styleOf(Array.from({ length: MOST }, (_, slot) => slot).find((slot) => !taken.has(slot))));
    }
    const full = wanted && !chosen.has(row);
    changed(full ? `${MOST} trials are drawn at most: take one away first.` : "");
    redraw();
  }

  function chooseBest() {
    chosen.clear();
    for (const row of rows.slice(0, best)) chosen.set(row, styleOf(chosen.size));
  }

  function changed(warning = "") {
    at("said").textContent = warning || (chosen.size === 0 ? "No trial is chosen." : `${chosen.size} of ${rows.length.toLocaleString("en")} trials drawn.`);
    drawKey();
    for (const follow of followers) follow(warning);
  }

  // Key: one entry a chosen trial

  function svg(tag, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  function ending(row) {
    return statusOf(row) === "finished" ? "" : `${statusWords[statusOf(row)]} at step ${text(named("step"), row)}`;
  }

  function drawKey() {
    const entries = [...chosen].map(([row, { colour, dash }]) => {
      const swatch = svg("svg", { width: 34, height: 8, "aria-hidden": "true" });
      swatch.append(svg("path", { d: "M0 4h34", stroke: colour, "stroke-width": 2.5, "stroke-dasharray": DASH_ARRAYS[dash] }));
      const swept = columns.filter((column) => column.parameter && column.values[row] !== null);
      const values = swept.map((column) => `${column.label} = ${text(column, row)}`).join(", ");
      const words = document.createElement("span");
      words.textContent = [`trial ${trialOf(row)}${values ? ` (${values})` : ""}`, ending(row)].filter(Boolean).join(", ");
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "button", textContent: "×" });
      button.setAttribute("aria-label", `Take trial ${trialOf(row)} away`);
      button.addEventListener("click", () => {
        choose(row, false);
        (at("key").querySelector("button") ?? at("best")).focus();
      });
      const entry = document.createElement("li");
      entry.append(swatch, words, button);
      return entry;
    });
    at("key").replaceChildren(...entries);
  }

  // Figures

  /** Two arrays of equal length from base64 of float32. */
  function unpacked(packed) {
    const values = [...new Float32Array(Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0)).buffer)];
    return [values.slice(0, values.length / 2), values.slice(values.length / 2)];
  }

  function tracesOf(panel, row) {
    const { colour, dash } = chosen.get(row);
    const [steps, means] = unpacked(panel.lines[row]);
    const name = escaped(trialOf(row));
    const line = {
      x: steps, y: means, type: "scatter", name, line: { color: colour, dash, width: 2 },
      mode: steps.length === 1 ? "lines+markers" : "lines",
      hovertemplate: "trial %{fullData.name}, step %{x}<br>%{y:.4f}<extra></extra>",
    };
    const band = () => {
      const [low, high] = unpacked(panel.bands[row]);
      return {
        x: [...steps, ...steps.slice().reverse()], y: [...high, ...low.reverse()], type: "scatter", mode: "lines",
        fill: "toself", fillcolor: `${colour}29`, line: { width: 0 }, hoverinfo: "skip",
      };
    };
    const end = () => ({
      x: steps.slice(-1), y: means.slice(-1), type: "scatter", mode: "markers", name,
      marker: { symbol: ENDS[statusOf(row)] ?? "circle-open", size: 11, color: colour, line: { color: colour, width: 2 } },
      hovertemplate: `trial %{fullData.name} ${ending(row)}<br>%{y:.4f}<extra></extra>`,
    });
    return { bands: panel.bands[row] ? [band()] : [], lines: [line, ...(ending(row) ? [end()] : [])] };
  }

  function ceilingsOf(panel, shown) {
    const distinct = [...new Set(shown.map((row) => panel.ceilings[row]).filter((value) => value !== undefined))];
    return {
      shapes: distinct.map((y) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, line: { color: "#7A7F87", dash: "dot", width: 1.5 } })),
      annotations: distinct.map((y) => ({ xref: "paper", x: 1, y, text: `H(c) = ${y.toFixed(3)}`, xanchor: "right", yanchor: "bottom", showarrow: false })),
    };
  }

  /** What Plotly draws of a panel, and the same in words. */
  function contentOf(panel) {
    const shown = [...chosen.keys()].filter((row) => panel.lines[row]);
    const traces = shown.map((row) => tracesOf(panel, row));
    const ends = shown.map((row) => {
      const last = number(unpacked(panel.lines[row])[1].at(-1));
      return [`trial ${trialOf(row)} ends at ${last}`, ending(row)].filter(Boolean).join(", ");
    });
    return {
      data: [...traces.flatMap(({ bands }) => bands), ...traces.flatMap(({ lines }) => lines)],
      layout: ceilingsOf(panel, shown),
      words: `${panel.title} over the steps of training: ${ends.join("; ") || "no trial is chosen"}.`,
    };
  }

  let pending = drawn;

  function redraw() {
    pending = pending.then(async () => {
      for (const [place, panel] of panels.entries()) {
        const plot = document.getElementById(`curve-${place}`);
        const { data, layout, words } = contentOf(panel);
        Object.assign(plot.layout, layout);
        plot.layout.xaxis.autorange = plot.layout.yaxis.autorange = true;
        await Plotly.react(plot, data, plot.layout);
        plot.setAttribute("aria-label", words);
      }
    });
  }

  if (block) {
    chooseBest();
    changed();
    for (const [place, panel] of panels.entries()) {
      const { data, layout, words } = contentOf(panel);
      const plot = plots[`curve-${place}`];
      plot.data = data;
      Object.assign(plot.layout, layout);
      document.getElementById(`curve-${place}`).setAttribute("aria-label", words);
    }
    at("best").addEventListener("click", () => {
      chooseBest();
      changed();
      redraw();
    });
    at("none").addEventListener("click", () => {
      chosen.clear();
      changed();
      redraw();
    });
  }

  return {
    chosen,
    choose,
    has: (row) => available.has(row),
    colour: (row) => chosen.get(row)?.colour,
    follow: (follower) => followers.push(follower),
  };
})();
