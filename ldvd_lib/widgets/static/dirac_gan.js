// The browser's side of ldvd_lib.widgets.explorables.DiracGAN: the smallest GAN there is (Mescheder, Geiger and Nowozin 2018).
// All real data are the number 0, the generator makes the number θ, and the critic's score of x is ψ·x.

const ROUNDS = 400; // as many as can be played
const DECAY = 0.98; // of the average: it remembers about the last fifty rounds

const sigmoid = (value) => 1 / (1 + Math.exp(-value));

/** What each player minimises, as its slope: of the critic's loss by ψ, of the generator's by θ. */
const LOSSES = {
  // critic: ψθ - ψ·0; generator: -ψθ
  wasserstein: { critic: ([theta]) => theta, generator: ([, psi]) => -psi },
  // critic: log(1 + exp(ψθ)) + log(1 + exp(-ψ·0)); generator: log(1 + exp(-ψθ))
  "non-saturating": {
    critic: ([theta, psi]) => sigmoid(theta * psi) * theta,
    generator: ([theta, psi]) => -sigmoid(-theta * psi) * psi,
  },
};

/** The place [θ, ψ] after a round. */
function playRound([theta, psi], { game, loss, rate, penalty }) {
  const slopes = LOSSES[loss];
  // R1 is its weight times the square of the critic's slope at the data. That of ψ·x is ψ, so that R1 has a slope of 2·ψ.
  const calm = game === "r1" ? 2 * penalty * psi : 0;
  const moved = psi - rate * (slopes.critic([theta, psi]) + calm);
  const next = game === "svc" ? clamp(moved, -1, 1) : moved; // the only singular value there is
  // Who plays at the same time has not seen the other's move yet.
  return [theta - rate * slopes.generator([theta, game === "simultaneous" ? psi : next]), next];
}

/** All places of a game, the first one included; and those of the average of the weights. */
function orbit(state, rounds = ROUNDS) {
  const places = [state.start];
  const averages = [state.start];
  for (const _ of range(rounds)) {
    places.push(playRound(places.at(-1), state));
    averages.push(averages.at(-1).map((old, index) => DECAY * old + (1 - DECAY) * places.at(-1)[index]));
  }
  return { places, averages };
}

const away = ([theta, psi]) => Math.hypot(theta, psi);

/** Where a path leads, from its second quarter to its last: "outwards", "inwards", or "round". */
function trendOf(path) {
  const quarter = Math.floor(path.length / 4);
  const [early, late] = [path.slice(quarter, 2 * quarter), path.slice(-quarter)].map(
    (part) => sum(part.map(away)) / quarter,
  );
  if (Math.abs(late - early) <= 0.03 * early) return "round";
  return late > early ? "outwards" : "inwards";
}

function orbitInWords(state, all) {
  const { game, rounds, penalty, rate } = state;
  const how = {
    simultaneous: "Each answers the other's last move, and not its present one",
    alternating: "The critic moves first, and the generator answers it",
    svc: "The generator answers a critic that is clipped to |ψ| ≤ 1 (dashed)",
    r1: `R1 draws the critic back to flat, each round by ${percent(Math.min(1, 2 * rate * penalty))} of what it has`,
    average: "The players take no notice of their average",
  }[game];
  const where = {
    outwards: "and they spiral outwards",
    inwards: "and they spiral inwards",
    round: "and they go round and round, neither in nor out",
  }[trendOf(all.places)];
  const last = [all.places, all.averages].map((path) => away(path[rounds]));
  const numbers = `After ${rounds} rounds they are ${fixed(last[0])} from where both could rest; they began at ${fixed(away(all.places[0]))}.`;
  const average = game === "average" ? ` The average of their weights is ${fixed(last[1])} from it.` : "";
  return `${how}, ${where}. ${numbers}${average}`;
}

function drawOrbit(state, width) {
  const { rounds, game } = state;
  const isBeside = width >= BESIDE;
  const all = orbit(state);
  const [places, averages] = [all.places.slice(0, rounds + 1), all.averages.slice(0, rounds + 1)];
  const size = isBeside ? Math.min(360, width * 0.5) : width - 52;
  const plane = makePlane({ left: 44, top: 26, width: size, height: size, x: [-2.4, 2.4], y: [-2.4, 2.4] });
  const arrows = range(13).flatMap((column) =>
    range(13).map((row) => {
      const from = [(column - 6) * 0.38, (row - 6) * 0.38];
      const to = playRound(from, { ...state, rate: 0.1 });
      const scale = 0.3 / Math.max(0.1, away([to[0] - from[0], to[1] - from[1]]));
      const end = from.map((value, index) => value + (to[index] - value) * Math.min(scale, 1.1));
      return [from, end];
    }),
  );
  const isAveraged = game === "average";
  const nodes = [
    ...axes(plane, { title: "the critic's ψ over the generator's θ", xName: "θ: what is generated (real: 0)" }),
    inside(
      plane,
      ...arrows.map(([from, end]) =>
        shape("path", { class: "ldvd-line ldvd-arrow ldvd-faint", d: plane.line([from, end]) }),
      ),
      ...arrows.map(([, end]) =>
        shape("circle", {
          class: "ldvd-dot ldvd-arrow ldvd-faint",
          cx: plane.toX(end[0]),
          cy: plane.toY(end[1]),
          r: 1.5,
        }),
      ),
      ...(game === "svc"
        ? [-1, 1].map((psi) =>
            shape("path", {
              class: "ldvd-limit",
              d: plane.line([
                [-9, psi],
                [9, psi],
              ]),
            }),
          )
        : []),
      shape("path", { class: `ldvd-line ldvd-second ${isAveraged ? "ldvd-thin" : ""}`, d: plane.line(places) }),
      ...(isAveraged ? [shape("path", { class: "ldvd-line ldvd-first", d: plane.line(averages) })] : []),
      ...[places, ...(isAveraged ? [averages] : [])].map((path, index) => {
        const [theta, psi] = path.at(-1);
        return shape("circle", {
          class: `ldvd-dot ${index ? "ldvd-first" : "ldvd-second"}`,
          cx: plane.toX(theta),
          cy: plane.toY(psi),
          r: 5,
        });
      }),
    ),
    shape("path", { class: "ldvd-line ldvd-plain", d: `M${plane.toX(0) - 6} ${plane.toY(0)}h12m-6 -6v12` }),
  ];
  const left = isBeside ? plane.right + 66 : 44;
  const top = isBeside ? 26 : plane.bottom + 66;
  const most = Math.max(2, ...[...places, ...averages].map(away).filter(Number.isFinite));
  const chart = makePlane({
    left,
    top,
    width: width - left - 8,
    height: isBeside ? size : 150,
    x: [0, Math.max(20, rounds)],
    y: [0, Math.min(most * 1.05, 8)],
  });
  const over = (path) => chart.line(path.map((place, index) => [index, away(place)]));
  nodes.push(
    ...axes(chart, { title: "distance from rest", xName: "round" }),
    inside(
      chart,
      shape("path", { class: `ldvd-line ldvd-second ${isAveraged ? "ldvd-thin" : ""}`, d: over(places) }),
      ...(isAveraged ? [shape("path", { class: "ldvd-line ldvd-first ldvd-dashed", d: over(averages) })] : []),
    ),
  );
  const keys = [
    ["ldvd-second", "the two players"],
    ...(isAveraged ? [["ldvd-first", `their average (decay ${DECAY})`]] : []),
  ];
  const words = orbitInWords(state, all);
  return { height: (isBeside ? plane : chart).bottom + 40, nodes, keys, words, plane };
}

function render(context) {
  return explore(context, {
    name: "dirac-gan",
    title: "The smallest GAN, in orbit",
    invitation:
      "Change how the two play. Who spirals outwards, who goes round for ever, who comes to rest? Drag the beginning, and try the other loss and larger rates: is it the same?",
    traits: ["start"],
    controls: [
      {
        name: "game",
        label: "play",
        options: [
          ["simultaneous", "simultaneous"],
          ["alternating", "alternating"],
          ["svc", "alternating, with SVC"],
          ["r1", "alternating, with R1"],
          ["average", "alternating, averaged"],
        ],
      },
      {
        name: "loss",
        label: "loss",
        options: [
          ["wasserstein", "Wasserstein"],
          ["non-saturating", "non-saturating"],
        ],
      },
      { name: "rate", label: "rate", min: 0.02, max: 0.5, step: 0.02, text: (value) => fixed(value) },
      {
        name: "penalty",
        label: "weight of R1",
        min: 0.1,
        max: 1,
        step: 0.1,
        text: (value) => fixed(value, 1),
        when: ({ game }) => game === "r1",
      },
      { name: "rounds", label: "rounds", min: 0, max: ROUNDS, step: 4, wait: 60 },
    ],
    handles: [{ label: "Beginning", read: ({ start }) => start, write: (start) => ({ start }) }],
    draw: drawOrbit,
  });
}

export default { render };
