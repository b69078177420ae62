// The browser's side of ldvd_lib.widgets.explorables.Dye: which frames and pixels reach a place of a discriminator's maps, and
// how much of each. All kernels take means, so that what reaches a place is dye that was dropped there and runs back.

const [FRAMES, PIXELS] = [16, 32]; // of the clip; of its pixels one row is shown
const CHANNELS = [3, 64, 128, 256, 512]; // TGAN's, for the weights
const KERNEL = { size: 4, stride: 2, padding: 1 }; // TGAN's, in space and in time
const SHIFTED = 0.25; // share of the channels that a shift moves each way

const KINDS = {
  "3d": { inTime: "strided", weights: (from, to) => 64 * from * to },
  "2+1d": { inTime: "strided", weights: (from, to) => 16 * from * to + 4 * to * to },
  "2d": { inTime: "none", weights: (from, to) => 16 * from * to },
  shift: { inTime: "shift", weights: (from, to) => 16 * from * to },
};

/** Places that a strided kernel makes of so many. */
const made = (length) => Math.floor((length + 2 * KERNEL.padding - KERNEL.size) / KERNEL.stride) + 1;

/** Lengths in time or space before each layer and after the last. */
function lengths(kinds, axis, first) {
  const found = [first];
  for (const kind of kinds)
    found.push(axis === "space" || KINDS[kind].inTime === "strided" ? made(found.at(-1)) : found.at(-1));
  return found;
}

/** Dye of the outputs of a layer along an axis → dye of its inputs; what falls outside of the clip is lost. */
function runBack(dye, how, length) {
  if (how === "none") return dye;
  const before = Array(length).fill(0);
  const drop = (place, share) => {
    if (place >= 0 && place < length) before[place] += share;
  };
  dye.forEach((amount, place) => {
    if (how === "shift") {
      drop(place - 1, SHIFTED * amount);
      drop(place, (1 - 2 * SHIFTED) * amount);
      drop(place + 1, SHIFTED * amount);
    } else
      for (const tap of range(KERNEL.size)) drop(place * KERNEL.stride - KERNEL.padding + tap, amount / KERNEL.size);
  });
  return before;
}

/** Dye along an axis: one list for each map, from the clip to the one in which a drop fell at `place`. */
function spread(kinds, axis, first, place) {
  const sizes = lengths(kinds, axis, first);
  const maps = [Array.from({ length: sizes.at(-1) }, (_, index) => Number(index === place))];
  for (let number = kinds.length - 1; number >= 0; number--) {
    maps.unshift(runBack(maps[0], axis === "space" ? "strided" : KINDS[kinds[number]].inTime, sizes[number]));
  }
  return maps;
}

/** Weights of these layers with TGAN's channels. */
const weightsOf = (kinds) =>
  sum(kinds.map((kind, number) => KINDS[kind].weights(CHANNELS[number], CHANNELS[number + 1])));

function shownOf({ kinds, layers, place }) {
  const used = kinds.slice(0, layers);
  const times = lengths(used, "time", FRAMES);
  const at = Math.min(place, times.at(-1) - 1);
  const across = Math.floor(lengths(used, "space", PIXELS).at(-1) / 2);
  return { used, times, at, inTime: spread(used, "time", FRAMES, at), inSpace: spread(used, "space", PIXELS, across) };
}

const reached = (dye) => dye.filter((amount) => amount > 0).length;

function dyeInWords({ layers }, { used, times, inTime, inSpace }) {
  if (!layers) return "Before the first layer, a place is a pixel of a frame, and sees itself.";
  const [frames, pixels] = [reached(inTime[0]), reached(inSpace[0])];
  const total = sum(inTime[0]);
  const heavy = [...inTime[0]].sort((one, other) => other - one);
  let [half, count] = [0, 0];
  while (half < total / 2) half += heavy[count++];
  const words = used.every((kind) => KINDS[kind].inTime === "none")
    ? "It cannot tell in which order frames come."
    : `Half of what it sees is in ${count} of them.`;
  const left = times.at(-1) === 1 ? "One time step is" : `${times.at(-1)} time steps are`;
  const reach = `After ${layers} layer${layers > 1 ? "s" : ""}, a place depends on ${frames} of ${FRAMES} frames and on ${pixels} × ${pixels} pixels.`;
  const weights = weightsOf(used).toLocaleString("en");
  return `${reach} ${words} ${left} left, and the layers so far have ${weights} weights with TGAN's channels.`;
}

function drawDye(state, width) {
  const found = shownOf(state);
  const { used, times, at, inTime, inSpace } = found;
  const isBeside = width >= BESIDE;
  const nodes = [];
  const cell = (x, y, wide, high, share) => {
    nodes.push(shape("rect", { class: "ldvd-cell", x, y, width: wide, height: high }));
    if (share > 0)
      nodes.push(
        shape("rect", {
          class: "ldvd-dyed ldvd-second",
          x,
          y,
          width: wide,
          height: high,
          "fill-opacity": (0.12 + 0.88 * Math.sqrt(share)).toFixed(3),
        }),
      );
  };
  // Layer by layer, time across: the drop is at the top, the clip at the bottom
  const left = 70;
  const wide = (isBeside ? width * 0.56 : width - 8) - left;
  const [row, gap] = [24, 22];
  const middleOf = (number, place) => left + ((place + 0.5) * wide) / times[number];
  const topOf = (number) => 30 + (used.length - number) * (row + gap);
  nodes.push(shape("text", { class: "ldvd-axis", x: left, y: 18 }, "layer by layer, frames across"));
  for (let number = used.length; number >= 0; number--) {
    const most = Math.max(...inTime[number], 1e-9);
    const name = number ? `c${number - 1}: ${used[number - 1]}` : "clip";
    nodes.push(shape("text", { class: "ldvd-strong", x: left - 8, y: topOf(number) + 16, "text-anchor": "end" }, name));
    inTime[number].forEach((amount, place) => {
      const size = wide / times[number];
      const drawnSize = Math.min(size - 2, wide / FRAMES - 2);
      cell(middleOf(number, place) - drawnSize / 2, topOf(number), drawnSize, row, amount / most);
      if (!number || !amount) return;
      const one = inTime[number].map((_, index) => Number(index === place));
      runBack(one, KINDS[used[number - 1]].inTime, times[number - 1]).forEach((share, before) => {
        if (share)
          nodes.push(
            shape("path", {
              class: "ldvd-link ldvd-second",
              d: `M${middleOf(number, place)} ${topOf(number) + row}L${middleOf(number - 1, before)} ${topOf(number - 1)}`,
            }),
          );
      });
    });
  }
  const bottom = topOf(0) + row;
  // The clip: frames across, one row of its pixels up and down
  const map = isBeside
    ? { left: left + wide + 62, top: 30, width: width - left - wide - 70, height: Math.max(200, bottom - 30) }
    : { left, top: bottom + 50, width: wide, height: 200 };
  const [frameWide, pixelHigh] = [map.width / FRAMES, map.height / PIXELS];
  const most = Math.max(...inTime[0], 1e-9) * Math.max(...inSpace[0], 1e-9);
  nodes.push(shape("text", { class: "ldvd-axis", x: map.left, y: map.top - 12 }, "the clip, a column of pixels"));
  for (const frame of range(FRAMES)) {
    for (const pixel of range(PIXELS)) {
      const share = (inTime[0][frame] * inSpace[0][pixel]) / most;
      if (share > 0) {
        const box = {
          x: map.left + frame * frameWide,
          y: map.top + pixel * pixelHigh,
          width: frameWide,
          height: pixelHigh + 0.3,
        };
        nodes.push(
          shape("rect", {
            class: "ldvd-dyed ldvd-second",
            ...box,
            "fill-opacity": (0.12 + 0.88 * Math.sqrt(share)).toFixed(3),
          }),
        );
      }
    }
    nodes.push(shape("path", { class: "ldvd-grid", d: `M${map.left + frame * frameWide} ${map.top}v${map.height}` }));
  }
  nodes.push(shape("rect", { class: "ldvd-frame", x: map.left, y: map.top, width: map.width, height: map.height }));
  for (const frame of [0, FRAMES - 1]) {
    nodes.push(
      shape(
        "text",
        { x: map.left + (frame + 0.5) * frameWide, y: map.top + map.height + 16, "text-anchor": "middle" },
        String(frame),
      ),
    );
  }
  const height = Math.max(bottom, map.top + map.height) + 26;
  return { height, nodes, words: dyeInWords(state, found), at };
}

function render(context) {
  const layer = (number) => ({
    name: `c${number}`,
    label: `c${number}`,
    options: Object.keys(KINDS).map((kind) => [kind, kind]),
  });
  return explore(context, {
    name: "dye",
    title: "Dye that runs through the layers",
    invitation:
      "Go from layer to layer, and see from where a place gets its dye. Then change the kinds: how many frames do shifts reach, and how many 3D layers? What does 2+1D lose in reach, what does it save in weights?",
    controls: [
      {
        name: "layers",
        label: "after layer",
        min: 0,
        max: 4,
        wait: 900,
        text: (value) => (value ? `c${value - 1}` : "none"),
      },
      ...range(4).map(layer),
      {
        name: "place",
        label: "place in time",
        min: 0,
        max: (state) => lengths(kindsOf(state).slice(0, state.layers), "time", FRAMES).at(-1) - 1,
      },
    ],
    draw: (state, width) => drawDye({ ...state, kinds: kindsOf(state) }, width),
  });
}

const kindsOf = (state) => range(4).map((number) => state[`c${number}`]);

export default { render };
