"use strict";

// The latent explorer: one sheet of tiles a trial; tile numbers follow docs/architecture.md, explorer.json.

if (document.getElementById("explorers")) {
  const explorers = JSON.parse(document.getElementById("explorers").textContent);
  const sheets = [...document.querySelectorAll("#explorer .sheet")];
  const part = (name) => document.getElementById(`explorer-${name}`);
  const controls = part("controls");
  const chosen = { trial: 0, category: 0, noise: 0, plane: 0, steps: [] };

  const explorer = () => explorers[chosen.trial];
  const plane = () => explorer().planes[chosen.plane];
  const sizeOf = ({ values }) => values.reduce((product, each) => product * each.length, 1);
  const middle = (values) => Math.max(values.indexOf(0), 0);

  function tileNumber(steps) {
    const sizes = explorer().planes.map(sizeOf);
    const total = (counts) => counts.reduce((sum, count) => sum + count, 0);
    const within = plane().values.reduce((number, values, axis) => number * values.length + steps[axis], 0);
    const setting = chosen.category * explorer().noises + chosen.noise;
    return setting * total(sizes) + total(sizes.slice(0, chosen.plane)) + within;
  }

  function paint(context, steps, x, y) {
    const { columns, tile: [height, width] } = explorer();
    const number = tileNumber(steps);
    const left = (number % columns) * width;
    const top = Math.floor(number / columns) * height;
    context.drawImage(sheets[chosen.trial], left, top, width, height, x, y, width, height);
  }

  function describe() {
    const { category, matches, noises } = explorer();
    const match = matches[chosen.category];
    const codes = plane().codes.map((name, axis) => `${name} = ${plane().values[axis][chosen.steps[axis]]}`);
    const first = category === null ? [] : [`${category} = ${chosen.category}${match === null ? "" : ` (matched with ${match})`}`];
    return [...first, ...codes, `noise ${chosen.noise + 1} of ${noises}`].join(", ");
  }

  // Rows and columns of the plane: two codes go down and across, one goes across.
  const rowsAndColumns = () => [1, 1, ...plane().values.map((values) => values.length)].slice(-2);
  const stepsAt = (row, column) => [row, column].slice(2 - plane().codes.length);

  function drawImage() {
    const canvas = part("image");
    [canvas.height, canvas.width] = explorer().tile;
    paint(canvas.getContext("2d"), chosen.steps, 0, 0);
    const text = describe();
    canvas.setAttribute("aria-label", `G's image for ${text}`);
    part("said").textContent = text;
    const [rows, columns] = rowsAndColumns();
    const [row, column] = [0, 0, ...chosen.steps].slice(-2);
    Object.assign(part("frame").style, {
      left: `${(100 * column) / columns}%`, top: `${(100 * row) / rows}%`,
      width: `${100 / columns}%`, height: `${100 / rows}%`,
    });
  }

  function drawPlane() {
    const names = plane().codes;
    part("map").hidden = names.length === 0;
    const canvas = part("plane");
    const [height, width] = explorer().tile;
    const [rows, columns] = rowsAndColumns();
    [canvas.height, canvas.width] = [rows * height, columns * width];
    const context = canvas.getContext("2d");
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        paint(context, stepsAt(row, column), column * width, row * height);
      }
    }
    const across = `${names.at(-1)} rises from left to right`;
    part("axes").textContent = `${names.length > 1 ? `${names[0]} rises from top to bottom, ` : ""}${across}. Click or drag to choose.`;
  }

  function drawAll() {
    drawPlane();
    drawImage();
  }

  // Controls are built anew when the trial or the plane changes, since what can be chosen does.

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function choices(title, key, texts) {
    const buttons = texts.map((text, value) => {
      const input = element("input", { type: "radio", name: `explorer-${key}`, value, checked: chosen[key] === value });
      input.addEventListener("change", () => {
        chosen[key] = value;
        drawAll();
      });
      return element("label", {}, input, element("span", { textContent: text }));
    });
    return element("fieldset", {}, element("legend", { textContent: title }), element("div", { className: "choices" }, ...buttons));
  }

  function menu(title, key, texts, onChange) {
    const select = element("select", { id: `explorer-choose-${key}` }, ...texts.map((text, value) => element("option", { value, textContent: text, selected: chosen[key] === value })));
    select.addEventListener("change", () => {
      chosen[key] = Number(select.value);
      onChange();
      build();
      part(`choose-${key}`).focus();
    });
    return element("div", { className: "control" }, element("label", { htmlFor: select.id, textContent: title }), select);
  }

  function slider(name, values, axis) {
    const input = element("input", { id: `explorer-axis-${axis}`, type: "range", min: 0, max: values.length - 1, step: 1 });
    input.dataset.axis = axis;
    input.addEventListener("input", () => {
      chosen.steps[axis] = Number(input.value);
      follow();
      drawImage();
    });
    const label = element("label", { htmlFor: input.id, textContent: name });
    return element("div", { className: "control" }, label, element("output", {}), input);
  }

  // Sliders follow what was chosen, be it by themselves or on the plane.
  function follow() {
    for (const input of controls.querySelectorAll("input[type=range]")) {
      const axis = Number(input.dataset.axis);
      const value = String(plane().values[axis][chosen.steps[axis]]);
      input.value = chosen.steps[axis];
      input.setAttribute("aria-valuetext", value);
      input.previousElementSibling.textContent = value;
    }
  }

  function startPlane() {
    chosen.steps = plane().values.map(middle);
  }

  function startTrial() {
    Object.assign(chosen, { category: 0, noise: 0, plane: 0 });
    startPlane();
  }

  function build() {
    const { category, matches, noises, planes } = explorer();
    const parts = [];
    if (explorers.length > 1) {
      parts.push(menu("Trial", "trial", explorers.map(({ trial }) => trial), startTrial));
    }
    if (category !== null) {
      parts.push(choices(`Category of ${category}`, "category", matches.map((match, k) => (match === null ? `${k}` : `${k} → ${match}`))));
    }
    if (planes.length > 1) {
      parts.push(menu("Vary", "plane", planes.map(({ codes }) => codes.join(" and ")), startPlane));
    }
    parts.push(...plane().codes.map((name, axis) => slider(name, plane().values[axis], axis)));
    parts.push(choices("Noise", "noise", Array.from({ length: noises }, (_, k) => `${k + 1}`)));
    controls.replaceChildren(...parts);
    follow();
    drawAll();
  }

  const canvas = part("plane");

  function choose(event) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const [rows, columns] = rowsAndColumns();
    const at = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    chosen.steps = stepsAt(at((event.clientY - top) / height, rows), at((event.clientX - left) / width, columns));
    follow();
    drawImage();
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    choose(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons > 0) choose(event);
  });

  startTrial();
  Promise.all(sheets.map((sheet) => sheet.decode())).then(build, () => {
    part("said").textContent = "This browser cannot read the explorer's pictures (WebP).";
  });
}
