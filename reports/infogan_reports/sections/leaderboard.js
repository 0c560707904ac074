"use strict";

// The leaderboard: rows are chosen, sorted and drawn here; a page of them at a time.

if (document.getElementById("ranked")) {
  const PAGE = 100;
  const LATEX_ROWS = 20;
  const at = (id) => document.getElementById(id);
  const { columns, n, text, spread, number, statusWords } = Trials;
  const table = at("ranked");
  const status = Trials.named("status");
  const trial = Trials.named("trial");
  const state = { page: 0, sort: null, ascending: true, chosen: null, statuses: new Set(status.categories), rows: [] };
  const shown = new Set(columns.filter((column) => column.shown));
  const level = new Map(columns.map((column) => [column, new Set(column.level ?? [])]));
  const collator = new Intl.Collator("en", { numeric: true });
  const isNumeric = (column) => column.kind === "number" || column.kind === "score";
  const visible = () => columns.filter((column) => shown.has(column));

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // Which rows, in which order

  let haystacks = null; // made at the first search

  function haystack(row) {
    const swept = columns.filter((column) => column.parameter);
    const pairs = swept.map((column) => `${column.label}=${text(column, row)} ${column.values[row] ?? ""}`);
    return [text(Trials.named("trial"), row), statusWords[text(status, row)], ...pairs].join("\n").toLowerCase();
  }

  function chooseRows() {
    const words = at("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length > 0) haystacks ??= Array.from({ length: n }, (_, row) => haystack(row));
    const passes = (row) =>
      state.statuses.has(status.categories[status.values[row]]) &&
      (state.chosen === null || state.chosen.has(row)) &&
      words.every((word) => haystacks[row].includes(word));
    state.rows = Array.from({ length: n }, (_, row) => row).filter(passes);
    if (state.sort !== null) sortRows(state.rows, state.sort, state.ascending);
    state.page = 0;
    drawRows();
  }

  /** In place and stable; rows without a value stay at the end. */
  function sortRows(rows, column, ascending) {
    const compare = isNumeric(column)
      ? (a, b) => column.values[a] - column.values[b]
      : (a, b) => collator.compare(text(column, a), text(column, b));
    const blank = (row) => column.values[row] === null;
    rows.sort((a, b) => blank(a) - blank(b) || (blank(a) ? 0 : (ascending ? 1 : -1) * compare(a, b)));
  }

  // Drawing

  function drawHead() {
    const cells = visible().map((column) => {
      const button = element("button", { type: "button" });
      if (column.supervision) button.append(element("span", { class: "badge" }, `uses ${column.supervision}`));
      const parts = (column.label + (column.spreads ? " ±" : "")).split(/(?<=[._/])/); // where paper may break it
      button.append(...parts.flatMap((part, place) => (place === 0 ? [part] : [element("wbr"), part])));
      button.addEventListener("click", () => {
        state.ascending = state.sort === column ? !state.ascending : true;
        state.sort = column;
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", state.ascending ? "ascending" : "descending");
        chooseRows();
      });
      const cell = element("th", { scope: "col" }, button);
      if (isNumeric(column)) cell.className = "number";
      if (state.sort === column) cell.setAttribute("aria-sort", state.ascending ? "ascending" : "descending");
      return cell;
    });
    table.tHead.rows[0].replaceChildren(...cells);
  }

  function drawCell(column, row) {
    if (column === trial) return drawTrial(row);
    if (column === status) {
      const name = text(column, row);
      return element("td", {}, element("span", { class: `status ${name}` }, statusWords[name]));
    }
    const cell = element("td", { class: isNumeric(column) ? "number" : "text" });
    const leads = column.leader === row;
    if (leads) cell.classList.add("leader");
    cell.append(leads ? element("b", {}, text(column, row)) : text(column, row));
    if (spread(column, row) !== null) cell.append(element("span", { class: "spread" }, ` ± ${number(spread(column, row))}`));
    if (level.get(column).has(row)) cell.append(element("abbr", { title: "not told apart from the best" }, " ≈"));
    return cell;
  }

  /** The trial's name, with a box that draws its curves where the page has them. */
  function drawTrial(row) {
    const cell = element("th", { scope: "row" });
    if (Curves.has(row)) {
      const box = element("input", { type: "checkbox", tabindex: -1, "aria-label": `Curves of trial ${text(trial, row)}` });
      box.dataset.row = row;
      box.addEventListener("change", () => Curves.choose(row, box.checked));
      cell.append(box);
    }
    cell.append(text(trial, row));
    return cell;
  }

  const boxes = () => [...table.tBodies[0].querySelectorAll("input")];

  function drawChoice() {
    for (const box of boxes()) {
      const row = Number(box.dataset.row);
      box.checked = Curves.chosen.has(row);
      box.style.accentColor = Curves.colour(row) ?? "";
      box.closest("tr").classList.toggle("chosen-row", box.checked);
    }
  }

  function drawRows() {
    const first = state.page * PAGE;
    const rows = state.rows.slice(first, first + PAGE);
    const rank = columns[0];
    table.tBodies[0].replaceChildren(
      ...rows.map((row) => {
        const line = element("tr", {}, ...visible().map((column) => drawCell(column, row)));
        if (rank.values[row] === 1) line.className = "best";
        if (["diverged", "failed"].includes(text(status, row))) line.className = "bad";
        return line;
      }),
    );
    const total = state.rows.length;
    const order = state.sort === null ? "" : `, by ${state.sort.label} ${state.ascending ? "ascending" : "descending"}`;
    const range = total > PAGE ? `${first + 1} to ${first + rows.length} of ` : "";
    const of = total === n ? "" : ` of ${n.toLocaleString("en")}`;
    at("count").textContent = `${range}${total.toLocaleString("en")}${of} ${n === 1 ? "trial" : "trials"}${order}`;
    const last = Math.max(0, Math.ceil(total / PAGE) - 1);
    at("first").disabled = at("previous").disabled = state.page === 0;
    at("next").disabled = at("last").disabled = state.page === last;
    for (const id of ["first", "previous", "next", "last"]) at(id).hidden = last === 0;
    if (boxes().length > 0) boxes()[0].tabIndex = 0;
    drawChoice();
    at("latex").textContent = latex();
    at("copied").textContent = "";
  }

  function turnTo(page) {
    state.page = page;
    drawRows();
    table.parentElement.scrollTop = 0;
  }

  function checkbox(label, checked, whenChanged) {
    const box = element("input", { type: "checkbox" });
    box.checked = checked;
    box.addEventListener("change", () => whenChanged(box.checked));
    return element("label", {}, box, label);
  }

  function toggle(set, member, present) {
    if (present) set.add(member);
    else set.delete(member);
  }

  for (const [place, name] of status.categories.entries()) {
    const count = status.values.filter((value) => value === place).length;
    at("statuses").append(
      checkbox(`${statusWords[name]} (${count.toLocaleString("en")})`, true, (checked) => {
        toggle(state.statuses, name, checked);
        chooseRows();
      }),
    );
  }
  for (const column of columns.filter((each) => each !== trial)) {
    at("columns").append(
      checkbox(column.label, shown.has(column), (checked) => {
        toggle(shown, column, checked);
        drawHead();
        drawRows();
      }),
    );
  }
  // One box is reached by Tab; the arrow keys go from there.
  table.tBodies[0].addEventListener("keydown", (event) => {
    const all = boxes();
    const here = all.indexOf(event.target);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[event.key];
    if (here < 0 || to === undefined) return;
    event.preventDefault();
    all[to]?.focus();
  });
  table.tBodies[0].addEventListener("focusin", ({ target }) => {
    for (const box of boxes()) box.tabIndex = box === target ? 0 : -1;
  });
  table.tBodies[0].addEventListener("click", ({ target }) => {
    const box = target.closest("tr")?.querySelector("input");
    if (box && target !== box && window.getSelection().isCollapsed) Curves.choose(Number(box.dataset.row), !box.checked);
  });
  Curves.follow((warning) => {
    drawChoice();
    at("curves-full").textContent = warning;
  });
  at("find").addEventListener("input", chooseRows);
  at("first").addEventListener("click", () => turnTo(0));
  at("previous").addEventListener("click", () => turnTo(state.page - 1));
  at("next").addEventListener("click", () => turnTo(state.page + 1));
  at("last").addEventListener("click", () => turnTo(Math.ceil(state.rows.length / PAGE) - 1));

  // The trials between the brushes of the parallel coordinates

  document.addEventListener("trials-chosen", ({ detail }) => {
    state.chosen = new Set(detail);
    const clear = element("button", { type: "button", class: "button" }, "Show all");
    clear.addEventListener("click", () => {
      state.chosen = null;
      at("chosen").hidden = true;
      chooseRows();
      at("find").focus();
    });
    at("chosen").replaceChildren(`Only the ${detail.length} trials kept in the parallel coordinates. `, clear);
    at("chosen").hidden = false;
    chooseRows();
    at("leaderboard").scrollIntoView();
    clear.focus({ preventScroll: true });
  });

  // CSV: RFC 4180

  function csvText(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const harmless = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
  }

  function csv() {
    const fields = visible().flatMap((column) => {
      const own = [column.label, (row) => (isNumeric(column) ? (column.words?.[row] ?? column.values[row]) : text(column, row))];
      return column.spreads ? [own, [`${column.label} std`, (row) => spread(column, row)]] : [own];
    });
    const lines = [fields.map(([label]) => csvText(label)), ...state.rows.map((row) => fields.map(([, of]) => csvText(of(row))))];
    return lines.map((line) => `${line.join(",")}\r\n`).join("");
  }

  at("csv").addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([csv()], { type: "text/csv;charset=utf-8" }));
    const link = element("a", { href: address, download: `${document.querySelector("h1").textContent}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  });

  // LaTeX: booktabs

  const ESCAPES = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", $: "\\$", "&": "\\&", "#": "\\#", _: "\\_", "%": "\\%",
    "^": "\\textasciicircum{}", "~": "\\textasciitilde{}", "<": "\\textless{}", ">": "\\textgreater{}",
    "|": "\\textbar{}", '"': "\\textquotedbl{}", "–": "--", "≈": "$\\approx$", "±": "$\\pm$",
  };

  const tex = (string) => string.replace(/\s+/g, " ").replace(/[\\{}$&#_%^~<>|"–≈±]/g, (found) => ESCAPES[found]);

  function texNumber(string) {
    const [mantissa, power] = string.split("e");
    return power === undefined ? string.replace(/^-/, "$-$") : `$${mantissa} \\times 10^{${Number(power)}}$`;
  }

  function texCell(column, row) {
    if (column === status) return tex(statusWords[text(column, row)]);
    if (!isNumeric(column) || column.values[row] === null) return tex(text(column, row));
    const value = texNumber(text(column, row));
    const marked = column.leader === row ? `\\textbf{\\boldmath ${value}}` : value;
    return spread(column, row) === null ? marked : `${marked} $\\pm$ ${texNumber(number(spread(column, row)))}`;
  }

  function latex() {
    const chosen = visible();
    const line = (cells) => `${cells.join(" & ")} \\\\`;
    const rows = state.rows.slice(0, LATEX_ROWS);
    return [
      `\\begin{tabular}{${chosen.map((column) => (isNumeric(column) ? "r" : "l")).join("")}}`,
      "\\toprule",
      line(chosen.map((column) => tex(column.label))),
      "\\midrule",
      ...rows.map((row) => line(chosen.map((column) => texCell(column, row)))),
      "\\bottomrule",
      "\\end{tabular}",
    ].join("\n");
  }

  at("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(at("latex").textContent);
      at("copied").textContent = "Copied.";
    } catch {
      window.getSelection().selectAllChildren(at("latex")); // some browsers keep the clipboard from local files
      at("copied").textContent = "Selected: press Ctrl+C.";
    }
  });

  drawHead();
  chooseRows();
}
