// What the browser's sides of all widgets share. It stands in front of each, in the same module: an anywidget has one.

const ICONS = {
  play: "M3 1.5v13l11-6.5z",
  pause: "M3 1.5h3.5v13H3zM9.5 1.5H13v13H9.5z",
  resample: "M8 2.5a5.5 5.5 0 1 0 5.3 7h-1.9A3.7 3.7 0 1 1 8 4.3c1 0 1.9.4 2.6 1.1L8.6 7.4h5V2.4l-1.7 1.7A5.5 5.5 0 0 0 8 2.5z",
  save: "M7.1 1.5h1.8v6.3l2.3-2.3 1.3 1.3L8 11.3 3.5 6.8l1.3-1.3 2.3 2.3zM2.5 12.7h11v1.8h-11z",
  stop: "M2.5 2.5h11v11h-11z",
  close: "M3.6 2.3 8 6.7l4.4-4.4 1.3 1.3L9.3 8l4.4 4.4-1.3 1.3L8 9.3l-4.4 4.4-1.3-1.3L6.7 8 2.3 3.6z",
};

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** An element of SVG; lengths are rounded to a tenth of a pixel. */
function shape(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, typeof value === "number" ? value.toFixed(1) : value);
  }
  node.append(...children);
  return node;
}

function icon(name) {
  return shape("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, shape("path", { d: ICONS[name] }));
}

function button(iconName, text, title, extraClass = "") {
  const attributes = { type: "button", title, class: `ldvd-button ${extraClass}` };
  return element("button", attributes, icon(iconName), element("span", {}, text));
}

/** Make a button say what a click on it will do now. */
function relabel(node, iconName, text) {
  node.replaceChildren(icon(iconName), element("span", {}, text));
}

/** An input or select that keeps its keys: without the attribute JupyterLab takes the arrows, to move between cells. */
function field(tag, attributes = {}, ...children) {
  return element(tag, { ...attributes, "data-lm-suppress-shortcuts": "true" }, ...children);
}

function labelled(text, ...controls) {
  return element("label", { class: "ldvd-field" }, element("span", {}, text), ...controls);
}

/** Call back when a number has been typed in. Inside JupyterLab's outputs Enter alone fires no "change". */
function onCommit(input, callback) {
  input.addEventListener("change", callback);
  input.addEventListener("keydown", (event) => event.key === "Enter" && callback());
}

/** Listen to a model's events; what is returned ends it. */
function listen(model, events) {
  for (const [event, listener] of events) model.on(event, listener);
  return () => {
    for (const [event, listener] of events) model.off(event, listener);
  };
}

// Numbers in words

const SUPERSCRIPTS = Object.fromEntries([..."-0123456789"].map((sign, index) => [sign, "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[index]]));
const power = (exponent) => `10${String(exponent).replace(/./g, (sign) => SUPERSCRIPTS[sign])}`;

function say(value, digits = 3) {
  if (value === null) return "not finite";
  const size = Math.abs(value);
  const isPlain = size === 0 || (size >= 1e-3 && size < 1e5);
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const text = isPlain
    ? Number(value.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 8 })
    : `${Number(mantissa)}×${power(Number(exponent))}`.replace(/^(-?)1×/, "$1");
  return text.replace("-", "−");
}

const percent = (share) => `${say(100 * share, 2)} %`;

/** Round numbers between two others, about `count` of them: where an axis has its ticks. */
function roundNumbers(low, high, count) {
  const raw = (high - low) / Math.max(1, count) || 1;
  const decade = 10 ** Math.floor(Math.log10(raw));
  const step = decade * [1, 2, 5, 10].find((factor) => factor * decade >= raw);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => (first + index) * step);
}

