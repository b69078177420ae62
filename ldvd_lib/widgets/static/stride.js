// The browser's side of ldvd_lib.widgets.explorables.Stride: a wheel, and what is seen of it if frames are left out.

const WINDOW = 16; // frames that a network takes

/** By which part of a repetition a thing that looks the same every `repeat` frames seems to go on in `stride` frames. */
function seenTurn(repeat, stride) {
  const turn = stride / repeat;
  return turn - Math.round(turn);
}

/** Whether the way to either side is as long, so that nobody can tell which it went. */
const isAmbiguous = (repeat, stride) => Math.abs(Math.abs(seenTurn(repeat, stride)) - 0.5) < 1e-9;

/** Angle of the wheel at a frame, in turns. */
const angleAt = (frame, period) => frame / period;

function strideInWords({ stride, period, spokes }) {
  const repeat = period / spokes;
  const [true_, seen] = [stride / repeat, seenTurn(repeat, stride)];
  const begin = `The wheel looks the same every ${say(repeat)} frames. From one kept frame to the next it goes on by ${fixed(true_)} of that`;
  if (Math.abs(seen) < 1e-9) return `${begin}: it seems to stand still.`;
  if (isAmbiguous(repeat, stride)) return `${begin}: half of the way, so that forwards and backwards look the same.`;
  if (seen < 0) return `${begin}, which looks like ${fixed(seen)}: it seems to turn backwards.`;
  if (true_ < 0.5) return `${begin}, and that is what one sees: it turns forwards, as it should.`;
  return `${begin}, which looks like ${fixed(seen)}: forwards, but ${say(true_ / seen, 2)} times too slowly.`;
}

function drawWheel([x, y], radius, angle, spokes, kind, name) {
  const tips = range(spokes).map((index) => {
    const turn = 2 * Math.PI * (angle + index / spokes);
    return [x + radius * Math.sin(turn), y - radius * Math.cos(turn)];
  });
  return [
    shape("circle", { class: "ldvd-rim", cx: x, cy: y, r: radius }),
    ...tips.map(([tipX, tipY]) => shape("path", { class: `ldvd-spoke ${kind}`, d: `M${x} ${y}L${tipX} ${tipY}` })),
    ...tips.map(([tipX, tipY]) => shape("circle", { class: `ldvd-dot ${kind}`, cx: tipX, cy: tipY, r: 6 })),
    shape("text", { class: "ldvd-axis", x, y: y + radius + 24, "text-anchor": "middle" }, name),
  ];
}

function drawStride(state, width) {
  const { stride, period, spokes, frame } = state;
  const radius = clamp(width / 6.5, 42, 78);
  const middle = radius + 14;
  const wheels = [
    drawWheel([width * 0.27, middle], radius, angleAt(frame, period), spokes, "ldvd-first", "every frame"),
    drawWheel(
      [width * 0.73, middle],
      radius,
      angleAt(frame * stride, period),
      spokes,
      "ldvd-second",
      `at stride ${stride}`,
    ),
  ];
  const top = 2 * radius + 72;
  const last = (WINDOW - 1) * stride;
  const plane = makePlane({ left: 14, top, width: width - 28, height: 96, x: [0, last], y: [-1.25, 1.25] });
  const repeat = period / spokes;
  const wave = (turns) => Math.cos(2 * Math.PI * turns);
  const times = range(801).map((index) => (index * last) / 800);
  const kept = range(WINDOW).map((index) => [index * stride, wave((index * stride) / repeat)]);
  const apparent = times.map((time) => [time, wave((seenTurn(repeat, stride) * time) / stride)]);
  const now = frame * stride;
  const nodes = [
    ...wheels.flat(),
    shape("text", { class: "ldvd-axis", x: plane.left, y: top - 8 }, "how high a spoke stands, over the frames"),
    shape("rect", { class: "ldvd-frame", x: plane.left, y: top, width: plane.width, height: plane.height }),
    inside(
      plane,
      shape("path", { class: "ldvd-now", d: `M${plane.toX(now)} ${top}V${plane.bottom}` }),
      shape("path", { class: "ldvd-line ldvd-first", d: plane.line(times.map((time) => [time, wave(time / repeat)])) }),
      shape("path", { class: "ldvd-line ldvd-second ldvd-dashed", d: plane.line(apparent) }),
      ...kept.map(([x, y], index) =>
        shape("circle", {
          class: "ldvd-dot ldvd-second",
          cx: plane.toX(x),
          cy: plane.toY(y),
          r: index === frame ? 6 : 3.5,
        }),
      ),
    ),
    ...[0, last].map((tick, index) =>
      shape(
        "text",
        { x: index ? plane.right : plane.left, y: plane.bottom + 16, "text-anchor": index ? "end" : "start" },
        `frame ${tick}`,
      ),
    ),
  ];
  const keys = [
    ["ldvd-first", "how it moves"],
    ["ldvd-second ldvd-dashed", "what 16 kept frames (dots) look like"],
  ];
  return { height: plane.bottom + 24, nodes, keys, words: strideInWords(state) };
}

function render(context) {
  return explore(context, {
    name: "stride",
    title: "A wheel, and the frames that are kept",
    invitation:
      "Play it, and raise the stride from 1: where does the wheel begin to turn backwards, and where does it stand still? Does it depend on the spokes?",
    controls: [
      {
        name: "frame",
        label: "kept frame",
        min: 0,
        max: WINDOW - 1,
        wait: 160,
        loops: true,
        text: (value) => `${value + 1} of ${WINDOW}`,
      },
      { name: "stride", label: "stride", min: 1, max: 40 },
      { name: "period", label: "frames a turn", min: 8, max: 80 },
      { name: "spokes", label: "spokes", min: 1, max: 6 },
    ],
    draw: drawStride,
  });
}

export default { render };
