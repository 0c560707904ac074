"use strict";

// The explorer of a sheet of pictures; the numbers of its tiles follow docs/architecture.md, explorer.json.

/**
 * `redraw()` draws everything, `drawImage()` the chosen image alone, and `rebuild()` makes the controls anew.
 */
async function pictureExplorer({ tile, columns, category, matches, noises, planes }, sheet, { redraw, drawImage, rebuild }) {
  const { choices, menu, slider } = ExplorerControls;
  const chosen = { category: 0, noise: 0, plane: 0, steps: [] };
  let sliders = [];

  const plane = () => planes[chosen.plane];
  const sizeOf = ({ values }) => values.reduce((product, each) => product * each.length, 1);
  const middle = (values) => Math.max(values.indexOf(0), 0);

  function startPlane(number) {
    chosen.plane = number;
    chosen.steps = plane().values.map(middle);
  }

  function tileNumber(steps) {
    const sizes = planes.map(sizeOf);
    const total = (counts) => counts.reduce((sum, count) => sum + count, 0);
    const within = plane().values.reduce((number, values, axis) => number * values.length + steps[axis], 0);
    const setting = chosen.category * noises + chosen.noise;
    return setting * total(sizes) + total(sizes.slice(0, chosen.plane)) + within;
  }

  function paint(context, steps, x, y) {
    const [height, width] = tile;
    const number = tileNumber(steps);
    context.drawImage(sheet, (number % columns) * width, Math.floor(number / columns) * height, width, height, x, y, width, height);
  }

  function describe() {
    const match = matches[chosen.category] ?? null;
    const codes = plane().codes.map((name, axis) => `${name} = ${plane().values[axis][chosen.steps[axis]]}`);
    const first = category === null ? [] : [`${category} = ${chosen.category}${match === null ? "" : ` (matched with ${match})`}`];
    return [...first, ...codes, `noise ${chosen.noise + 1} of ${noises}`].join(", ");
  }

  // Rows and columns of the plane: two codes go down and across, one goes across.
  const grid = () => [1, 1, ...plane().values.map((values) => values.length)].slice(-2);
  const stepsAt = (row, column) => [row, column].slice(2 - plane().codes.length);

  function drawPlane(canvas) {
    const [height, width] = tile;
    const [rows, across] = grid();
    [canvas.height, canvas.width] = [rows * height, across * width];
    const context = canvas.getContext("2d");
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < across; column += 1) paint(context, stepsAt(row, column), column * width, row * height);
    }
  }

  function axes() {
    const names = plane().codes;
    return [names.length > 1 ? names[0] : null, names.at(-1) ?? null];
  }

  function follow() {
    sliders.forEach(({ follow: show }, axis) => {
      const step = chosen.steps[axis];
      show(step, String(plane().values[axis][step]));
    });
  }

  function controls() {
    const parts = [];
    const change = (key) => (value) => {
      chosen[key] = value;
      redraw();
    };
    if (category !== null) {
      const texts = matches.map((match, k) => (match === null ? `${k}` : `${k} → ${match}`));
      parts.push(choices(`Category of ${category}`, "category", texts, chosen.category, change("category")));
    }
    if (planes.length > 1) {
      const texts = planes.map(({ codes }) => codes.join(" and "));
      parts.push(menu("Vary", "plane", texts, chosen.plane, (number) => {
        startPlane(number);
        rebuild("plane");
      }));
    }
    sliders = plane().codes.map((name, axis) => slider(name, `axis-${axis}`, { min: 0, max: plane().values[axis].length - 1, step: 1 }, (step) => {
      chosen.steps[axis] = step;
      follow();
      drawImage();
    }));
    parts.push(...sliders.map((each) => each.element));
    parts.push(choices("Noise", "noise", Array.from({ length: noises }, (_, k) => `${k + 1}`), chosen.noise, change("noise")));
    return parts;
  }

  await sheet.decode().catch(() => {
    throw new Error("This browser cannot read the explorer's pictures (WebP).");
  });
  startPlane(0);
  return {
    size: tile,
    grid,
    at: () => [0, 0, ...chosen.steps].slice(-2),
    choose: (row, column) => {
      chosen.steps = stepsAt(row, column);
    },
    paint: (context) => paint(context, chosen.steps, 0, 0),
    drawPlane,
    finish: () => {},
    leave: () => {},
    newNoise: null,
    axes,
    describe,
    controls,
    follow,
  };
}
