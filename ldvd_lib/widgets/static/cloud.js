// The browser's side of ldvd_lib.widgets.explorables.Cloud: two clouds of points, and what a Fréchet distance and a kernel
// distance make of so many samples. Real points are N(0, I) in the plane, generated ones N(centre, spread²·I).

const DRAWS = 60; // how often the same is measured on other samples
const MOST = 400; // samples of each cloud

/** A function that returns independent standard normal numbers, the same ones for the same seed. */
function normals(seed) {
  let state = (seed * 0x9e3779b9) >>> 0;
  const uniform = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

const drawn = new Map(); // number of a draw → its points of both clouds, before the generated ones are moved
/** Standard normal points of a draw: [[x, y], …], of which every count of samples takes the first ones. */
function pointsOf(draw) {
  if (!drawn.has(draw)) {
    const next = normals(draw + 1);
    drawn.set(
      draw,
      [0, 1].map(() => range(MOST).map(() => [next(), next()])),
    );
  }
  return drawn.get(draw);
}

/** Samples of a draw: { real, made }. */
function samplesOf(draw, { count, centre, spread }) {
  const [real, made] = pointsOf(draw).map((points) => points.slice(0, count));
  return { real, made: made.map(([x, y]) => [centre[0] + spread * x, centre[1] + spread * y]) };
}

/** Mean [x, y] and covariance [xx, xy, yy] of points, for any number of them from 2. */
function moments(points) {
  const mean = [0, 1].map((axis) => sum(points.map((point) => point[axis])) / points.length);
  const of = (one, other) =>
    sum(points.map((point) => (point[one] - mean[one]) * (point[other] - mean[other]))) / (points.length - 1);
  return { mean, covariance: [of(0, 0), of(0, 1), of(1, 1)] };
}

/** The squared Fréchet distance of two Gaussians. In the plane, tr √M = √(tr M + 2 √det M). */
function frechet(first, second) {
  const [[a, b, c], [p, q, r]] = [first.covariance, second.covariance];
  const traceOfProduct = a * p + 2 * b * q + c * r;
  const determinant = Math.max(0, (a * c - b * b) * (p * r - q * q));
  const root = Math.sqrt(Math.max(0, traceOfProduct + 2 * Math.sqrt(determinant)));
  const moved = sum([0, 1].map((axis) => (first.mean[axis] - second.mean[axis]) ** 2));
  return moved + a + c + p + r - 2 * root;
}

/** (x·y/2 + 1)³ as a product of ten features of x and of y, so that sums over pairs need no pairs. */
function features([x, y]) {
  const [u, v, d] = [x / Math.SQRT2, y / Math.SQRT2, Math.sqrt(3)];
  return [
    1,
    d * u,
    d * v,
    d * u * u,
    Math.sqrt(6) * u * v,
    d * v * v,
    u * u * u,
    d * u * u * v,
    d * u * v * v,
    v * v * v,
  ];
}

const dot = (one, other) => sum(one.map((value, index) => value * other[index]));

/** The unbiased kernel distance (KID): pairs of a point with itself are left out. */
function kernelDistance(first, second) {
  const totals = [first, second].map((points) => {
    const all = points.map(features);
    return {
      sum: range(10).map((index) => sum(all.map((each) => each[index]))),
      own: sum(all.map((each) => dot(each, each))),
      count: points.length,
    };
  });
  const within = totals.map(({ sum: total, own, count }) => (dot(total, total) - own) / (count * (count - 1)));
  const [one, other] = totals;
  return within[0] + within[1] - (2 * dot(one.sum, other.sum)) / (one.count * other.count);
}

/** Both distances of the two distributions themselves, from their moments. */
function trueDistances({ centre: [x, y], spread }) {
  const variance = spread * spread;
  // The moments of N(μ, s²) along an axis: E u, E u², E u³. The axes are independent, so that features are products.
  const expected = (mean, s2) => {
    const [u, v] = mean.map((m) =>
      [1, m, m * m + s2, m * m * m + 3 * m * s2].map((value, order) => value / Math.SQRT2 ** order),
    );
    const [d, six] = [Math.sqrt(3), Math.sqrt(6)];
    return [1, d * u[1], d * v[1], d * u[2], six * u[1] * v[1], d * v[2], u[3], d * u[2] * v[1], d * u[1] * v[2], v[3]];
  };
  const [real, made] = [expected([0, 0], 1), expected([x, y], variance)];
  const gap = made.map((value, index) => value - real[index]);
  return { frechet: x * x + y * y + 2 * (1 - spread) ** 2, kernel: dot(gap, gap) };
}

function measure(draw, state) {
  const { real, made } = samplesOf(draw, state);
  return { frechet: frechet(moments(real), moments(made)), kernel: kernelDistance(real, made) };
}

const meanOf = (values) => sum(values) / values.length;
const spreadOf = (values) => Math.sqrt(sum(values.map((value) => (value - meanOf(values)) ** 2)) / (values.length - 1));

function cloudInWords({ count, draw }, all, truth) {
  const about = (key) => {
    const values = all.map((each) => each[key]);
    const [bias, error] = [meanOf(values) - truth[key], spreadOf(values) / Math.sqrt(DRAWS)];
    const side = bias > 0 ? "too high" : "too low";
    const verdict =
      Math.abs(bias) < 3 * error
        ? "right on average, as far as one can tell"
        : `${fixed(Math.abs(bias))} ${side} on average`;
    return `${fixed(values[draw])} here, ${fixed(truth[key])} in truth, and over ${DRAWS} draws ${verdict}`;
  };
  return `From ${count} samples of each cloud, the Fréchet distance is ${about("frechet")}. The kernel distance is ${about("kernel")}.`;
}

/** Estimates of all draws along an axis, one above the other at random heights, with their mean and the truth. */
function drawEstimates(plane, values, truth, current, name) {
  const heights = normals(99);
  const y = (index) => plane.top + plane.height * (0.5 + 0.14 * clamp(heights(index), -2.6, 2.6));
  const mean = plane.toX(meanOf(values));
  return [
    ...axes(plane, { title: name, yText: () => "" }).filter((node) => !node.classList.contains("ldvd-grid")),
    ...values.map((value, index) =>
      shape("circle", { class: `ldvd-dot ldvd-pale ldvd-plain`, cx: plane.toX(value), cy: y(index), r: 3 }),
    ),
    shape("path", { class: `ldvd-line ldvd-plain`, d: `M${mean} ${plane.top + 3}V${plane.bottom - 3}` }),
    shape("path", {
      class: "ldvd-line ldvd-plain ldvd-dashed",
      d: `M${plane.toX(truth)} ${plane.top - 4}V${plane.bottom + 4}`,
    }),
    shape("circle", {
      class: `ldvd-dot ldvd-ringed ldvd-plain`,
      cx: plane.toX(values[current]),
      cy: plane.top + plane.height / 2,
      r: 5.5,
    }),
  ];
}

function drawCloud(state, width) {
  const isBeside = width >= BESIDE;
  const size = isBeside ? Math.min(340, width * 0.46) : width - 52;
  const plane = makePlane({ left: 36, top: 12, width: size, height: size, x: [-4, 4], y: [-4, 4] });
  const { real, made } = samplesOf(state.draw, state);
  const dots = (points, kind) =>
    points.map(([x, y]) =>
      shape("circle", { class: `ldvd-dot ldvd-pale ${kind}`, cx: plane.toX(x), cy: plane.toY(y), r: 2.6 }),
    );
  const outline = ([x, y], radius, kind) =>
    shape("circle", {
      class: `ldvd-line ldvd-hollow ${kind}`,
      cx: plane.toX(x),
      cy: plane.toY(y),
      r: 2 * radius * plane.unit.x,
    });
  const all = range(DRAWS).map((draw) => measure(draw, state));
  const truth = trueDistances(state);
  const left = isBeside ? plane.right + 40 : 36;
  const strip = (key, top) => {
    const values = all.map((each) => each[key]);
    const [low, high] = [Math.min(truth[key], ...values), Math.max(truth[key], ...values)];
    const margin = 0.06 * Math.max(high - low, 0.02);
    return makePlane({
      left,
      top,
      width: width - left - 10,
      height: isBeside ? (size - 96) / 2 : 80,
      x: [low - margin, high + margin],
      y: [0, 1],
    });
  };
  const upper = strip("frechet", isBeside ? 34 : plane.bottom + 56);
  const lower = strip("kernel", upper.bottom + 62);
  const nodes = [
    ...axes(plane, {}),
    inside(
      plane,
      ...dots(real, "ldvd-first"),
      ...dots(made, "ldvd-second"),
      outline([0, 0], 1, "ldvd-first"),
      outline(state.centre, state.spread, "ldvd-second"),
    ),
    ...drawEstimates(
      upper,
      all.map((each) => each.frechet),
      truth.frechet,
      state.draw,
      "Fréchet distance",
    ),
    ...drawEstimates(
      lower,
      all.map((each) => each.kernel),
      truth.kernel,
      state.draw,
      "kernel distance (MMD², as in KID)",
    ),
  ];
  const keys = [
    ["ldvd-first", "real (ring: two deviations)"],
    ["ldvd-second", "generated"],
    ["ldvd-plain ldvd-dashed", "the true distance"],
    ["ldvd-plain", `the mean of ${DRAWS} draws (dots)`],
  ];
  return {
    height: Math.max(plane.bottom, lower.bottom) + 26,
    nodes,
    keys,
    words: cloudInWords(state, all, truth),
    plane,
  };
}

function render(context) {
  return explore(context, {
    name: "cloud",
    title: "Two clouds, and how far apart they are",
    invitation:
      "Drag the generated cloud onto the real one, with its spread at 1: the truth is then 0. What do both distances say from 10 samples, what from 400? Then let the cloud collapse.",
    traits: ["centre"],
    controls: [
      { name: "count", label: "samples of each", min: 5, max: MOST, step: 5 },
      { name: "spread", label: "spread of the generated", min: 0, max: 2, step: 0.1, text: (value) => fixed(value, 1) },
      {
        name: "draw",
        icon: "resample",
        text: "Other samples",
        press: ({ draw }) => ({ draw: (draw + 1) % DRAWS }),
      },
    ],
    handles: [
      { label: "Middle of the generated cloud", read: ({ centre }) => centre, write: (centre) => ({ centre }) },
    ],
    draw: drawCloud,
  });
}

export default { render };
