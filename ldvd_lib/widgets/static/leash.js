// The browser's side of ldvd_lib.widgets.explorables.Leash: the ellipse of a 2×2 matrix, and what three leashes do to it.
// A matrix is [a, b, c, d], row by row: (1, 0) goes to (a, c), and (0, 1) to (b, d).

/** W = R(turn) diag(first, second) R(from), where R turns and first ≥ |second|; second is negative if W is a reflection. */
function decompose([a, b, c, d]) {
  const turning = Math.hypot(a + d, c - b) / 2; // of what turns and stretches alike everywhere
  const folding = Math.hypot(a - d, c + b) / 2; // and of what turns and reflects
  const [alpha, beta] = [Math.atan2(c + b, a - d), Math.atan2(c - b, a + d)];
  return { first: turning + folding, second: turning - folding, turn: (beta + alpha) / 2, from: (beta - alpha) / 2 };
}

/** The inverse of `decompose`. */
function compose({ first, second, turn, from }) {
  const [c, s, p, q] = [Math.cos(turn), Math.sin(turn), Math.cos(from), Math.sin(from)];
  return [
    first * c * p - second * s * q,
    -first * c * q - second * s * p,
    first * s * p + second * c * q,
    -first * s * q + second * c * p,
  ];
}

/** Both singular values, the larger first. */
function singularValues(matrix) {
  const { first, second } = decompose(matrix);
  return [first, Math.abs(second)];
}

const LEASHES = {
  /** Singular value clipping: no half axis is longer than 1, and nothing else changes. */
  svc(matrix) {
    const parts = decompose(matrix);
    return compose({ ...parts, first: Math.min(1, parts.first), second: clamp(parts.second, -1, 1) });
  },
  /** Spectral normalisation: all is divided by the longest half axis. */
  sn(matrix) {
    const [largest] = singularValues(matrix);
    return largest > 0 ? matrix.map((weight) => weight / largest) : matrix;
  },
  /** Weight clipping: every number is cut to [-bound, bound]. */
  weights: (matrix, bound) => matrix.map((weight) => clamp(weight, -bound, bound)),
};

const apply = ([a, b, c, d], [x, y]) => [a * x + b * y, c * x + d * y];

/** By how many degrees the long axis of the ellipse is turned; null where either is as good as round. */
function axisTurn(before, after) {
  const [one, other] = [before, after].map(decompose);
  if ([one, other].some(({ first, second }) => first - Math.abs(second) < 0.02)) return null;
  const turned = ((other.turn - one.turn) * 180) / Math.PI;
  return turned - 180 * Math.round(turned / 180);
}

function leashInWords({ matrix, leash, bound }) {
  const after = LEASHES[leash](matrix, bound);
  const [[long, short], [longAfter, shortAfter]] = [matrix, after].map(singularValues);
  const begin = `W stretches by σ₁ = ${fixed(long)} at most, and by σ₂ = ${fixed(short)} at least.`;
  if (leash === "svc") {
    if (long <= 1) return `${begin} Neither is above 1, so that SVC changes nothing.`;
    const rest =
      short > 1
        ? "and so is the other: what is left is round"
        : "while the short one and all directions stay as they are";
    return `${begin} With SVC the long half axis is cut back to 1, ${rest}.`;
  }
  if (leash === "sn") {
    const verb = long > 1 ? "divides" : "stretches, for it divides";
    return `${begin} Spectral normalisation ${verb} everything by ${fixed(long)}: the form stays, and the short half axis is now ${fixed(shortAfter)}.`;
  }
  const turned = axisTurn(matrix, after);
  const direction = turned === null ? "" : ` The long axis has turned by ${fixed(Math.abs(turned), 0)}°.`;
  const limit = longAfter > 1 ? "still more than 1" : "below 1, but by more or less than needed";
  if (matrix.every((weight, index) => weight === after[index]))
    return `${begin} No weight is beyond ±${fixed(bound)}, so that clipping changes nothing.`;
  return `${begin} Clipped to ±${fixed(bound)}, weight by weight, it is ${fixed(longAfter)} and ${fixed(shortAfter)}: ${limit}.${direction}`;
}

function drawLeash({ matrix, leash, bound }, width) {
  const size = Math.min(width - 50, 400);
  const isBeside = width >= BESIDE;
  const plane = makePlane({ left: 44, top: 12, width: size, height: size, x: [-2.2, 2.2], y: [-2.2, 2.2] });
  const after = LEASHES[leash](matrix, bound);
  const circle = range(121).map((index) => [Math.cos((index * Math.PI) / 60), Math.sin((index * Math.PI) / 60)]);
  const outline = (of) => plane.line(circle.map((point) => apply(of, point)));
  const half = (of, kind) => {
    const { first, second, turn } = decompose(of);
    const ends = [
      [first, turn],
      [second, turn + Math.PI / 2],
    ].map(([length, angle]) => [length * Math.cos(angle), length * Math.sin(angle)]);
    return ends.map((end) => shape("path", { class: `ldvd-line ${kind}`, d: plane.line([[0, 0], end]) }));
  };
  const columns = ([a, b, c, d]) => [
    [a, c],
    [b, d],
  ];
  const nodes = [
    ...axes(plane, {}),
    inside(
      plane,
      shape("path", { class: "ldvd-limit", d: outline([1, 0, 0, 1]) }),
      shape("path", { class: "ldvd-line ldvd-first", d: outline(matrix) }),
      shape("path", { class: "ldvd-line ldvd-area ldvd-second", d: outline(after) }),
      ...half(after, "ldvd-second"),
      ...columns(matrix).map((end) =>
        shape("path", { class: "ldvd-line ldvd-first ldvd-dashed", d: plane.line([[0, 0], end]) }),
      ),
    ),
    ...columns(matrix).map(([x, y], index) => {
      const isLeft = x > 1.1; // there is no room at its right
      const at = {
        x: plane.toX(x) + (isLeft ? -11 : 11),
        y: plane.toY(y) + (index ? -10 : 20), // apart, even where the two handles meet
        "text-anchor": isLeft ? "end" : "start",
      };
      return shape("text", { class: "ldvd-strong", ...at }, `W·${index ? "(0, 1)" : "(1, 0)"}`);
    }),
  ];
  // The half axes once more, as bars, beside the picture or below it
  const left = isBeside ? plane.right + 50 : plane.left;
  const top = isBeside ? 40 : plane.bottom + 52;
  const bars = makePlane({ left, top, width: Math.min(width - left - 46, 300), height: 120, x: [0, 3.2], y: [0, 1] });
  const rows = [matrix, after].map(singularValues);
  nodes.push(shape("text", { class: "ldvd-axis", x: left, y: top - 10 }, "how far it stretches"));
  nodes.push(shape("path", { class: "ldvd-limit", d: `M${bars.toX(1)} ${top - 4}v112` }));
  rows.forEach((values, when) =>
    values.forEach((value, index) => {
      const y = top + index * 60 + when * 22;
      const end = bars.toX(Math.min(value, 3.2));
      const kind = when ? "ldvd-second" : "ldvd-first";
      nodes.push(shape("rect", { class: `ldvd-dot ${kind}`, x: left, y, width: Math.max(1, end - left), height: 18 }));
      nodes.push(
        shape("text", { class: "ldvd-strong", x: end + 7, y: y + 13 }, `${index ? "σ₂" : "σ₁"} ${fixed(value)}`),
      );
    }),
  );
  nodes.push(shape("text", { x: bars.toX(1), y: top + 122, "text-anchor": "middle" }, "1"));
  const keys = [
    ["ldvd-first", "the unit circle after W"],
    ["ldvd-second", "after W on its leash"],
    ["ldvd-faint ldvd-dashed", "the unit circle"],
  ];
  return {
    height: Math.max(plane.bottom, isBeside ? 0 : top + 124) + 24,
    nodes,
    keys,
    words: leashInWords({ matrix, leash, bound }),
    plane,
  };
}

function render(context) {
  const column = (index) => ({
    label: `Where W takes ${index ? "(0, 1)" : "(1, 0)"}`,
    read: ({ matrix }) => [matrix[index], matrix[2 + index]],
    write: ([x, y], { matrix }) => ({
      matrix: matrix.map((weight, at) => (at === index ? x : at === 2 + index ? y : weight)),
    }),
  });
  return explore(context, {
    name: "leash",
    title: "Three leashes for a matrix",
    invitation:
      "Drag the two round handles: they are where W takes (1, 0) and (0, 1). Then change the leash. Which one keeps the short half axis? Which one turns the ellipse?",
    traits: ["matrix"],
    controls: [
      {
        name: "leash",
        label: "leash",
        options: [
          ["svc", "singular value clipping"],
          ["sn", "spectral normalisation"],
          ["weights", "weight clipping"],
        ],
      },
      {
        name: "bound",
        label: "weights within ±",
        min: 0.1,
        max: 1,
        step: 0.05,
        text: (value) => fixed(value),
        when: ({ leash }) => leash === "weights",
      },
    ],
    handles: [column(0), column(1)],
    draw: drawLeash,
  });
}

export default { render };
