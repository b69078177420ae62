// The pictures of ldvd_lib.widgets.SpectrumExplorer: spectra as SVG, whose dots can be hovered over. No module of its
// own: spectrum_explorer.js follows in the same one.

const DOT = 3; // pixels of radius
const REACH = 14; // pixels from which a dot is hovered over
const MARGIN = { left: 54, right: 8, top: 26, bottom: 40 };
const INSET = 24; // pixels between the frame and the extreme values, where their names stand
const DECADES = 7; // of a density: one eigenvalue of millions is that far below the bulk

const sign = (value) => (value > 0 ? "positive" : "negative");

// Axes

/** The largest of …, 0.1, 0.2, 0.5, 1, 2, 5, … that is not above the value. */
function roundDown(value) {
  const decade = 10 ** Math.floor(Math.log10(value));
  return decade * [5, 2, 1].find((factor) => factor * decade <= value * (1 + 1e-9));
}

/** Heights for eigenvalues: `at(value)` in pixels, and the ticks. */
function verticalAxis(values, scale, bottom, top) {
  const sizes = values.map(Math.abs).filter((size) => size > 0);
  const reach = Math.max(...sizes) > 0 ? Math.max(...sizes) : 1;
  // One value in twenty may lie in the linear part: a stray one near zero is not to take decades of the axis.
  const small = sizes.sort((a, b) => a - b)[Math.floor(sizes.length / 20)] ?? reach;
  const linearBelow = roundDown(Math.max(small, reach * 1e-6));
  const forward = (value) => {
    const size = Math.abs(value) / linearBelow;
    if (scale === "linear") return value / reach;
    return Math.sign(value) * (size <= 1 ? 0.5 * size : 0.5 + Math.log10(size)); // half a decade for the linear part
  };
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const [from, to] = low === high ? [-1, 1] : [forward(low), forward(high)];
  const unit = (bottom - top - 2 * INSET) / (to - from);
  const at = (value) => Math.min(bottom, Math.max(top, bottom - INSET - (forward(value) - from) * unit));
  let candidates = roundNumbers(low, high, (bottom - top) / 45);
  if (scale === "symlog") {
    const decades = [];
    const lowest = 10 ** Math.floor(Math.log10(linearBelow));
    for (let tick = 10 ** Math.floor(Math.log10(reach)); tick > lowest / 2; tick /= 10) decades.push(tick);
    const sized = [...decades, ...decades.flatMap((tick) => [2 * tick, 5 * tick])];
    const fitting = sized.filter((tick) => tick > 0.99 * linearBelow).flatMap((tick) => [tick, -tick]);
    candidates = [0, ...fitting.filter((tick) => tick >= low && tick <= high), ...candidates];
  }
  const ticks = []; // the earlier candidate wins where two are too close
  for (const tick of candidates) if (ticks.every((other) => Math.abs(at(other) - at(tick)) > 19)) ticks.push(tick);
  return { at, ticks, linearBelow: scale === "symlog" ? linearBelow : null };
}

function horizontalAxis(low, high, left, right) {
  const unit = high > low ? (right - left) / (high - low) : 0;
  const middle = unit ? left : (left + right) / 2;
  return { at: (value) => middle + (value - low) * unit };
}

const nearest = (steps, step) =>
  steps.reduce((best, other, index) => (Math.abs(other - step) < Math.abs(steps[best] - step) ? index : best), 0);

/** What is drawn of a spectrum at its probe number `index`: values by falling magnitude, each with its residual. */
function leading(spectrum, index, count) {
  const pairs = spectrum.eigenvalues[index].map((value, rank) => [value, spectrum.residuals[index][rank], rank + 1]);
  return pairs.slice(0, count).filter(([value]) => value !== null);
}

// One spectrum: a picture over the steps, a picture of one step, and a sentence

function makePanel(actions) {
  const svg = shape("svg", { class: "ldvd-plot", tabindex: "0", role: "application" });
  svg.setAttribute("data-lm-suppress-shortcuts", "true");
  const tip = element("div", { class: "ldvd-tip", role: "status" });
  const title = element("div", { class: "ldvd-title" });
  const summary = element("figcaption", { "aria-live": "polite" });
  const figure = element("figure", {}, title, element("div", { class: "ldvd-stage" }, svg, tip), summary);
  let points = []; // everything that can be hovered over
  let toStep = null; // where the left picture ends, and which step lies at a pixel
  let cursor = null; // the point that is hovered over
  let isByKey = false;
  let pointer = null; // where the mouse is, in pixels
  let ring = null;

  function point(at) {
    cursor = at;
    ring?.remove();
    tip.hidden = !at;
    if (!at) return;
    ring = shape("circle", { class: "ldvd-ring", cx: at.x, cy: at.y, r: 6 });
    svg.append(ring);
    const error = at.residual === null ? "not known" : `± ${say(at.residual, 2)}`;
    const share = at.residual !== null && at.value !== 0 ? `, ${percent(at.residual / Math.abs(at.value))}` : "";
    tip.replaceChildren(
      element("strong", {}, `λ = ${say(at.value, 4)}`),
      element("span", {}, `error bound (residual) ${error}${share}`),
      element("span", {}, `step ${at.step.toLocaleString("en")}, number ${at.rank} of ${at.count} by magnitude`),
    );
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    const left = at.x + 12 + width > svg.clientWidth ? at.x - 12 - width : at.x + 12;
    tip.style.left = `${Math.max(0, left)}px`;
    tip.style.top = `${at.y - height - 10 < 0 ? at.y + 12 : at.y - height - 10}px`;
  }

  function closest() {
    let best = null;
    let distance = REACH;
    for (const candidate of points) {
      const away = Math.hypot(candidate.x - pointer.x, candidate.y - pointer.y);
      if (away < distance) [best, distance] = [candidate, away];
    }
    return best;
  }

  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    isByKey = false;
    pointer = { x: event.clientX - box.left, y: event.clientY - box.top };
    point(closest());
  });
  svg.addEventListener("pointerleave", () => {
    pointer = null;
    point(null);
  });
  svg.addEventListener("click", () => {
    if (!pointer) return;
    const hit = closest();
    if (hit) actions.goTo(hit.step);
    else if (pointer.x < toStep.right) actions.goTo(toStep.of(pointer.x));
  });
  svg.addEventListener("blur", () => isByKey && point(null));
  svg.addEventListener("keydown", (event) => {
    const sideways = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const along = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (sideways) actions.move(sideways);
    else if (along) {
      const here = points.filter((candidate) => candidate.isStem); // by falling value
      const last = here.findIndex((candidate) => candidate.rank === cursor?.rank);
      isByKey = true;
      point(here[last < 0 ? 0 : Math.min(here.length - 1, Math.max(0, last + along))] ?? null);
    } else if (event.key === "Escape") point(null);
    else return;
    event.preventDefault();
  });

  /** Draw one spectrum: `width` × `height` pixels, on axes that it shares with the other. */
  function draw({ name, spectrum, step, count, domain, range, scale, density, width, height }) {
    const { left, top } = MARGIN;
    const bottom = height - MARGIN.bottom;
    const beside = Math.min(260, Math.max(120, 0.34 * (width - left)));
    const right = width - MARGIN.right - beside - 14;
    const [stemsLeft, stemsRight] = [right + 14, width - MARGIN.right];
    const y = verticalAxis(range, scale, bottom, top);
    const x = horizontalAxis(domain[0], domain[1], left + 10, right - 10);
    const index = nearest(spectrum.steps, step);
    const now = spectrum.steps[index];
    const [back, front] = [shape("g"), shape("g")];
    points = [];
    toStep = { right, of: (pixel) => spectrum.steps[nearest(spectrum.steps.map(x.at), pixel)] };

    for (const tick of y.ticks) {
      const [kind, level] = [tick === 0 ? "ldvd-zero" : "ldvd-grid", y.at(tick)];
      back.append(shape("path", { class: kind, d: `M${left} ${level}H${right}M${stemsLeft} ${level}H${stemsRight}` }));
      back.append(shape("text", { x: left - 6, y: level + 4, "text-anchor": "end" }, say(tick, 2)));
    }
    for (const [from, to] of [[left, right], [stemsLeft, stemsRight]]) {
      back.append(shape("rect", { class: "ldvd-frame", x: from, y: top, width: to - from, height: bottom - top }));
    }
    for (const tick of roundNumbers(domain[0], domain[1], Math.min(8, (right - left) / 70)).filter(Number.isInteger)) {
      back.append(shape("path", { class: "ldvd-tick", d: `M${x.at(tick)} ${bottom}v4` }));
      back.append(shape("text", { x: x.at(tick), y: bottom + 16, "text-anchor": "middle" }, tick.toLocaleString("en")));
    }
    const middle = { "text-anchor": "middle", class: "ldvd-axis" };
    back.append(shape("text", { ...middle, x: (left + right) / 2, y: bottom + 33 }, "training step"));
    back.append(shape("text", { class: "ldvd-axis", x: 0, y: 14 }, `eigenvalues over training`));
    back.append(shape("text", { class: "ldvd-axis", x: stemsLeft, y: 14 }, `at step ${now.toLocaleString("en")}`));

    // Over the steps
    const radius = right - left < 400 ? 2.2 : DOT;
    back.append(shape("path", { class: "ldvd-now", d: `M${x.at(now)} ${top}V${bottom}` }));
    back.append(shape("path", { class: "ldvd-handle", d: `M${x.at(now) - 5} ${top}h10l-5 7z` }));
    spectrum.steps.forEach((at, number) => {
      for (const [value, residual, rank] of leading(spectrum, number, count)) {
        const place = { x: x.at(at), y: y.at(value) };
        const kind = `ldvd-dot ldvd-${sign(value)}${number === index ? " ldvd-chosen" : ""}`;
        back.append(shape("circle", { class: kind, cx: place.x, cy: place.y, r: radius }));
        points.push({ ...place, value, residual, rank, step: at, count: spectrum.eigenvalues[number].length });
      }
    });
    for (const [key, mark, kind, better, offset] of [
      ["largest", "λ⁺", "positive", (a, b) => a > b, -9],
      ["smallest", "λ⁻", "negative", (a, b) => a < b, 18],
    ]) {
      const ends = spectrum[key];
      const line = ends.map((end, number) => [x.at(spectrum.steps[number]), end]).filter(([, end]) => end !== null);
      if (!line.length) continue;
      const path = `M${line.map(([place, end]) => `${place.toFixed(1)} ${y.at(end).toFixed(1)}`).join("L")}`;
      const [place, end] = line.reduce((best, other) => (better(other[1], best[1]) ? other : best));
      const anchor = place > (left + right) / 2 ? "end" : "start";
      const shift = anchor === "end" ? Math.min(right - 4, place + 6) : Math.max(left + 4, place - 6);
      const text = { class: `ldvd-name ldvd-${kind}`, "text-anchor": anchor, x: shift, y: y.at(end) + offset };
      front.append(shape("path", { class: `ldvd-line ldvd-${kind}`, d: path }));
      front.append(shape("circle", { class: `ldvd-extreme ldvd-${kind}`, cx: place, cy: y.at(end), r: 5 }));
      front.append(shape("text", text, `${mark} of the run: ${say(end)}`));
      if (ends[index] === null) continue;
      const isTop = kind === "positive";
      const side = { "text-anchor": isTop ? "start" : "end", x: isTop ? stemsLeft + 5 : stemsRight - 5 };
      const level = y.at(ends[index]);
      front.append(shape("path", { class: `ldvd-level ldvd-${kind}`, d: `M${stemsLeft} ${level}H${stemsRight}` }));
      const name = { class: text.class, ...side, y: level + (isTop ? -8 : 17) };
      front.append(shape("text", name, `${mark} = ${say(ends[index])}`));
    }

    // At the step
    if (density) drawDensity(back, density, y, stemsLeft, stemsRight, top, bottom);
    const when = density?.step === now ? "(shaded)" : `of step ${density?.step.toLocaleString("en")}`;
    const described = density ? `density ${when}` : "sorted by value";
    back.append(shape("text", { ...middle, x: (stemsLeft + stemsRight) / 2, y: bottom + 33 }, described));
    const recorded = spectrum.eigenvalues[index].length;
    const sorted = leading(spectrum, index, count).sort((a, b) => b[0] - a[0]);
    sorted.forEach(([value, residual, rank], number) => {
      const place = { x: stemsLeft + ((number + 0.5) / sorted.length) * (stemsRight - stemsLeft), y: y.at(value) };
      const [low, high] = [y.at(value - (residual ?? 0)), y.at(value + (residual ?? 0))];
      const whisker = low - high > 2 * DOT + 1 ? `M${place.x - 5} ${low}h10m-5 0V${high}m-5 0h10` : "";
      front.append(shape("path", { class: `ldvd-stem ldvd-${sign(value)}`, d: `M${place.x} ${y.at(0)}V${place.y}` }));
      if (whisker) front.append(shape("path", { class: "ldvd-whisker", d: whisker }));
      const kind = `ldvd-dot ldvd-chosen ldvd-${sign(value)}`;
      front.append(shape("circle", { class: kind, cx: place.x, cy: place.y, r: DOT }));
      points.push({ ...place, value, residual, rank, step: now, count: recorded, isStem: true });
    });

    for (const [key, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) {
      svg.setAttribute(key, value);
    }
    svg.replaceChildren(back, front);
    if (isByKey) point(points.find((candidate) => candidate.isStem && candidate.rank === cursor?.rank) ?? null);
    else point(pointer && closest());
    title.textContent = name;
    const keys = "Left and right arrows change the step; up and down go from eigenvalue to eigenvalue.";
    svg.setAttribute("aria-label", `Leading eigenvalues of ${name} over training. ${keys}`);
    summary.textContent = describe(name, spectrum, index, count, y, density);
  }

  return { figure, summary, draw };
}

/** The density, lying on its side along the axis of eigenvalues. */
function drawDensity(back, density, y, left, right, top, bottom) {
  const peak = Math.log10(Math.max(...density.values));
  const x = (value) => left + (right - left) * Math.max(0, 1 + (Math.log10(Math.max(value, 1e-300)) - peak) / DECADES);
  const outline = (values) => density.grid.map((at, index) => `${x(values[index]).toFixed(1)} ${y.at(at).toFixed(1)}`);
  const { values, errors } = density;
  const ends = [`${left} ${y.at(density.grid[0])}`, `${left} ${y.at(density.grid.at(-1))}`];
  back.append(shape("path", { class: "ldvd-density", d: `M${ends[0]}L${outline(values).join("L")}L${ends[1]}Z` }));
  if (errors.every((error) => error !== null)) {
    const [low, high] = [-2, 2].map((factor) => outline(values.map((value, index) => value + factor * errors[index])));
    back.append(shape("path", { class: "ldvd-band", d: `M${high.join("L")}L${low.reverse().join("L")}Z` }));
  }
  for (let exponent = Math.ceil(peak - DECADES) + 1; exponent <= peak; exponent += 2) {
    const place = x(10 ** exponent);
    back.append(shape("path", { class: "ldvd-tick", d: `M${place} ${bottom}v4` }));
    back.append(shape("text", { x: place, y: bottom + 16, "text-anchor": "middle" }, power(exponent)));
  }
}

function describe(name, spectrum, index, count, y, density) {
  const shares = leading(spectrum, index, count)
    .filter(([value, residual]) => value !== 0 && residual !== null)
    .map(([value, residual]) => residual / Math.abs(value));
  const parts = [
    `${name}, step ${spectrum.steps[index].toLocaleString("en")}: λ⁺ ${say(spectrum.largest[index])}`,
    `λ⁻ ${say(spectrum.smallest[index])}`,
  ];
  if (shares.length) parts.push(`largest residual ${percent(Math.max(...shares))}`);
  if (!spectrum.converged[index]) parts.push("not all converged");
  const sentences = [`${parts.join(", ")}.`];
  if (density) sentences.push(`Density measured at step ${density.step.toLocaleString("en")}.`);
  if (y.linearBelow) sentences.push(`The axis is logarithmic beyond ±${say(y.linearBelow)}.`);
  return sentences.join(" ");
}

