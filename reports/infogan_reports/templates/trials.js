"use strict";

// The trials of the page, in columns; a row is a place in the ranking.

const Trials = (() => {
  const { columns, status_words: statusWords } = JSON.parse(document.getElementById("trials").textContent);
  const named = (label) => columns.find((column) => column.label === label && !column.parameter);
  const n = columns[0].values.length;

  /** As `number` in text.py: four decimals near 1, fewer above, powers of ten far off. */
  function number(value) {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e4)) return exponent(value.toExponential(2));
    return value.toFixed(size < 10 ? 4 : 2);
  }

  /** As `value_text` in text.py: exact where that is short, else four digits. */
  function valueText(value) {
    const exact = general(value, 12);
    return exact.length <= 8 ? exact : general(value, 4);
  }

  function general(value, digits) {
    const size = Math.abs(value);
    if (size === 0 || (size >= 1e-4 && size < 10 ** digits)) return String(Number(value.toPrecision(digits)));
    const [mantissa, power] = value.toExponential(digits - 1).split("e");
    return exponent(`${Number(mantissa)}e${power}`);
  }

  function exponent(text) {
    return text.replace(/e([+-])(\d)$/, "e$10$2");
  }

  /** The value as a reader sees it: its words where it is not finite or too long for a number; empty where there is none. */
  function text(column, row) {
    const value = column.values[row];
    if (column.words?.[row] !== undefined) return column.words[row];
    if (column.kind === "score") return number(value);
    if (value === null) return column.parameter ? "" : "–";
    if (column.kind === "category") return column.categories[value];
    return column.kind === "number" && column.parameter ? valueText(value) : String(value);
  }

  const spread = (column, row) => column.spreads?.[row] ?? null;

  return { columns, n, named, number, text, spread, statusWords, valueText };
})();
