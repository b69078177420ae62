// Lines over training steps as SVG, with a legend that turns them on and off and a cursor that reads them. No module of
// its own: the script of a widget follows in the same one, and spectrum_plot.js, which has the axes, precedes it.

const DOTTED_BELOW = 60; // rows up to which every one has a dot
const LABELLED_FROM = 400; // pixels of width from which names stand at the ends of the lines
const LABEL_HEIGHT = 14;

/**
 * A chart; `look(name, index)` gives the class of a line, `isHidden(name)` says which start turned off.
 *
 * `draw({ names, rows })` draws rows of a step and a number for each name, at the width that the chart has.
 */
function makeLineChart({ title, scale, look, isHidden = () => false, height = 250 }) {
  const svg = shape("svg", { class: "ldvd-plot", tabindex: "0", role: "slider", "data-lm-suppress-shortcuts": "true" });
  svg.setAttribute("aria-label", `${title}: the arrow keys go from step to step`);
  const legend = element("div", { class: "ldvd-legend", role: "group", "aria-label": `Lines of ${title}` });
  const readout = element("figcaption", { class: "ldvd-readout" });
  const figure = element("figure", {}, element("div", { class: "ldvd-title" }, title), svg, legend, readout);
  const hidden = new Set();
  let [names, rows] = [[], []];
  let cursor = null; // number of the row that is read; null for the last one
  let places = null; // where rows and values lie, in pixels
  let mark = null; // what shows the cursor

  const sample = (kind) =>
    shape(
      "svg",
      { class: `ldvd-plot ldvd-sample ${kind}`, width: 30, height: 10, "aria-hidden": "true" },
      shape("path", { class: "ldvd-line", d: "M1 5H29" }),
    );

  function nameLines(given) {
    names = given;
    hidden.clear();
    for (const name of names) if (isHidden(name)) hidden.add(name);
    legend.replaceChildren(
      ...names.map((name, index) => {
        const box = field("input", { type: "checkbox" });
        box.checked = !hidden.has(name);
        box.addEventListener("change", () => {
          if (box.checked) hidden.delete(name);
          else hidden.add(name);
          paint();
        });
        return element("label", { class: "ldvd-field" }, box, sample(look(name, index)), element("span", {}, name));
      }),
    );
  }

  /** Names and numbers of the lines on show. */
  const shown = () => names.map((name, index) => ({ name, index })).filter(({ name }) => !hidden.has(name));

  /** What stands at the end of a line: its name, without what the title says already. */
  const short = (name) => name.replace(/ loss$/, "");

  function read() {
    mark?.remove();
    const row = rows[cursor ?? rows.length - 1];
    if (!row) return;
    const values = shown().map(({ name, index }) => `${name} ${say(row[index + 1])}`);
    const text = `step ${row[0].toLocaleString("en")}: ${values.join(", ") || "no line is turned on"}`;
    readout.textContent = text;
    svg.setAttribute("aria-valuetext", text);
    svg.setAttribute("aria-valuenow", String(row[0]));
    if (cursor === null || !places) return;
    mark = shape("g", {}, shape("path", { class: "ldvd-cursor", d: `M${places.x(row[0])} ${places.top}V${places.bottom}` }));
    for (const { name, index } of shown()) {
      if (row[index + 1] === null) continue;
      const at = { cx: places.x(row[0]), cy: places.y(row[index + 1]), r: 4 };
      mark.append(shape("circle", { class: `ldvd-read ${look(name, index)}`, ...at }));
    }
    svg.append(mark);
  }

  /** Names at the ends of their lines, moved apart where two would overlap. */
  function labels(x) {
    const ends = shown()
      .map(({ name, index }) => ({ name, at: rows.findLast((row) => row[index + 1] !== null)?.[index + 1] }))
      .filter(({ at }) => at !== undefined)
      .map(({ name, at }) => ({ name: short(name), y: places.y(at) }))
      .sort((a, b) => a.y - b.y);
    for (let index = 1; index < ends.length; index += 1) {
      ends[index].y = Math.max(ends[index].y, ends[index - 1].y + LABEL_HEIGHT);
    }
    const over = ends.length ? ends.at(-1).y - places.bottom : 0;
    return ends.map(({ name, y }) => shape("text", { class: "ldvd-name", x, y: y - Math.max(0, over) + 4 }, name));
  }

  function paint() {
    const width = Math.floor(figure.clientWidth);
    if (!width || !rows.length) return;
    const isLabelled = width >= LABELLED_FROM;
    const longest = Math.max(0, ...shown().map(({ name }) => short(name).length));
    const [left, right] = [MARGIN.left, width - (isLabelled ? 12 + 6.6 * longest : 14)];
    const [top, bottom] = [8, height - MARGIN.bottom];
    const values = rows.flatMap((row) => shown().map(({ index }) => row[index + 1])).filter((value) => value !== null);
    const y = verticalAxis(values.length ? values : [0], scale, bottom, top);
    const [first, last] = [rows[0][0], rows.at(-1)[0]];
    const x = horizontalAxis(first, last, left + 6, right - 6);
    places = { x: x.at, y: y.at, top, bottom };
    const drawn = shape("g");
    for (const tick of y.ticks) {
      drawn.append(shape("path", { class: tick === 0 ? "ldvd-zero" : "ldvd-grid", d: `M${left} ${y.at(tick)}H${right}` }));
      drawn.append(shape("text", { x: left - 6, y: y.at(tick) + 4, "text-anchor": "end" }, say(tick, 2)));
    }
    drawn.append(shape("rect", { class: "ldvd-frame", x: left, y: top, width: right - left, height: bottom - top }));
    for (const tick of roundNumbers(first, last, Math.min(8, (right - left) / 70)).filter(Number.isInteger)) {
      drawn.append(shape("path", { class: "ldvd-tick", d: `M${x.at(tick)} ${bottom}v4` }));
      drawn.append(shape("text", { x: x.at(tick), y: bottom + 16, "text-anchor": "middle" }, tick.toLocaleString("en")));
    }
    const middle = { "text-anchor": "middle", class: "ldvd-axis", x: (left + right) / 2, y: bottom + 33 };
    drawn.append(shape("text", middle, "training step"));
    for (const { name, index } of shown()) {
      const line = shape("g", { class: look(name, index), "data-name": name });
      let path = "";
      for (const row of rows) {
        const value = row[index + 1];
        const place = value === null ? "" : `${x.at(row[0]).toFixed(1)} ${y.at(value).toFixed(1)}`;
        path += place && `${path && !path.endsWith(" ") ? "L" : "M"}${place}`;
        if (value === null && path) path += " "; // a gap
        if (place && rows.length <= DOTTED_BELOW) {
          line.append(shape("circle", { cx: x.at(row[0]), cy: y.at(value), r: 2.2 }));
        }
      }
      line.prepend(shape("path", { class: "ldvd-line", d: path }));
      drawn.append(line);
    }
    if (isLabelled) drawn.append(...labels(right + 6));
    for (const [key, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) {
      svg.setAttribute(key, value);
    }
    svg.setAttribute("aria-valuemin", String(first));
    svg.setAttribute("aria-valuemax", String(last));
    svg.dataset.rows = String(rows.length);
    svg.replaceChildren(drawn);
    read();
  }

  function draw(series) {
    const isEmpty = !series.rows.length;
    svg.style.display = isEmpty ? "none" : "";
    legend.hidden = isEmpty;
    rows = series.rows;
    if (cursor !== null && cursor >= rows.length) cursor = null;
    if (names.join() !== series.names.join()) nameLines(series.names);
    if (isEmpty) readout.textContent = series.placeholder;
    paint();
  }

  svg.addEventListener("pointermove", (event) => {
    if (!places) return;
    const pixel = event.clientX - svg.getBoundingClientRect().left;
    cursor = nearest(rows.map((row) => places.x(row[0])), pixel);
    read();
  });
  const toTheLast = () => {
    cursor = null;
    read();
  };
  svg.addEventListener("pointerleave", toTheLast);
  svg.addEventListener("blur", toTheLast);
  svg.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Escape") cursor = null;
    else if (by) cursor = Math.min(rows.length - 1, Math.max(0, (cursor ?? rows.length - 1) + by));
    else return;
    event.preventDefault();
    read();
  });

  return { figure, draw };
}
