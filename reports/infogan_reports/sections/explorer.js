"use strict";

// The latent explorer: the chosen image, the grid around it, and the controls of the chosen trial's explorer.

if (document.getElementById("explorers")) {
  const explorers = JSON.parse(document.getElementById("explorers").textContent);
  const part = (name) => document.getElementById(`explorer-${name}`);
  const [image, plane, controls] = [part("image"), part("plane"), part("controls")];
  const made = new Map(); // number of a trial -> its explorer (a promise), made when it is first chosen
  let trial = 0;
  let shown = null; // the explorer

  function drawImage() {
    [image.height, image.width] = shown.size;
    shown.paint(image.getContext("2d"));
    const text = shown.describe();
    image.setAttribute("aria-label", `G's image for ${text}`);
    part("said").textContent = text;
    const [[rows, columns], [row, column]] = [shown.grid(), shown.at()];
    Object.assign(part("frame").style, {
      left: `${(100 * column) / columns}%`, top: `${(100 * row) / rows}%`,
      width: `${100 / columns}%`, height: `${100 / rows}%`,
    });
  }

  function redraw() {
    const axes = shown.axes();
    part("map").hidden = axes.every((name) => name === null);
    const words = axes.map((name, k) => name && `${name} changes ${["from top to bottom", "from left to right"][k]}`);
    part("axes").textContent = `${words.filter(Boolean).join(", ")}. Click or drag to choose.`;
    drawImage();
    shown.drawPlane(plane);
  }

  // What can be chosen differs among trials, and may change with a choice.
  function rebuild(focused) {
    const { menu } = ExplorerControls;
    const names = explorers.map((each) => each.trial);
    const trials = names.length > 1 ? [menu("Trial", "trial", names, trial, (number) => show(number, "trial"))] : [];
    controls.replaceChildren(...trials, ...shown.controls());
    shown.follow();
    redraw();
    if (focused) part(`choose-${focused}`).focus();
  }

  function makeExplorer(number) {
    const hooks = { redraw, drawImage, rebuild };
    const { weights, sheet, ...layout } = explorers[number];
    return weights === undefined
      ? pictureExplorer(layout, document.querySelectorAll("#explorer .sheet")[sheet], hooks)
      : generatorExplorer({ ...layout, weights }, hooks);
  }

  async function show(number, focused) {
    trial = number;
    try {
      if (!made.has(number)) made.set(number, makeExplorer(number));
      const explorer = await made.get(number);
      if (trial !== number) return;
      shown?.leave();
      shown = explorer;
      rebuild(focused);
    } catch (error) {
      part("said").textContent = error.message;
    }
  }

  function choose(event) {
    const { left, top, width, height } = plane.getBoundingClientRect();
    const [rows, columns] = shown.grid();
    const at = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    shown.choose(at((event.clientY - top) / height, rows), at((event.clientX - left) / width, columns));
    shown.follow();
    drawImage();
  }

  plane.addEventListener("pointerdown", (event) => {
    plane.setPointerCapture(event.pointerId);
    choose(event);
  });
  plane.addEventListener("pointermove", (event) => {
    if (event.buttons > 0) choose(event);
  });
  document.getElementById("explorer").addEventListener("keydown", (event) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "n" && plain && event.target.tagName !== "SELECT") shown?.newNoise?.();
  });
  window.addEventListener("beforeprint", () => shown?.finish());

  show(0);
}
