// The browser's side of ldvd_lib.widgets.TableExplorer: controls, the table and its order. All figures arrive once, in
// the traits `_tables` and `_conditions`; choosing and sorting never ask the kernel.

function render({ model, el }) {
  const tables = model.get("_tables");
  const conditions = model.get("_conditions");
  const hasOurs = conditions.length > 0;
  const whose = model.get("_whose");
  const runs = `${whose} runs`;
  const capitalRuns = runs[0].toUpperCase() + runs.slice(1);
  const option = (value, text = value) => element("option", { value }, text);
  const chosenTable = field(
    "select",
    { "aria-label": "Table", class: "ldvd-wide" },
    ...tables.map(({ number, heading }) => option(number, heading)),
  );
  const chosenMetric = field("select", { "aria-label": "Column in the picture" });
  const chosenCondition = field(
    "select",
    { "aria-label": capitalRuns, class: "ldvd-wide" },
    ...conditions.map(({ name }) => option(name)),
  );
  const inOrder = element("button", { type: "button", class: "ldvd-button" }, "Paper's order");
  const conditionField = labelled(runs, chosenCondition);
  conditionField.hidden = !hasOurs;
  const grid = element("table", {});
  const scroll = element("div", { class: "ldvd-scroll" }, grid);
  const legend = element("p", { class: "ldvd-hint" });
  const chart = makeChart({ point, step });
  const readout = element("p", { class: "ldvd-readout", role: "status" });
  const compared = element("figcaption", { "aria-live": "polite" });
  const figure = element("figure", {}, chart.svg, readout, compared);
  const status = element("p", { class: "ldvd-status" });
  el.append(
    element(
      "div",
      { class: "ldvd-widget ldvd-table-explorer", role: "group", "aria-label": "Table explorer" },
      element("div", { class: "ldvd-bar" }, labelled("table", chosenTable)),
      element("div", { class: "ldvd-bar" }, conditionField),
      scroll,
      legend,
      element("div", { class: "ldvd-bar" }, labelled("picture of", chosenMetric), inOrder),
      figure,
      status,
    ),
  );
  let at = null; // the row that is read out, by its place on screen

  // What is shown

  const current = () => tables.find(({ number }) => number === model.get("table"));
  const condition = () => conditions.find(({ name }) => name === model.get("condition"));
  const isShared = (found, table) =>
    found.models.some((ours) => ours.tables.includes(table.number) && table.columns.some(({ key }) => ours.values[key]));

  /** The table's rows, with ours beside them; below them models of one's own, which the paper cannot have. */
  function rows() {
    const [table, found] = [current(), condition()];
    const shared = found && isShared(found, table);
    const paper = table.rows.map((row) => ({
      ...row,
      ours: (row.model && found?.models.find((ours) => ours.model === row.model)) || null,
    }));
    const own = (shared ? found.models : [])
      .filter((ours) => ours.isOwn)
      .map((ours) => ({ label: ours.label, heading: `${ours.label} (${whose}s)`, parameters: "", values: {}, ours }));
    return [...paper, ...own];
  }

  function ourColumns() {
    const [table, found] = [current(), condition()];
    if (!found || !isShared(found, table)) return [];
    return table.columns.filter(({ key }) =>
      found.models.some((ours) => ours.tables.includes(table.number) && ours.values[key]),
    );
  }

  function worth(row, sort) {
    if (sort === "label") return row.heading;
    if (sort === "parameters") return row.parameters ? Number.parseFloat(row.parameters) : null;
    if (sort.startsWith("ours:")) return row.ours?.values[sort.slice(5)]?.mean ?? null;
    return row.values[sort]?.mean ?? null;
  }

  /** In the chosen order; rows without a figure come last either way. */
  function sorted() {
    const [sort, direction] = [model.get("sort"), model.get("descending") ? -1 : 1];
    if (!sort) return rows();
    return rows().sort((one, other) => {
      const [a, b] = [worth(one, sort), worth(other, sort)];
      if (a === null || b === null) return (a === null) - (b === null);
      return direction * (typeof a === "string" ? a.localeCompare(b) : a - b);
    });
  }

  /** Choose, and bring what hangs on the choice in line, as Python does for a choice of its own. */
  function set(changes) {
    for (const [key, value] of Object.entries(changes)) model.set(key, value);
    if ("table" in changes) {
      const table = current();
      const keys = table.columns.map(({ key }) => key);
      if (!keys.includes(model.get("metric"))) model.set("metric", keys[0]);
      const sorts = ["", "label", ...(table.counted ? ["parameters"] : []), ...keys, ...keys.map((key) => `ours:${key}`)];
      if (!sorts.includes(model.get("sort"))) {
        model.set("sort", "");
        model.set("descending", false);
      }
      const found = condition();
      if (found && !isShared(found, table) && table.condition) model.set("condition", table.condition);
    }
    model.save_changes();
  }

  /** First the best (or A to Z, or the fewest parameters), then the other way round, then as the paper has it. */
  function sortBy(sort, isDescendingFirst) {
    const { sort: before, descending } = { sort: model.get("sort"), descending: model.get("descending") };
    if (before !== sort) set({ sort, descending: isDescendingFirst });
    else if (descending === isDescendingFirst) set({ descending: !descending });
    else set({ sort: "", descending: false });
  }

  // Drawing

  function headings(ours) {
    const table = current();
    const direction = { higher: "↑", lower: "↓" };
    const words = ({ better }) => (better ? `, ${better} is better` : "");
    const columns = [
      { sort: "label", text: "model", title: "model" },
      ...table.columns.map((column) => ({
        sort: column.key,
        text: `${column.title} ${direction[column.better] ?? ""}`,
        title: `${column.title} in the paper${words(column)}`,
        isDescending: column.better === "higher",
      })),
      ...(table.counted ? [{ sort: "parameters", text: `parameters of ${table.counted}`, title: "parameters" }] : []),
      ...ours.map((column) => ({
        sort: `ours:${column.key}`,
        text: `${column.title} ${direction[column.better] ?? ""}`,
        title: `${column.title} of ${runs}${words(column)}`,
        isDescending: column.better === "higher",
        isOurs: true,
      })),
    ];
    const line = element("tr", {});
    for (const { sort, text, title, isDescending = false, isOurs } of columns) {
      const isSorted = model.get("sort") === sort;
      const way = isSorted ? (model.get("descending") ? "descending" : "ascending") : "none";
      const arrow = { ascending: "▲", descending: "▼", none: "" }[way];
      const press = element(
        "button",
        { type: "button", "aria-label": `Sort by ${title}`, title: `Sort by ${title}`, "data-sort": sort },
        text.trim(),
        element("span", { class: "ldvd-arrow", "aria-hidden": "true" }, arrow),
      );
      press.addEventListener("click", () => sortBy(sort, isDescending));
      const head = element("th", { scope: "col", "aria-sort": way }, press);
      if (isOurs) head.classList.add("ldvd-ours");
      line.append(head);
    }
    const top = element(
      "tr",
      {},
      element("td", {}),
      element("th", { scope: "colgroup", colspan: table.columns.length + (table.counted ? 1 : 0) }, "reported"),
      element("th", { scope: "colgroup", colspan: ours.length, class: "ldvd-ours" }, `${runs}, on their own scale`),
    );
    return element("thead", {}, ...(ours.length ? [top, line] : [line]));
  }

  function cell(figure, isBest, standing, extraClass) {
    const text = figure ? `${figure.text}${isBest ? " ★" : ""}` : "–";
    const kept = text.replace("± ", "±\u00a0").replace(" ★", "\u00a0★"); // a sign stays with what it belongs to
    const children = [element("span", {}, kept)];
    if (standing) {
      const [ratio, place] = [`${standing.ratio}\u00a0×,`, `place\u00a0${standing.place}`];
      children.push(element("small", {}, `${ratio} ${place}`));
    }
    const names = [extraClass, isBest ? "ldvd-best" : ""].filter(Boolean).join(" ");
    return element("td", names ? { class: names } : {}, ...children);
  }

  function standings(key, row) {
    return condition()?.comparisons[model.get("table")]?.[key]?.rows[row.model] ?? {};
  }

  function drawTable(shown, ours) {
    const table = current();
    const best = {};
    for (const { key, better } of table.columns) {
      best[key] = bestOf(shown.map((row) => row.values[key]), better);
      best[`ours:${key}`] = bestOf(shown.map((row) => row.ours?.values[key]), better);
    }
    const body = shown.map((row, index) => {
      const cells = table.columns.map(({ key }) => {
        const figure = row.values[key];
        return cell(figure, figure && figure.mean === best[key], standings(key, row).paper);
      });
      if (table.counted) cells.push(element("td", {}, row.parameters || "–"));
      for (const { key } of ours) {
        const figure = row.ours?.values[key];
        cells.push(cell(figure, figure && figure.mean === best[`ours:${key}`], standings(key, row).ours, "ldvd-ours"));
      }
      const line = element("tr", {}, element("th", { scope: "row" }, row.heading), ...cells);
      line.addEventListener("pointerenter", () => point(index));
      line.addEventListener("pointerleave", () => point(null));
      return line;
    });
    const focused = grid.contains(document.activeElement) ? document.activeElement.dataset.sort : null;
    grid.replaceChildren(
      element("caption", {}, table.heading),
      headings(ours),
      element("tbody", {}, ...body),
    );
    grid.classList.toggle("ldvd-with-ours", ours.length > 0);
    if (focused) grid.querySelector(`[data-sort="${focused}"]`)?.focus(); // it was drawn anew under the fingers
    const isCompared = condition()?.comparisons[table.number];
    const ratios = ` ×: relative to the row with 1.00 ×; places are among the models of ${runs}.`;
    legend.textContent = `${table.legend}${isCompared ? ratios : ""}`;
  }

  /** Where the table is wider than the screen the keyboard has to reach it, too. */
  function makeScrollable() {
    const isWide = scroll.scrollWidth > scroll.clientWidth + 1;
    for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", "Table, scrolls sideways"]]) {
      if (isWide) scroll.setAttribute(name, value);
      else scroll.removeAttribute(name);
    }
  }

  function drawChart(shown, ours) {
    const width = Math.floor(figure.clientWidth);
    if (!width) return;
    const [table, key] = [current(), model.get("metric")];
    const column = table.columns.find((candidate) => candidate.key === key);
    const better = column.better ? `, ${column.better} is better` : "";
    const panels = [{ title: `${column.title} reported${better}`, kind: "paper", figures: shown.map((r) => r.values[key]) }];
    if (ours.some((candidate) => candidate.key === key)) {
      const title = `${column.title} of ${runs}, on their own scale`;
      panels.push({ title, kind: "ours", figures: shown.map((r) => r.ours?.values[key]) });
    }
    const labels = shown.map((row) => row.label);
    chart.draw({ labels, panels, better: column.better, width, name: `${column.title}, ${table.heading}` });
  }

  function drawWords() {
    const [table, found, key] = [current(), condition(), model.get("metric")];
    const sentences = [];
    if (found && isShared(found, table)) {
      const comparison = found.comparisons[table.number]?.[key];
      if (found.reasons.length) {
        const reasons = found.reasons.join(", ");
        sentences.push(`${capitalRuns} are not on the paper's scale: ${reasons}. Compare order and ratios.`);
      }
      sentences.push(comparison?.sentence ?? "Two models of this table, judged alike, are needed to compare their order.");
    } else if (hasOurs) {
      const models = [...new Set(conditions.flatMap((each) => each.models.map((ours) => ours.model)))];
      sentences.push(`None of ${runs} is of a model in this table; they are of ${models.join(", ")}.`);
    }
    compared.textContent = sentences.join(" ");
    compared.hidden = !sentences.length;
  }

  function draw() {
    const [table, shown, ours] = [current(), sorted(), ourColumns()];
    chosenTable.value = table.number;
    chosenCondition.value = model.get("condition");
    chosenMetric.replaceChildren(...table.columns.map(({ key, title }) => option(key, title)));
    chosenMetric.value = model.get("metric");
    chosenMetric.disabled = table.columns.length < 2;
    inOrder.disabled = !model.get("sort");
    drawTable(shown, ours);
    drawChart(shown, ours);
    drawWords();
    makeScrollable();
    point(null);
  }

  // Reading out

  /** Read a row out, and mark it in the table and in the picture. */
  function point(index) {
    at = index;
    grid.querySelectorAll("tbody tr").forEach((line, number) => line.classList.toggle("ldvd-at", number === at));
    chart.mark(at);
    readout.textContent = at === null ? "Point at a row for its figures." : describe(sorted()[at]);
  }

  function step(by) {
    const count = rows().length;
    const start = by > 0 ? -1 : count;
    point(Math.min(count - 1, Math.max(0, (at ?? start) + by)));
  }

  function describe(row) {
    const key = model.get("metric");
    const { title } = current().columns.find((column) => column.key === key);
    const { baseline, count } = condition()?.comparisons[model.get("table")]?.[key] ?? {};
    const { paper, ours } = standings(key, row);
    const [reported, own] = [row.values[key], row.ours?.values[key]];
    const parts = [`${row.heading}: `];
    const about = (standing) =>
      standing ? ` (${standing.ratio} × ${baseline}, place ${standing.place} of ${count})` : "";
    parts.push(reported ? `${title} ${reported.text} reported${about(paper)}` : `no ${title} reported`);
    if (own) parts.push(`; ${own.text} in ${runs}${about(ours)}: ${row.ours.about}; ${own.about}`);
    return `${parts.join("")}.`;
  }

  // What the learner does

  chosenTable.addEventListener("change", () => set({ table: chosenTable.value }));
  chosenMetric.addEventListener("change", () => set({ metric: chosenMetric.value }));
  chosenCondition.addEventListener("change", () => set({ condition: chosenCondition.value }));
  inOrder.addEventListener("click", () => set({ sort: "", descending: false }));

  function tell() {
    status.textContent = model.get("status");
    status.hidden = !model.get("status");
    status.classList.toggle("ldvd-failed", model.get("_failed"));
  }

  const stopListening = listen(model, [
    ...["table", "metric", "sort", "descending", "condition"].map((name) => [`change:${name}`, draw]),
    ...["status", "_failed"].map((name) => [`change:${name}`, tell]),
  ]);
  const resized = new ResizeObserver(() => {
    drawChart(sorted(), ourColumns());
    makeScrollable();
  });
  resized.observe(figure);
  draw();
  tell();

  return () => {
    resized.disconnect();
    stopListening();
  };
}

export default { render };
