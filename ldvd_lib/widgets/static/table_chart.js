// The picture of ldvd_lib.widgets.TableExplorer: a dot with its deviation for each row, the paper's in one panel and
// one's own, on an axis of its own, in another. No module of its own: table_explorer.js follows in the same one.

const LINE = 26; // pixels of a row
const NAMED_ABOVE = 430; // pixels of width below which a name stands above its dot, not beside it
const PANELS_BESIDE = 640; // pixels of width from which the two panels stand beside each other
const LETTER = 7; // pixels of width, of a text with some capitals
const LONGEST = 32; // letters of a name; the table has it whole

/** An axis from the figures: `at(value)` in pixels, and its ticks. */
function figureAxis(figures, left, right) {
  const ends = figures.flatMap(({ mean, deviation }) => [mean - (deviation ?? 0), mean + (deviation ?? 0)]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const margin = 0.06 * (high - low) || 0.05 * Math.abs(high) || 1;
  const unit = (right - left) / (high - low + 2 * margin);
  const at = (value) => left + (value - low + margin) * unit;
  const labels = (say(high, 4).length + 2) * LETTER;
  const ticks = roundNumbers(low - margin, high + margin, Math.max(2, Math.floor((right - left) / (labels + 22))));
  return { at, ticks };
}

/** The best of some figures, which may be missing; none of a single one, or where no direction is better. */
function bestOf(figures, better) {
  const means = figures.filter(Boolean).map(({ mean }) => mean);
  if (!better || means.length < 2) return null;
  return better === "higher" ? Math.max(...means) : Math.min(...means);
}

function makeChart({ point, step }) {
  const svg = shape("svg", { class: "ldvd-plot", tabindex: "0", role: "application" });
  svg.setAttribute("data-lm-suppress-shortcuts", "true");
  let bands = []; // for each panel and row: where it is
  let marks = [];

  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    point(bands.find((band) => y >= band.top && y < band.bottom && x >= band.left && x < band.right)?.row ?? null);
  });
  svg.addEventListener("pointerleave", () => point(null));
  svg.addEventListener("blur", () => point(null));
  svg.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity }[event.key];
    if (by) step(by);
    else if (event.key === "Escape") point(null);
    else return;
    event.preventDefault();
  });

  /** Mark a row, or none. */
  function mark(row) {
    for (const node of marks) node.classList.toggle("ldvd-at", Number(node.dataset.row) === row);
  }

  /** Draw panels `{ title, kind, figures }`, each with a figure or null for each of the `labels`. */
  function draw({ labels: given, panels, better, width, name }) {
    const labels = given.map((text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text));
    const isBeside = panels.length > 1 && width >= PANELS_BESIDE;
    const isAbove = width < NAMED_ABOVE;
    const line = isAbove ? LINE + 14 : LINE;
    const names = isAbove ? 6 : Math.min(0.45 * width, Math.max(...labels.map((text) => text.length)) * LETTER + 14);
    const gap = 18;
    const plotWidth = isBeside ? (width - names - gap) / 2 : width - names;
    const panelHeight = 22 + line * labels.length + 26;
    const parts = [];
    bands = [];
    marks = [];
    panels.forEach(({ title, kind, figures }, number) => {
      const left = isBeside ? names + number * (plotWidth + gap) : names;
      const right = left + plotWidth - 2;
      const top = 22 + (isBeside ? 0 : number * (panelHeight + 8));
      const bottom = top + line * labels.length;
      const hasNames = !isBeside || number === 0;
      const axis = figureAxis(figures.filter(Boolean), left + 8, right - 22);
      parts.push(shape("text", { class: "ldvd-axis", x: left, y: top - 8 }, title));
      for (const tick of axis.ticks) {
        const text = { x: axis.at(tick), y: bottom + 16, "text-anchor": "middle" };
        parts.push(shape("path", { class: "ldvd-grid", d: `M${axis.at(tick)} ${top}V${bottom}` }));
        parts.push(shape("text", text, say(tick, 4)));
      }
      const best = bestOf(figures, better);
      figures.forEach((figure, row) => {
        const from = top + row * line;
        const y = from + line - LINE / 2;
        const start = hasNames && !isAbove ? 0 : left;
        const band = { class: "ldvd-band", x: start, y: from, width: right - start, height: line, "data-row": `${row}` };
        marks.push(shape("rect", band));
        parts.push(marks.at(-1));
        bands.push({ row, top: from, bottom: from + line, left: start, right });
        if (hasNames) {
          const place = isAbove ? { x: left + 4, y: from + 13 } : { x: left - 8, y: y + 4, "text-anchor": "end" };
          parts.push(shape("text", { class: "ldvd-name", ...place }, labels[row]));
        }
        if (!figure) {
          parts.push(shape("text", { x: left + 10, y: y + 4 }, "–"));
          return;
        }
        const [x, deviation] = [axis.at(figure.mean), figure.deviation];
        if (deviation) {
          const [low, high] = [axis.at(figure.mean - deviation), axis.at(figure.mean + deviation)];
          const whisker = `M${low} ${y - 4}v8m0 -4H${high}m0 -4v8`;
          parts.push(shape("path", { class: `ldvd-whisker ldvd-${kind}`, d: whisker }));
        }
        // The paper's are circles and ours diamonds: colour is not all that tells them apart.
        const size = 4.5;
        const dot =
          kind === "paper"
            ? `M${x - size} ${y}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0`
            : `M${x} ${y - 6}l6 6l-6 6l-6 -6Z`;
        parts.push(shape("path", { class: `ldvd-dot ldvd-${kind}`, d: dot }));
        if (figure.mean === best) {
          const after = axis.at(figure.mean + (deviation ?? 0)) + 6;
          parts.push(shape("text", { class: "ldvd-star", x: Math.max(after, x + 9), y: y + 4 }, "★"));
        }
      });
      parts.push(shape("rect", { class: "ldvd-frame", x: left, y: top, width: right - left, height: bottom - top }));
    });
    const height = isBeside ? panelHeight : panels.length * (panelHeight + 8);
    for (const [key, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) {
      svg.setAttribute(key, value);
    }
    svg.replaceChildren(...parts);
    svg.setAttribute("aria-label", `${name}. Up and down arrows read its rows out.`);
  }

  return { svg, draw, mark };
}
