// The browser's side of ldvd_lib.widgets.ArchitectureLab. What is chosen shows at once; the numbers that belong to it
// come from the kernel, in the trait `_design`, and until they are there those of the last design stand dimmed.

const PATIENCE_MS = 1500; // after which numbers that have not come are remarked upon
const PILE = { width: 104, height: 84, side: 46, step: 1.7 }; // pixels: of a drawing, of the video in it, between sheets
const NEW_LAYER = "2d";

function render({ model, el }) {
  const { kinds: known, otherColour, designs, mostLayers, presets, widths } = model.get("_choices");
  const options = (pairs) => pairs.map(([value, text]) => element("option", { value }, text));
  const colours = Object.fromEntries(known.map(({ name, colour }) => [name, colour]));
  const named = designs.map(({ name, text }) => [name, text]);
  const ownOption = element("option", { value: "", disabled: "" }, "your own");
  const design = field("select", { "aria-label": "Design" }, ownOption, ...options(named));
  const numbers = Array.from({ length: mostLayers }, (_, index) => [String(index + 1), String(index + 1)]);
  const layers = field("select", { "aria-label": "Number of layers" }, ...options(numbers));
  const preset = field("select", { "aria-label": "Size" }, ...options(presets.map(({ name, text }) => [name, text])));
  const width = field("select", { "aria-label": "Channels of the first layer" });
  const reference = field("select", { "aria-label": "Compare with" }, ...options(named));
  const cards = element("ol", { class: "ldvd-parts", "aria-label": "Layers" });
  const legend = element(
    "ul",
    { class: "ldvd-legend", "aria-label": "Kinds of layers" },
    ...known.map(({ name, text, colour }) => {
      const item = element("li", {}, element("b", {}, name), `: ${text}`);
      item.style.setProperty("--ldvd-kind", colour);
      return item;
    }),
  );
  const sums = element("table", { class: "ldvd-sums" });
  const all = element("table", { class: "ldvd-all" });
  const scroller = element("div", { class: "ldvd-scroller", tabindex: "0", role: "group", "aria-label": "Table" }, all);
  const details = element("details", {}, element("summary", {}, "Every number, layer by layer"), scroller);
  const steps = field("input", { type: "number", min: "1", step: "1", "aria-label": "Training steps" });
  const train = button("play", "Train", "Train these layers, beside the notebook", "ldvd-primary");
  const trainHint = element("span", { class: "ldvd-hint" });
  const status = element("p", { class: "ldvd-status", role: "status" });
  const root = element(
    "div",
    { class: "ldvd-widget ldvd-architecture-lab", role: "group", "aria-label": "Architecture lab" },
    element(
      "div",
      { class: "ldvd-bar" },
      labelled("design", design),
      labelled("layers", layers),
      labelled("size", preset),
      labelled("c0 has", width),
      labelled("compare with", reference),
    ),
    cards,
    legend,
    sums,
    details,
    element("div", { class: "ldvd-bar" }, labelled("steps", steps), train, trainHint),
    status,
  );
  el.append(root);

  let patience = 0;
  let isPreparing = false; // from a click on "Train" until the kernel has heard it

  // The drawing: a card for the video, for each layer, and for the head

  const video = card("video", "input");
  const head = card("head", "");
  const layerCards = [];

  function card(name, kind) {
    const pile = shape("svg", { class: "ldvd-pile", "aria-hidden": "true" });
    const text = element("span", { class: "ldvd-kind" }, kind);
    const about = element("div", { class: "ldvd-about" });
    const root = element("li", { class: "ldvd-part" }, pile, element("span", { class: "ldvd-name" }, name), text, about);
    return { root, pile, text, about };
  }

  function layerCard(index) {
    const made = card(`c${index}`, "");
    const select = field(
      "select",
      { "aria-label": `Kind of layer c${index}` },
      ...options(known.map(({ name }) => [name, name])),
    );
    select.addEventListener("change", () => {
      choose({ kinds: model.get("kinds").map((kind, place) => (place === index ? select.value : kind)) });
    });
    made.text.replaceWith(select);
    return { ...made, select };
  }

  /** A feature map as a pile of as many sheets as it has frames, each as wide as the map (by square roots). */
  function drawPile(svg, [, frames, size], largest, colour) {
    const side = PILE.side * Math.max(0.14, Math.sqrt(size / largest));
    const [width, height] = [side + (frames - 1) * PILE.step, side * 1.15 + (frames - 1) * PILE.step];
    const [left, bottom] = [(PILE.width - width) / 2, PILE.height - 2];
    svg.setAttribute("viewBox", `0 0 ${PILE.width} ${PILE.height}`);
    svg.replaceChildren(
      ...Array.from({ length: frames }, (_, index) => {
        const back = (frames - 1 - index) * PILE.step;
        const [x, y] = [left + back, bottom - side * 1.15 - back];
        return shape("rect", { x, y, width: side, height: side * 1.15, fill: colour });
      }),
    );
    return height;
  }

  function drawAbout(about, { shape: [channels, frames, size], sees, shares }) {
    const lines = [`${channels} channel${channels > 1 ? "s" : ""}`, `${frames} × ${size}²`, ...sees];
    about.replaceChildren(
      ...lines.map((line) => element("div", {}, line)),
      ...shares.map(({ label, percent: share }) => {
        const bar = element("span", { class: "ldvd-share", "aria-hidden": "true" }, element("span"));
        bar.firstChild.style.width = `${share}%`;
        const value = share > 0 && share < 0.5 ? "< 1 %" : `${share.toFixed(0)} %`;
        return element("div", { class: "ldvd-cost" }, element("span", {}, label), bar, element("span", {}, value));
      }),
    );
  }

  function drawCards() {
    const kinds = model.get("kinds");
    const { parts } = model.get("_design");
    while (layerCards.length < kinds.length) layerCards.push(layerCard(layerCards.length));
    const shown = layerCards.slice(0, kinds.length);
    const wanted = [video, ...shown, head].map(({ root }) => root);
    // Only what is new is put in, and only what is gone taken out: a menu that is in use keeps the focus.
    for (const child of [...cards.children]) if (!wanted.includes(child)) child.remove();
    wanted.forEach((child, index) => cards.children[index] !== child && cards.insertBefore(child, cards.children[index]));
    const largest = parts[0].shape[2];
    const drawn = [
      [video, parts[0], otherColour],
      ...shown.map((made, index) => [made, parts.slice(1, -1)[index], colours[kinds[index]]]),
      [head, parts.at(-1), otherColour],
    ];
    for (const [made, part, colour] of drawn) {
      made.root.style.setProperty("--ldvd-kind", colour);
      if (part) drawPile(made.pile, part.shape, largest, colour);
      else made.pile.replaceChildren();
      if (part) drawAbout(made.about, part);
      else made.about.replaceChildren("…");
    }
    shown.forEach(({ select }, index) => (select.value = kinds[index]));
    head.text.textContent = parts.at(-1).kind;
  }

  // The tables

  function row(tag, cells, attributes = {}) {
    return element(
      "tr",
      attributes,
      ...cells.map((cell, index) => element(index ? tag : "th", index && tag === "td" ? {} : scope(tag), cell)),
    );
  }

  const scope = (tag) => ({ scope: tag === "th" ? "col" : "row" });

  function drawTables() {
    const { title, figures, headings, cells, choices } = model.get("_design");
    const hasLimits = figures.some(({ limit }) => limit);
    const above = ["", "this design", choices[3], "ratio", ...(hasLimits ? ["limit"] : [])];
    sums.replaceChildren(
      element("caption", {}, `${title}, for one video`),
      element("thead", {}, row("th", above)),
      element(
        "tbody",
        {},
        ...figures.map(({ label, value, reference, ratio, limit, isOver }) => {
          const kept = limit && `${limit} ${isOver ? "✗ over" : "✓ kept"}`;
          const attributes = isOver ? { class: "ldvd-over" } : {};
          return row("td", [label, value, reference, ratio, ...(hasLimits ? [kept] : [])], attributes);
        }),
      ),
    );
    all.replaceChildren(
      element("thead", {}, row("th", headings)),
      element("tbody", {}, ...cells.map((line) => row("td", line))),
    );
  }

  // What is chosen

  function choices() {
    return ["kinds", "preset", "width", "reference"].map((name) => model.get(name));
  }

  const isShown = () => JSON.stringify(choices()) === JSON.stringify(model.get("_design").choices);

  function choose(changes) {
    model.set("_failed", false);
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  }

  function drawControls() {
    const kinds = model.get("kinds");
    design.value = designs.find((candidate) => candidate.kinds.join() === kinds.join())?.name ?? "";
    layers.value = String(kinds.length);
    preset.value = model.get("preset");
    width.replaceChildren(...options(widths.map(({ value, texts }) => [String(value), texts[preset.value]])));
    width.value = String(model.get("width"));
    reference.value = model.get("reference");
  }

  function drawStatus() {
    const [shown, failed, training] = [isShown(), model.get("_failed"), model.get("_training")];
    const isWaiting = !shown && !failed;
    root.setAttribute("aria-busy", String(isWaiting));
    root.classList.toggle("ldvd-stale", !shown);
    status.classList.toggle("ldvd-failed", failed);
    train.disabled = training || isPreparing || !shown;
    trainHint.textContent = training ? "One training at a time." : "At lite size, while you go on.";
    clearTimeout(patience);
    if (!isWaiting) {
      status.textContent = isPreparing ? "Getting the clips and the networks ready …" : model.get("status");
      return;
    }
    const stale = `The numbers are still those of ${model.get("_design").title}.`;
    status.textContent = `Computing … ${stale}`;
    patience = setTimeout(() => {
      status.textContent = `The kernel is busy, or it is not running. ${stale}`;
    }, PATIENCE_MS);
  }

  function draw() {
    drawControls();
    drawCards();
    drawTables();
    drawStatus();
  }

  design.addEventListener("change", () => choose({ kinds: designs.find(({ name }) => name === design.value).kinds }));
  layers.addEventListener("change", () => {
    const kinds = model.get("kinds");
    const more = Array(Math.max(0, Number(layers.value) - kinds.length)).fill(NEW_LAYER);
    choose({ kinds: [...kinds, ...more].slice(0, Number(layers.value)) });
  });
  preset.addEventListener("change", () => choose({ preset: preset.value }));
  width.addEventListener("change", () => choose({ width: Number(width.value) }));
  reference.addEventListener("change", () => choose({ reference: reference.value }));

  const onSteps = () => (steps.value = String(model.get("steps")));
  const typed = () => (steps.value !== "" && steps.checkValidity() ? Number(steps.value) : null);
  onCommit(steps, () => {
    if (typed() === null) {
      status.textContent = `“${steps.value}” is not a whole number from 1.`;
      onSteps();
    } else if (typed() !== model.get("steps")) {
      model.set("steps", typed());
      model.save_changes();
    }
  });
  train.addEventListener("click", () => {
    isPreparing = true;
    model.set("_failed", false);
    drawStatus();
    model.send({ type: "train", steps: typed() ?? model.get("steps") });
  });

  function onHeard({ type }) {
    if (type !== "heard") return;
    isPreparing = false;
    drawStatus();
  }

  const stopListening = listen(model, [
    ...["kinds", "preset", "width", "reference", "_design"].map((name) => [`change:${name}`, draw]),
    ...["status", "_failed", "_training"].map((name) => [`change:${name}`, drawStatus]),
    ["change:steps", onSteps],
    ["msg:custom", onHeard],
  ]);
  onSteps();
  draw();

  return () => {
    clearTimeout(patience);
    stopListening();
  };
}

export default { render };
