// The browser's side of ldvd_lib.widgets.explorables.Valley: gradient descent on ½(flat·x² + steep·y²).

const STEPS = 30;
const AGREES = 1e-9; // how close to 2/λ counts as being there

/** Places of gradient descent at this rate: step → [x, y]. Along an axis every step multiplies by 1 − rate·curvature. */
function descend({ rate, steep, flat, start }, steps = STEPS) {
  const path = [start];
  for (const _ of range(steps)) path.push([path.at(-1)[0] * (1 - rate * flat), path.at(-1)[1] * (1 - rate * steep)]);
  return path;
}

function valleyInWords(state) {
  const { rate, steep, flat } = state;
  const limit = 2 / steep;
  const [alongSteep, alongFlat] = [1 - rate * steep, 1 - rate * flat];
  const begin = `2/λ is ${say(limit)}, and the rate is ${fixed((100 * rate) / limit, 1)} % of it. Each step multiplies the steep distance by ${fixed(alongSteep)}`;
  let steepWords = "it comes down the wall without overshooting";
  if (Math.abs(rate - limit) < AGREES * limit) steepWords = "it jumps to and fro between the walls for ever";
  else if (rate > limit) steepWords = "every step overshoots by more than the one before, and it leaves the valley";
  else if (alongSteep < 0) steepWords = "it overshoots from wall to wall, and comes closer";
  let flatWords = `along the floor each multiplies by ${fixed(alongFlat)}: after ${STEPS} steps ${percent(alongFlat ** STEPS)} of the way is left`;
  if (flat < 0)
    flatWords = `along the floor, which bends down (λ = ${fixed(flat, 1)}), it multiplies by ${fixed(alongFlat)}: nobody stays on a saddle`;
  else if (flat === 0) flatWords = "along the floor, which is level, nothing moves";
  return `${begin}: ${steepWords}. And ${flatWords}.`;
}

/** Lines of equal loss, each through places: ellipses, or hyperbolas at a saddle. */
function contours({ steep, flat }) {
  const aspect = Math.sqrt(steep / Math.max(Math.abs(flat), 1e-6)); // how much further one goes along the floor to be as high
  const along = range(121).map((index) => (index - 60) / 15);
  return [0.2, 0.4, 0.6, 0.8, 1, 1.3, 1.6, 2, 2.5, 3].flatMap((reach) => {
    if (flat >= 0) {
      const around = range(181).map((index) => (index * Math.PI) / 90);
      return [around.map((angle) => [aspect * reach * Math.cos(angle), reach * Math.sin(angle)])];
    }
    return [1, -1].flatMap((side) => [
      along.map((way) => [aspect * reach * Math.sinh(way), side * reach * Math.cosh(way)]),
      along.map((way) => [side * reach * Math.cosh(way), (reach / aspect) * Math.sinh(way)]),
    ]);
  });
}

function drawValley(state, width) {
  const isBeside = width >= BESIDE;
  const wide = isBeside ? width * 0.58 - 50 : width - 50;
  const plane = makePlane({ left: 44, top: 26, width: wide, height: 230, x: [-3.2, 3.2], y: [-2, 2] });
  const path = descend(state);
  const nodes = [
    ...axes(plane, { title: "the valley from above", xName: "along the floor" }),
    inside(
      plane,
      ...contours(state).map((points) => shape("path", { class: "ldvd-contour", d: plane.line(points) })),
      shape("path", { class: "ldvd-line ldvd-second", d: plane.line(path) }),
      ...path.map(([x, y]) =>
        shape("circle", { class: "ldvd-dot ldvd-second", cx: plane.toX(x), cy: plane.toY(y), r: 3 }),
      ),
    ),
    shape("path", { class: "ldvd-line ldvd-plain", d: `M${plane.toX(0) - 6} ${plane.toY(0)}h12m-6 -6v12` }),
  ];
  const left = isBeside ? plane.right + 66 : 44;
  const top = isBeside ? 26 : plane.bottom + 66;
  const chart = makePlane({
    left,
    top,
    width: width - left - 8,
    height: isBeside ? 230 : 150,
    x: [0, STEPS],
    y: [-4, 2],
  });
  const log = (value) => Math.max(-9, Math.log10(Math.abs(value)));
  const lines = [
    [1, "ldvd-second"],
    [0, "ldvd-first ldvd-dashed"],
  ];
  nodes.push(
    ...axes(chart, { title: "distance from the middle", xName: "step", yText: power }),
    inside(
      chart,
      ...lines.map(([axis, kind]) =>
        shape("path", {
          class: `ldvd-line ${kind}`,
          d: chart.line(path.map((place, step) => [step, log(place[axis])])),
        }),
      ),
    ),
  );
  const keys = [
    ["ldvd-second", "up and down the steep walls"],
    ["ldvd-first ldvd-dashed", "along the floor"],
  ];
  return { height: (isBeside ? plane : chart).bottom + 40, nodes, keys, words: valleyInWords(state), plane };
}

function render(context) {
  return explore(context, {
    name: "valley",
    title: "A rate, and the steepest curvature",
    invitation:
      "Raise the rate slowly, up to 2/λ and beyond. Then make the walls steeper with the rate as it is. And let the floor bend down (λ of the floor below 0): which rate helps?",
    traits: ["start"],
    controls: [
      {
        name: "rate",
        label: "rate η",
        min: 0.01,
        max: 1,
        step: 0.01,
        text: (value, { steep }) => `${fixed(value)} = ${fixed((value * steep) / 2)} · 2/λ`,
      },
      { name: "steep", label: "λ of the walls", min: 1, max: 10, step: 0.5, text: (value) => fixed(value, 1) },
      { name: "flat", label: "λ of the floor", min: -0.4, max: 1, step: 0.1, text: (value) => fixed(value, 1) },
    ],
    handles: [{ label: "Start", read: ({ start }) => start, write: (start) => ({ start }) }],
    draw: drawValley,
  });
}

export default { render };
