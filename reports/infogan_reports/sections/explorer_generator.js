"use strict";

// The explorer that runs G: every code at any value, and any noise.

/** `n` numbers of noise from a whole number `seed`, the same in every browser: uniform on (-1, 1), or standard normal. */
function explorerNoise(seed, n, distribution) {
  let state = seed >>> 0;
  const uniform = () => { // mulberry32, by Tommy Ettinger: 32 bits of state, public domain
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (((bits ^ (bits >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()); // Box and Muller
  return Array.from({ length: n }, () => (distribution === "normal" ? normal() : 2 * uniform() - 1));
}

/** As `pictureExplorer`, of a generator: `matches` are the classes of the categories of the code `scored`. */
async function generatorExplorer({ layers, noise, distribution, codes, scored, matches, weights }, { redraw, drawImage, rebuild }) {
  const { element, control, choices, menu, slider } = ExplorerControls;
  const NOISE = "noise";
  const NOISES = 8; // noises of the plane
  const STEPS = 9; // values of a continuous code in the plane
  const SLICE = 12; // milliseconds of work before the page answers its reader
  const TOGETHER = 4; // images
  const width = noise + codes.reduce((sum, { size }) => sum + size, 0);
  const generator = await Generator.read(layers, width, weights);
  const [height, across, channels] = generator.size;

  const rangeOf = ({ kind }) => (kind === "uniform" ? { min: -1, max: 1, step: 0.01 } : { min: -3, max: 3, step: 0.02 });
  const isCategory = ({ kind }) => kind === "categorical";
  const text = (value) => String(Number(value.toFixed(2)));
  const chosen = { values: codes.map(() => 0), seed: 1, firstSeed: 1, axes: [null, null] };
  let followers = []; // functions that show the chosen values in the controls
  let drawnPlane = "";
  let work = null;

  // Axes of the plane: a code's place in `codes`, NOISE, or null.
  const continuous = codes.flatMap((code, k) => (isCategory(code) ? [] : [k]));
  const candidates = [null, ...codes.map((_, k) => k), ...(noise > 0 ? [NOISE] : [])];
  chosen.axes = continuous.length > 1 ? continuous.slice(0, 2) : [noise > 0 ? NOISE : null, continuous[0] ?? (codes.length > 0 ? 0 : null)];

  function valuesOf(axis) {
    if (axis === null) return [null];
    if (axis === NOISE) return Array.from({ length: NOISES }, (_, k) => chosen.firstSeed + k);
    if (isCategory(codes[axis])) return Array.from({ length: codes[axis].size }, (_, k) => k);
    const end = codes[axis].kind === "uniform" ? 1 : 2;
    return Array.from({ length: STEPS }, (_, k) => (end * (2 * k)) / (STEPS - 1) - end);
  }

  const current = (axis) => (axis === NOISE ? chosen.seed : chosen.values[axis]);

  function set(setting, axis, value) {
    if (axis === null) return setting;
    return axis === NOISE ? { ...setting, seed: value } : { ...setting, values: setting.values.with(axis, value) };
  }

  /** G's input for the values of all codes and the noise of a seed. */
  function row({ values, seed }) {
    const parts = codes.map((code, k) => (isCategory(code) ? Array.from({ length: code.size }, (_, each) => Number(each === values[k])) : [values[k]]));
    return [...explorerNoise(seed, noise, distribution), ...parts.flat()];
  }

  /** The images of some settings, as pixels for a canvas. */
  function pictures(settings) {
    const images = generator.images(settings.flatMap(row));
    const n = height * across;
    return settings.map((_, image) => {
      const pixels = new ImageData(across, height);
      for (let k = 0; k < n; k += 1) {
        const from = (image * n + k) * channels;
        for (let colour = 0; colour < 3; colour += 1) {
          pixels.data[4 * k + colour] = (images[from + (channels === 3 ? colour : 0)] + 1) * 127.5; // rounded and clamped
        }
        pixels.data[4 * k + 3] = 255;
      }
      return pixels;
    });
  }

  function* tiles(context) {
    const [down, over] = chosen.axes.map(valuesOf);
    const places = down.flatMap((_, y) => over.map((__, x) => [y, x]));
    for (let k = 0; k < places.length; k += TOGETHER) {
      const some = places.slice(k, k + TOGETHER);
      const settings = some.map(([y, x]) => set(set(chosen, chosen.axes[0], down[y]), chosen.axes[1], over[x]));
      pictures(settings).forEach((pixels, each) => context.putImageData(pixels, some[each][1] * across, some[each][0] * height));
      yield;
    }
  }

  /** Works on the plane until it is drawn, or for a slice of time; a newer plane takes the place of an older one. */
  function draw(own, milliseconds) {
    const end = performance.now() + milliseconds;
    while (work === own && performance.now() < end) if (own.next().done) work = null;
    if (work === own) setTimeout(draw, 0, own, SLICE);
  }

  function finish() {
    if (work !== null) draw(work, Infinity);
  }

  /** Another explorer takes the canvas. */
  function leave() {
    work = null;
    drawnPlane = "";
  }

  function drawPlane(canvas) {
    const fixed = set(set({ values: chosen.values, seed: chosen.seed }, chosen.axes[0], 0), chosen.axes[1], 0);
    const wanted = JSON.stringify([fixed, chosen.axes, chosen.firstSeed]);
    if (wanted === drawnPlane) return;
    drawnPlane = wanted;
    const [rows, columns] = grid();
    if (canvas.height !== rows * height || canvas.width !== columns * across) {
      [canvas.height, canvas.width] = [rows * height, columns * across];
    }
    work = tiles(canvas.getContext("2d"));
    setTimeout(draw, 0, work, SLICE);
  }

  const grid = () => chosen.axes.map((axis) => valuesOf(axis).length);

  /** The tile of the plane that is the nearest to the chosen values. */
  function at() {
    return chosen.axes.map((axis) => {
      const far = valuesOf(axis).map((value) => Math.abs(value - current(axis)));
      return axis === null ? 0 : far.indexOf(Math.min(...far));
    });
  }

  function choose(...place) {
    chosen.axes.forEach((axis, k) => Object.assign(chosen, set(chosen, axis, valuesOf(axis)[place[k]])));
  }

  function matchOf(code, value) {
    return code.name === scored ? (matches[value] ?? null) : null;
  }

  function describe() {
    const words = codes.map((code, k) => {
      const match = isCategory(code) ? matchOf(code, chosen.values[k]) : null;
      return `${code.name} = ${text(chosen.values[k])}${match === null ? "" : ` (matched with ${match})`}`;
    });
    return [...words, ...(noise > 0 ? [`noise ${chosen.seed}`] : [])].join(", ");
  }

  function newNoise(seed = 1 + Math.floor(Math.random() * 99_999)) {
    Object.assign(chosen, { seed, firstSeed: seed });
    follow();
    redraw();
  }

  function noiseControl() {
    const input = element("input", { id: "explorer-seed", type: "number", min: 0, max: 2 ** 32 - 1, step: 1 });
    input.addEventListener("change", () => newNoise(Math.min(Math.max(Math.round(Number(input.value)) || 0, 0), 2 ** 32 - 1)));
    const button = element("button", { type: "button", className: "button", textContent: "New noise" });
    button.setAttribute("aria-keyshortcuts", "n");
    button.addEventListener("click", () => newNoise());
    followers.push(() => {
      input.value = chosen.seed;
    });
    return control("Noise, by its number", input, button);
  }

  function codeControl(code, k) {
    const change = (value) => {
      chosen.values[k] = value;
      follow();
      redraw();
    };
    if (isCategory(code)) {
      const texts = Array.from({ length: code.size }, (_, value) => {
        const match = matchOf(code, value);
        return match === null ? `${value}` : `${value} → ${match}`;
      });
      const buttons = choices(`Category of ${code.name}`, `code-${k}`, texts, chosen.values[k], change);
      followers.push(() => {
        buttons.querySelectorAll("input")[chosen.values[k]].checked = true;
      });
      return buttons;
    }
    const made = slider(code.name, `code-${k}`, rangeOf(code), change);
    followers.push(() => made.follow(chosen.values[k], text(chosen.values[k])));
    return made.element;
  }

  function axisControl(title, key, place) {
    const names = candidates.map((axis) => (axis === null ? "nothing" : axis === NOISE ? "noise" : codes[axis].name));
    return menu(title, key, names, candidates.indexOf(chosen.axes[place]), (number) => {
      chosen.axes[place] = candidates[number];
      if (chosen.axes[1 - place] === candidates[number]) chosen.axes[1 - place] = null;
      rebuild(key);
    });
  }

  function controls() {
    followers = [];
    const parts = codes.map(codeControl);
    if (noise > 0) parts.push(noiseControl());
    return [...parts, axisControl("Grid: from top to bottom", "down", 0), axisControl("Grid: from left to right", "across", 1)];
  }

  function follow() {
    for (const show of followers) show();
  }

  return {
    size: [height, across],
    grid,
    at,
    choose,
    paint: (context) => context.putImageData(pictures([chosen])[0], 0, 0),
    drawPlane,
    finish,
    leave,
    axes: () => chosen.axes.map((axis) => (axis === null ? null : axis === NOISE ? "noise" : codes[axis].name)),
    describe,
    controls,
    follow,
    newNoise: noise > 0 ? newNoise : null,
  };
}
