"use strict";

// The controls of the latent explorer.

const ExplorerControls = (() => {
  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function control(title, input, ...more) {
    return element("div", { className: "control" }, element("label", { htmlFor: input.id, textContent: title }), ...more, input);
  }

  /** A button for each text; `change` takes the place of the pressed one. */
  function choices(title, key, texts, chosen, change) {
    const buttons = texts.map((text, value) => {
      const input = element("input", { type: "radio", name: `explorer-${key}`, value, checked: chosen === value });
      input.addEventListener("change", () => change(value));
      return element("label", {}, input, element("span", { textContent: text }));
    });
    return element("fieldset", {}, element("legend", { textContent: title }), element("div", { className: "choices" }, ...buttons));
  }

  /** A menu of texts; `change` takes the place of the chosen one. */
  function menu(title, key, texts, chosen, change) {
    const options = texts.map((text, value) => element("option", { value, textContent: text, selected: chosen === value }));
    const select = element("select", { id: `explorer-choose-${key}` }, ...options);
    select.addEventListener("change", () => change(Number(select.value)));
    return control(title, select);
  }

  /** A slider with `range` of min, max and step; `change` takes its number. `follow` shows a value and its text. */
  function slider(title, key, range, change) {
    const input = element("input", { id: `explorer-${key}`, type: "range", ...range });
    const output = element("output", {});
    input.addEventListener("input", () => change(Number(input.value)));
    const follow = (value, text) => {
      input.value = value;
      input.setAttribute("aria-valuetext", text);
      output.textContent = text;
    };
    return { element: control(title, input, output), follow };
  }

  return { element, control, choices, menu, slider };
})();
