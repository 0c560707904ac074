"use strict";

// Parallel coordinates: lines on a canvas, axes with brushes in SVG. Plotly's own need WebGL and code made from
// strings, which the page's policy forbids, and no key moves their brushes.

if (document.getElementById("parallel")) {
  const { columns, n, named, text } = Trials;
  const TOP = 62;
  const BOTTOM = 26;
  const HEIGHT = 330;
  const SIDE = 84;
  const LEAST = 104; // pixels from axis to axis
  const box = document.getElementById("parallel");
  const canvas = box.querySelector("canvas");
  const objective = columns.find((column) => column.objective);
  const information = columns.filter((column) => column.label === "L_I" && column.shown && column !== objective);
  const axes = [...columns.filter((column) => column.parameter), ...information, objective].map(axisOf).filter(Boolean);
  const ranked = Array.from({ length: n }, (_, row) => row).filter((row) => named("rank").values[row] !== null);
  let kept = ranked;

  /** Where values lie on an axis, 0 at its foot and 1 at its top; null where a column has no two values. */
  function axisOf(column) {
    const transform = column.scale === "log" ? Math.log10 : Number;
    let places = column.values.map((value) => (value === null ? null : transform(value)));
    const present = places.filter((place) => place !== null);
    const low = present.reduce((a, b) => Math.min(a, b), Infinity);
    const high = present.reduce((a, b) => Math.max(a, b), -Infinity);
    if (!(high > low)) return null;
    places = places.map((place) => (place === null ? null : (place - low) / (high - low)));
    const back = (share) => low + share * (high - low);
    const label =
      column.kind === "category"
        ? (share) => column.categories[Math.round(back(share))]
        : (share) => (column.kind === "score" ? Trials.number : Trials.valueText)(column.scale === "log" ? 10 ** back(share) : back(share));
    const ticks = column.kind === "category" ? column.categories.map((_, place) => (place - low) / (high - low)) : [0, 0.25, 0.5, 0.75, 1];
    const step = column.kind === "category" ? 1 / (high - low) : 0.02;
    return { column, places, label, ticks, step, from: 0, to: 1 };
  }

  const SVG = "http://www.w3.org/2000/svg";

  function svg(tag, attributes, content) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (content !== undefined) made.textContent = content;
    return made;
  }

  const y = (share) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  const cut = (label, most) => (label.length <= most ? label : `${label.slice(0, most - 1)}…`);
  const clamp = (share) => Math.min(1, Math.max(0, share));

  function xOf(place) {
    const width = box.clientWidth - 2 * SIDE;
    return axes.length > 1 ? SIDE + (place * width) / (axes.length - 1) : SIDE + width / 2;
  }

  function drawLines() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = box.clientWidth * ratio;
    canvas.height = HEIGHT * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(box);
    const passing = new Set(kept);
    const stroke = (rows, colour, alpha, width) => {
      pen.strokeStyle = colour;
      pen.globalAlpha = alpha;
      pen.lineWidth = width;
      for (const row of rows) {
        pen.beginPath();
        let down = false; // a line has a gap where a trial has no value
        axes.forEach((axis, place) => {
          const share = axis.places[row];
          if (share === null) down = false;
          else if (down) pen.lineTo(xOf(place), y(share));
          else {
            pen.moveTo(xOf(place), y(share));
            down = true;
          }
        });
        pen.stroke();
      }
    };
    const crowd = Math.max(0.02, Math.min(0.7, 30 / kept.length));
    stroke(ranked.filter((row) => !passing.has(row)), style.getPropertyValue("--line"), 0.5, 1);
    stroke(kept, style.getPropertyValue("--accent"), crowd, 1.2);
    stroke(kept.filter((row) => row === 0), "#D55E00", 1, 3);
  }

  function drawAxes() {
    const drawing = svg("svg", { role: "group", "aria-label": "Axes with brushes", viewBox: `0 0 ${box.clientWidth} ${HEIGHT}` });
    axes.forEach((axis, place) => {
      const x = xOf(place);
      const [, section, key] = /^(.*\.)?([^.]*)$/.exec(axis.column.label) ?? [null, "", axis.column.label];
      const heading = svg("g", {});
      heading.append(svg("title", {}, axis.column.label));
      heading.append(svg("text", { x, y: 14, "text-anchor": "middle" }, cut(section ?? "", 20)));
      heading.append(svg("text", { x, y: 30, "text-anchor": "middle", class: "key" }, cut(key, 16)));
      if (axis.column.scale === "log") heading.append(svg("text", { x, y: 45, "text-anchor": "middle" }, "log"));
      drawing.append(heading, svg("line", { x1: x, x2: x, y1: y(0), y2: y(1) }));
      for (const tick of axis.ticks) drawing.append(svg("text", { x: x + 12, y: y(tick) + 4 }, cut(axis.label(tick), 12)));
      const brush = svg("rect", { x: x - 6, width: 12, class: "brush" });
      const area = svg("rect", { x: x - 12, width: 24, y: y(1) - 8, height: y(0) - y(1) + 16, class: "catch" });
      area.addEventListener("pointerdown", (event) => startBrush(axis, area, event));
      const handles = ["from", "to"].map((end) => handle(axis, end, x));
      drawing.append(area, brush, ...handles);
      axis.show = () => {
        brush.setAttribute("y", y(axis.to));
        brush.setAttribute("height", y(axis.from) - y(axis.to));
        brush.style.display = axis.from === 0 && axis.to === 1 ? "none" : "";
        for (const each of handles) each.show();
      };
      axis.show();
    });
    box.querySelector("svg")?.remove();
    box.append(drawing);
  }

  function shareAt(event) {
    return clamp((y(0) - (event.clientY - box.getBoundingClientRect().top)) / (y(0) - y(1)));
  }

  /** A drag on an axis brushes what it passes; a click alone takes the brush away. */
  function startBrush(axis, area, event) {
    const start = shareAt(event);
    const move = (moved) => {
      const now = shareAt(moved);
      setBrush(axis, Math.min(start, now), Math.max(start, now));
    };
    area.setPointerCapture(event.pointerId);
    setBrush(axis, 0, 1);
    area.addEventListener("pointermove", move);
    const stop = () => area.removeEventListener("pointermove", move);
    area.addEventListener("pointerup", stop, { once: true });
    area.addEventListener("pointercancel", stop, { once: true });
    event.preventDefault();
  }

  function handle(axis, end, x) {
    const name = `${axis.column.label}, ${end === "from" ? "lower" : "upper"} end`;
    const knob = svg("circle", {
      cx: x, r: 6, class: "handle", tabindex: 0, role: "slider", "aria-orientation": "vertical",
      "aria-label": name, "aria-valuemin": 0, "aria-valuemax": 100,
    });
    const moveTo = (share) =>
      end === "from" ? setBrush(axis, Math.min(clamp(share), axis.to), axis.to) : setBrush(axis, axis.from, Math.max(clamp(share), axis.from));
    knob.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5, Home: -Infinity, End: Infinity }[event.key];
      if (steps === undefined) return;
      event.preventDefault();
      moveTo(axis[end] + steps * axis.step);
    });
    knob.addEventListener("pointerdown", (event) => {
      const drag = (moved) => moveTo(shareAt(moved));
      knob.setPointerCapture(event.pointerId);
      knob.addEventListener("pointermove", drag);
      const stop = () => knob.removeEventListener("pointermove", drag);
      knob.addEventListener("pointerup", stop, { once: true });
      knob.addEventListener("pointercancel", stop, { once: true });
    });
    knob.show = () => {
      knob.setAttribute("cy", y(axis[end]) + (end === "from" ? 6 : -6));
      knob.setAttribute("aria-valuenow", Math.round(100 * axis[end]));
      knob.setAttribute("aria-valuetext", axis.label(axis[end]));
    };
    return knob;
  }

  function setBrush(axis, from, to) {
    axis.from = from;
    axis.to = to;
    axis.show();
    refresh();
  }

  const SLACK = 1e-9; // ends that were reached in steps

  function refresh() {
    const brushed = axes.filter((axis) => axis.from > SLACK || axis.to < 1 - SLACK);
    kept = ranked.filter((row) =>
      brushed.every((axis) => {
        const share = axis.places[row];
        return share !== null && share >= axis.from - SLACK && share <= axis.to + SLACK;
      }),
    );
    document.getElementById("brushed").textContent = `${kept.length.toLocaleString("en")} of ${ranked.length.toLocaleString("en")} ranked trials`;
    document.getElementById("choose").disabled = kept.length === 0 || kept.length === ranked.length;
    document.getElementById("unbrush").disabled = brushed.length === 0;
    drawLines();
  }

  function redraw() {
    box.style.width = `${LEAST * (axes.length - 1) + 2 * SIDE}px`;
    box.style.setProperty("--shape", box.clientWidth / HEIGHT);
    drawAxes();
    refresh();
  }

  document.getElementById("unbrush").addEventListener("click", () => {
    for (const axis of axes) Object.assign(axis, { from: 0, to: 1 });
    for (const axis of axes) axis.show();
    refresh();
  });
  document.getElementById("choose").addEventListener("click", () => {
    document.dispatchEvent(new CustomEvent("trials-chosen", { detail: kept }));
  });
  prefersDark.addEventListener("change", drawLines);
  window.addEventListener("resize", redraw);
  redraw();
}

// Two scores at once: the reader picks them, and the front is of all ranked trials.

if (document.getElementById("pareto")) {
  const { columns, n, named, number, text } = Trials;
  const MOST_POINTS = 500; // drawn beside the front
  const NAMED = 10; // trials of the front in the sentence
  const plot = document.getElementById("pareto");
  const scores = columns.filter((column) => column.kind === "score" && column.values.some((value) => value !== null));
  const sides = ["x", "y"].map((side) => ({
    menu: document.getElementById(`pareto-${side}`),
    low: document.getElementById(`pareto-${side}-low`),
  }));
  const escaped = (label) => label.replace(/[&<>]/g, (found) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[found]);

  /** Rows that no other row beats in both scores; of equal rows all stay. */
  function front(rows, x, y) {
    const inOrder = [...rows].sort((a, b) => x(b) - x(a) || y(b) - y(a));
    let best = -Infinity; // of y among rows with a better x
    let level = -Infinity; // of y among rows with this x
    let at = null;
    return inOrder.filter((row) => {
      if (x(row) !== at) {
        best = Math.max(best, level);
        at = x(row);
        level = y(row);
      }
      return y(row) === level && y(row) > best;
    });
  }

  async function drawPareto() {
    const [across, up] = sides.map(({ menu, low }) => {
      const column = scores[menu.selectedIndex];
      return { column, of: (row) => (low.checked ? -1 : 1) * column.values[row] };
    });
    const rows = Array.from({ length: n }, (_, row) => row).filter(
      (row) => named("rank").values[row] !== null && across.column.values[row] !== null && up.column.values[row] !== null,
    );
    const best = front(rows, across.of, up.of);
    const every = Math.ceil(rows.length / MOST_POINTS);
    const drawnRows = rows.filter((_, place) => place % every === 0);
    const trace = (chosen, more) => ({
      x: chosen.map((row) => across.column.values[row]),
      y: chosen.map((row) => up.column.values[row]),
      text: chosen.map((row) => escaped(text(named("trial"), row))),
      hovertemplate: "trial %{text}<br>%{x:.4f}<br>%{y:.4f}<extra></extra>",
      type: "scatter",
      ...more,
    });
    const layout = plot.layout;
    layout.xaxis.title.text = escaped(across.column.label);
    layout.yaxis.title.text = escaped(up.column.label);
    layout.xaxis.autorange = layout.yaxis.autorange = true;
    await Plotly.react(plot, [
      trace(drawnRows, { mode: "markers", marker: { color: "#0072B2", size: 7, opacity: 0.6 } }),
      trace(best, {
        mode: "lines+markers", line: { color: "#D55E00", width: 2 }, marker: { color: "#D55E00", symbol: "diamond", size: 10 },
      }),
    ], layout);
    const name = (row) => `trial ${text(named("trial"), row)} (${number(across.column.values[row])}, ${number(up.column.values[row])})`;
    const more = best.length > NAMED ? ` and ${best.length - NAMED} more` : "";
    const thinned = every === 1 ? "" : ` Drawn: the front and ${drawnRows.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} trials; the front is of all.`;
    const words = best.length === 0 ? "No ranked trial has both scores." : `On the front: ${best.slice(0, NAMED).map(name).join(", ")}${more}.${thinned}`;
    document.getElementById("pareto-words").textContent = words;
    plot.setAttribute("aria-label", `${up.column.label} against ${across.column.label}. ${words}`);
  }

  for (const [place, { menu, low }] of sides.entries()) {
    const first = [plot.dataset.across, plot.dataset.up][place];
    for (const { label, supervision } of scores) {
      menu.add(new Option(supervision ? `${label} (uses ${supervision})` : label, label, false, label === first));
    }
    const direct = () => {
      low.checked = scores[menu.selectedIndex].direction === "min";
    };
    menu.addEventListener("change", () => {
      direct();
      drawPareto();
    });
    low.addEventListener("change", drawPareto);
    direct();
  }
  drawn.then(drawPareto);
}
