// What the explorables share: controls that are traits of the model, a drawing that follows them at once, handles that one
// drags or moves with the arrow keys, and a sentence that says what is to be seen. It stands between kit.js and the script
// of each; on the website it runs without a kernel, on a model that stands in for one (course/site/live.js).

const WIDEST = 760; // pixels that a drawing takes at most
const BESIDE = 600; // pixels of width from which two pictures stand beside each other
const FAR = 5000; // pixels beyond which no line is drawn: who diverges, diverges soon beyond all numbers

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const sum = (values) => values.reduce((total, value) => total + value, 0);
const range = (count) => Array.from({ length: count }, (_, index) => index);
const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A number with a fixed count of decimals. */
const fixed = (value, digits = 2) =>
  value
    .toFixed(digits)
    .replace("-", "−")
    .replace(/^−(0\.?0*)$/, "$1");

// Rectangles of a drawing that have numbers on their axes

/** Pixels of numbers and back, within a rectangle. */
function makePlane({ left, top, width, height, x, y }) {
  const unit = { x: width / (x[1] - x[0]), y: height / (y[1] - y[0]) };
  const toX = (value) => clamp(left + (value - x[0]) * unit.x, -FAR, FAR);
  const toY = (value) => clamp(top + (y[1] - value) * unit.y, -FAR, FAR);
  return {
    ...{ left, top, width, height, x, y, unit, toX, toY, right: left + width, bottom: top + height },
    fromX: (pixel) => clamp(x[0] + (pixel - left) / unit.x, ...x),
    fromY: (pixel) => clamp(y[1] - (pixel - top) / unit.y, ...y),
    /** The line through points, each `[x, y]`. */
    line: (points) => `M${points.map((point) => `${toX(point[0]).toFixed(1)} ${toY(point[1]).toFixed(1)}`).join("L")}`,
  };
}

/** What shows nothing outside the rectangle of a plane. */
function inside({ left, top, width, height }, ...nodes) {
  const view = `${left} ${top} ${width} ${height}`;
  return shape("svg", { x: left, y: top, width, height, viewBox: view, overflow: "hidden" }, ...nodes);
}

/** Frame, ticks and names of the axes of a plane. */
function axes(plane, { xName = "", yName = "", xText = (tick) => say(tick, 2), yText = xText, title = "" }) {
  const { left, top, right, bottom, width, height, toX, toY } = plane;
  const nodes = [];
  for (const tick of roundNumbers(...plane.x, width / 70)) {
    nodes.push(shape("path", { class: "ldvd-tick", d: `M${toX(tick)} ${bottom}v4` }));
    nodes.push(shape("text", { x: toX(tick), y: bottom + 16, "text-anchor": "middle" }, xText(tick)));
  }
  for (const tick of roundNumbers(...plane.y, height / 50)) {
    nodes.push(shape("path", { class: "ldvd-grid", d: `M${left} ${toY(tick)}H${right}` }));
    nodes.push(shape("text", { x: left - 6, y: toY(tick) + 4, "text-anchor": "end" }, yText(tick)));
  }
  nodes.push(shape("rect", { class: "ldvd-frame", x: left, y: top, width, height }));
  if (title) nodes.push(shape("text", { class: "ldvd-axis", x: left, y: top - 7 }, title));
  if (xName) nodes.push(shape("text", { class: "ldvd-axis", x: right, y: bottom + 32, "text-anchor": "end" }, xName));
  if (yName) {
    const turned = {
      class: "ldvd-axis",
      "text-anchor": "middle",
      transform: `translate(${left - 36} ${(top + bottom) / 2}) rotate(-90)`,
    };
    nodes.push(shape("text", turned, yName));
  }
  return nodes;
}

/** A line of samples and words, for below a drawing: pairs of a class and a text. */
function legend(entries) {
  return entries.map(([kind, text]) => element("span", { class: `ldvd-key ${kind}` }, text));
}

// Controls: each has a node, and an update that shows the state

function sliderOf({ name, label, min, max, step = 1, text = (value) => say(value) }, { set }) {
  const input = field("input", { type: "range", "aria-label": label });
  const value = element("span", { class: "ldvd-count" });
  const of = (limit, state) => (typeof limit === "function" ? limit(state) : limit);
  input.addEventListener("input", () => set({ [name]: Number(input.value) }));
  return {
    node: labelled(label, input, value),
    update(state) {
      // The limits come before the value, which the browser would cut to those that were.
      for (const [key, limit] of Object.entries({ min, max, step })) input.setAttribute(key, String(of(limit, state)));
      input.value = String(state[name]);
      value.textContent = text(state[name], state);
      // As wide as its longest text, so that nothing beside it moves.
      const widest = Math.max(...[min, max].map((limit) => text(of(limit, state), state).length));
      value.style.minWidth = `${widest}ch`;
      input.setAttribute("aria-valuetext", value.textContent);
    },
  };
}

function choiceOf({ name, label, options }, { set }) {
  const choices = options.map(([value, text]) => element("option", { value }, text));
  const select = field("select", { "aria-label": label }, ...choices);
  // What is chosen is of the type that the options have, which in the page are texts.
  select.addEventListener("change", () => set({ [name]: options[select.selectedIndex][0] }));
  return { node: labelled(label, select), update: (state) => (select.value = String(state[name])) };
}

/** A button that moves a slider on, step by step; one step a click for those who want nothing to move by itself. */
function playerOf({ name, min, max, step = 1, wait, loops = false }, { set, state, redraw }) {
  const node = button("play", "Play", `Move “${name}” on`, "ldvd-play");
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
  };
  const advance = () => {
    const next = state()[name] + step;
    if (next >= max && !loops) stop();
    set({ [name]: next > max ? min : next });
    redraw();
  };
  node.addEventListener("click", () => {
    if (timer) stop();
    else if (prefersStillness()) return advance();
    else timer = setInterval(advance, wait);
    redraw();
  });
  const update = () => {
    const [sign, word] = prefersStillness() ? ["play", "Step"] : timer ? ["pause", "Pause"] : ["play", "Play"];
    if (node.textContent !== word) relabel(node, sign, word);
  };
  update();
  return { node, update, stop, isPlaying: () => timer !== 0 };
}

/** A point that is dragged, or moved with the arrow keys; `read` and `write` say how it is kept in the state. */
function handleOf({ label, read, write, step = 0.1, kind = "" }, { set, state, svg }) {
  const grip = { class: `ldvd-handle ${kind}`, tabindex: "0", role: "slider", "data-lm-suppress-shortcuts": "true" };
  const circles = [shape("circle", { class: "ldvd-grip", r: 16 }), shape("circle", { r: 6.5 })];
  const node = shape("g", { ...grip, "aria-label": `${label}: drag it, or use the arrow keys` }, ...circles);
  let plane = null;
  const put = ([x, y]) => set(write([clamp(x, ...plane.x), clamp(y, ...plane.y)], state()));
  node.addEventListener("pointerdown", (event) => {
    node.setPointerCapture(event.pointerId);
    node.focus();
    event.preventDefault();
  });
  node.addEventListener("pointermove", (event) => {
    if (!node.hasPointerCapture(event.pointerId)) return;
    const { left, top } = svg.getBoundingClientRect();
    put([plane.fromX(event.clientX - left), plane.fromY(event.clientY - top)]);
  });
  node.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const far = step * (event.shiftKey ? 5 : 1);
    const steps = read(state()).map((value, index) => Math.round((value + far * move[index]) / step));
    put(steps.map((count) => Number((count * step).toFixed(6))));
  });
  return {
    node,
    place(now, current) {
      plane = now;
      const [x, y] = read(current);
      node.setAttribute("transform", `translate(${plane.toX(x).toFixed(1)} ${plane.toY(y).toFixed(1)})`);
      const said = {
        valuemin: plane.x[0],
        valuemax: plane.x[1],
        valuenow: x,
        valuetext: `${fixed(x)} across, ${fixed(y)} up`,
      };
      for (const [key, value] of Object.entries(said)) node.setAttribute(`aria-${key}`, String(value));
    },
  };
}

/**
 * Put an explorable into the page; what is returned ends it.
 *
 * `controls` are sliders (`min`), choices (`options`), buttons (`press`: state → changes), each shown only `when` that is
 * true of the state; a slider with `wait` milliseconds has a player. `draw(state, width)` gives the `height`, the `nodes`
 * of the drawing, the `words` that say what is to be seen, perhaps `keys` of a legend, and the `plane` that handles lie on.
 */
function explore({ model, el }, { name, title, invitation, controls, handles = [], traits = [], draw }) {
  const names = [...new Set([...traits, ...controls.map((control) => control.name)])].filter(Boolean);
  const state = () => Object.fromEntries(names.map((key) => [key, model.get(key)]));
  const first = state();
  const set = (changes) => {
    for (const [key, value] of Object.entries(changes)) model.set(key, value);
    model.save_changes();
  };
  const svg = shape("svg", { class: "ldvd-plot" });
  const layer = shape("g", { "aria-hidden": "true" }); // the words say what it shows
  const common = { set, state, svg, redraw };
  const made = [];
  for (const control of controls) {
    if (control.wait) made.push({ control: {}, ...playerOf(control, common) });
    if (control.options) made.push({ control, ...choiceOf(control, common) });
    else if (control.press) {
      const node = button(control.icon, control.text, control.title ?? control.text);
      node.addEventListener("click", () => set(control.press(state())));
      made.push({ control, node, update() {} });
    } else made.push({ control, ...sliderOf(control, common) });
  }
  const again = button("resample", "Reset", "Back to where it began");
  const players = made.filter((part) => part.stop);
  const stop = () => players.forEach((player) => player.stop());
  again.addEventListener("click", () => {
    stop();
    set(first);
    redraw();
  });
  const grips = handles.map((handle) => handleOf(handle, common));
  svg.append(layer, ...grips.map((grip) => grip.node));
  const stage = element("div", { class: "ldvd-stage" }, svg);
  const keys = element("div", { class: "ldvd-keys" });
  const words = element("p", { class: "ldvd-words", "aria-live": "polite", "aria-atomic": "true" });
  const root = element(
    "div",
    { class: `ldvd-widget ldvd-explorable ldvd-${name}`, role: "group", "aria-label": title },
    element("div", { class: "ldvd-title" }, title),
    element("p", { class: "ldvd-hint" }, invitation),
    element("div", { class: "ldvd-bar" }, ...made.map((part) => part.node), again),
    stage,
    keys,
    words,
  );
  el.append(root);

  function paint() {
    const now = state();
    for (const { control, node, update } of made) {
      node.hidden = !(control.when?.(now) ?? true);
      update(now);
    }
    const width = Math.min(WIDEST, Math.floor(stage.clientWidth));
    if (!width) return;
    const drawn = draw(now, width);
    for (const [key, value] of Object.entries({ width, height: drawn.height })) svg.setAttribute(key, String(value));
    svg.setAttribute("viewBox", `0 0 ${width} ${drawn.height}`);
    layer.replaceChildren(...drawn.nodes);
    for (const grip of grips) grip.place(drawn.plane, now);
    keys.replaceChildren(...legend(drawn.keys ?? []));
    // Nobody wants every step of a play read out.
    words.setAttribute("aria-live", players.some((player) => player.isPlaying()) ? "off" : "polite");
    if (words.textContent !== drawn.words) words.textContent = drawn.words;
  }

  let isWaiting = false; // several traits that change together are drawn once
  function redraw() {
    if (isWaiting) return;
    isWaiting = true;
    queueMicrotask(() => {
      isWaiting = false;
      paint();
    });
  }

  const stopListening = listen(
    model,
    names.map((key) => [`change:${key}`, redraw]),
  );
  const resized = new ResizeObserver(redraw);
  resized.observe(stage);
  paint();
  return () => {
    stop();
    resized.disconnect();
    stopListening();
  };
}
