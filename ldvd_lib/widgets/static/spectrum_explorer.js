// The browser's side of ldvd_lib.widgets.SpectrumExplorer: controls and state. All numbers arrive once, in the trait
// `_spectra`; choosing, playing and hovering draw from them and never ask the kernel.

const FRAME_MS = 300; // a step's time on screen while playing
const SIDE_BY_SIDE = 820; // pixels of width from which two runs stand beside each other

function render({ model, el }) {
  const runs = model.get("_spectra");
  for (const run of runs) for (const spectrum of run.discriminators) spectrum.steps = spectrum.step;
  const select = (name) => field("select", { "aria-label": name });
  const pickers = [
    { key: "run", name: "discriminator", run: select("Run"), discriminator: select("Discriminator") },
    {
      key: "compare_run",
      name: "compare_discriminator",
      run: select("Compare with run"),
      discriminator: select("Discriminator to compare with"),
    },
  ];
  const play = button("play", "Play", "Show one step after another", "ldvd-play");
  const slider = field("input", { type: "range", min: "0", step: "1", "aria-label": "Training step" });
  const stepText = element("span", { class: "ldvd-count" });
  const number = field("input", { type: "number", min: "1", step: "1", "aria-label": "Number of eigenvalues" });
  const scale = field(
    "select",
    { "aria-label": "Axis" },
    element("option", { value: "symlog" }, "logarithmic (symlog)"),
    element("option", { value: "linear" }, "linear"),
  );
  const density = field("input", { type: "checkbox", "aria-label": "Density" });
  const densityText = element("span", {}, "density");
  const panels = [makePanel({ goTo, move }), makePanel({ goTo, move })];
  const figures = element("div", { class: "ldvd-figures" }, ...panels.map((panel) => panel.figure));
  const hint =
    "Point at a dot for its value and error bound (a whisker at the right, where it is longer than the dot). " +
    "Click in a left picture to go to a step.";
  const root = element(
    "div",
    { class: "ldvd-widget ldvd-spectrum-explorer", role: "group", "aria-label": "Spectrum explorer" },
    element(
      "div",
      { class: "ldvd-bar" },
      ...["run", "beside it"].map((text, index) => {
        const { run, discriminator } = pickers[index];
        return element("div", { class: "ldvd-pair" }, labelled(text, run), labelled("discriminator", discriminator));
      }),
    ),
    element(
      "div",
      { class: "ldvd-bar" },
      labelled("eigenvalues", number),
      labelled("axis", scale),
      element("label", { class: "ldvd-field" }, density, densityText),
    ),
    element("div", { class: "ldvd-bar" }, play, labelled("step", slider), stepText),
    figures,
    element("p", { class: "ldvd-hint" }, hint),
  );
  el.append(root);
  let timer = 0;

  // What is chosen

  function find(label, name) {
    const run = runs.find((candidate) => candidate.label === label);
    const spectrum = run?.discriminators.find((candidate) => candidate.name === name) ?? run?.discriminators[0];
    return run && { run, spectrum, title: run.discriminators.length > 1 ? `${label} ${spectrum.name}` : label };
  }

  function shown() {
    return pickers.map(({ key, name }) => find(model.get(key), model.get(name))).filter(Boolean);
  }

  function steps() {
    return [...new Set(shown().flatMap(({ spectrum }) => spectrum.steps))].sort((a, b) => a - b);
  }

  /** Choose, and bring what hangs on the choice in line, as Python does for a choice of its own. */
  function set(changes) {
    for (const [key, value] of Object.entries(changes)) model.set(key, value);
    if ("run" in changes || "compare_run" in changes) {
      const [first, second] = shown();
      const names = second?.run.discriminators.map(({ name }) => name) ?? [null];
      const wanted = second?.run === first.run ? names.find((name) => name !== first.spectrum.name) : null;
      const same = names.find((name) => name === first.spectrum.name);
      model.set("discriminator", first.spectrum.name);
      model.set("compare_discriminator", wanted ?? same ?? names[0]);
    }
    const all = steps();
    model.set("step", all[nearest(all, model.get("step"))]);
    model.save_changes();
  }

  function goTo(step) {
    stop();
    set({ step });
  }

  function move(by) {
    const all = steps();
    goTo(all[Math.min(all.length - 1, Math.max(0, nearest(all, model.get("step")) + by))]);
  }

  // Drawing

  function options(select, values, chosen) {
    const wanted = values.map(([value, text]) => `${value}\n${text}`).join("\n\n");
    if (select.dataset.options !== wanted) {
      select.replaceChildren(...values.map(([value, text]) => element("option", { value }, text)));
      select.dataset.options = wanted;
    }
    select.value = chosen;
  }

  function drawControls(all, step) {
    const labels = runs.map(({ label }) => [label, label]);
    for (const { key, name, run, discriminator } of pickers) {
      const found = find(model.get(key), model.get(name));
      options(run, key === "run" ? labels : [["", "nothing"], ...labels], found?.run.label ?? "");
      const names = found?.run.discriminators.map((spectrum) => [spectrum.name, spectrum.name]) ?? [];
      options(discriminator, names, found?.spectrum.name);
      discriminator.disabled = names.length < 2;
      discriminator.parentElement.hidden = key !== "run" && !found;
    }
    const at = nearest(all, step);
    slider.max = String(all.length - 1);
    slider.value = String(at);
    slider.disabled = play.disabled = all.length < 2;
    slider.setAttribute("aria-valuetext", `step ${all[at]}, number ${at + 1} of ${all.length}`);
    stepText.textContent = `${step.toLocaleString("en")} / ${all.at(-1).toLocaleString("en")}`;
    stepText.style.minWidth = `${2 * all.at(-1).toLocaleString("en").length + 3}ch`;
    number.max = String(Math.max(...runs.flatMap((r) => r.discriminators.map((d) => d.eigenvalues[0].length))));
    number.value = String(model.get("num_eigenvalues"));
    scale.value = model.get("scale");
    const without = shown().filter(({ spectrum }) => !spectrum.densities.length);
    density.disabled = without.length === shown().length;
    density.checked = model.get("density") && !density.disabled;
    const missing = [...new Set(without.map(({ title }) => title))].join(", ");
    densityText.textContent = missing ? `density (none given for ${missing})` : "density";
    relabel(play, timer ? "pause" : "play", timer ? "Pause" : "Play");
  }

  function draw() {
    const [all, step, spectra] = [steps(), model.get("step"), shown()];
    drawControls(all, step);
    const space = Math.floor(figures.clientWidth);
    if (!space) return;
    const isBeside = spectra.length === 2 && space >= SIDE_BY_SIDE;
    const count = model.get("num_eigenvalues");
    const curves = spectra.map(({ spectrum: { densities } }) => {
      const measured = densities.map((curve) => curve.step);
      return density.checked && measured.length ? densities[nearest(measured, step)] : null;
    });
    const range = spectra.flatMap(({ spectrum }) => [
      ...spectrum.steps.flatMap((_, index) => leading(spectrum, index, count).map(([value]) => value)),
      ...[...spectrum.largest, ...spectrum.smallest].filter((value) => value !== null),
    ]);
    for (const curve of curves.filter(Boolean)) range.push(curve.grid[0], curve.grid.at(-1));
    const common = { step, count, domain: [all[0], all.at(-1)], range, scale: model.get("scale") };
    figures.classList.toggle("ldvd-beside", isBeside);
    panels.forEach(({ figure, summary, draw: drawPanel }, index) => {
      figure.hidden = !spectra[index];
      if (figure.hidden) return;
      const { spectrum, title } = spectra[index];
      const width = isBeside ? Math.floor((space - 20) / 2) : space;
      summary.setAttribute("aria-live", timer ? "off" : "polite"); // nobody wants every step of a play read out
      const size = { width, height: width < 560 ? 290 : 350 };
      drawPanel({ ...common, ...size, name: title, spectrum, density: curves[index] });
    });
  }

  // What the learner does

  function stop() {
    clearInterval(timer);
    timer = 0;
  }

  play.addEventListener("click", () => {
    const wasPlaying = timer !== 0;
    stop();
    if (wasPlaying) return draw();
    const all = steps();
    if (model.get("step") === all.at(-1)) set({ step: all[0] });
    timer = setInterval(() => {
      const next = nearest(all, model.get("step")) + 1;
      if (next >= all.length - 1) stop();
      set({ step: all[Math.min(next, all.length - 1)] });
      if (!timer) draw();
    }, FRAME_MS);
    draw();
  });
  slider.addEventListener("input", () => goTo(steps()[Number(slider.value)]));
  for (const { key, name, run, discriminator } of pickers) {
    run.addEventListener("change", () => {
      stop();
      set({ [key]: run.value || null });
    });
    discriminator.addEventListener("change", () => set({ [name]: discriminator.value }));
  }
  number.addEventListener("input", () => {
    if (number.value !== "" && number.checkValidity()) set({ num_eigenvalues: Number(number.value) });
  });
  number.addEventListener("blur", () => (number.value = String(model.get("num_eigenvalues"))));
  scale.addEventListener("change", () => set({ scale: scale.value }));
  density.addEventListener("change", () => set({ density: density.checked }));

  const choices = ["run", "discriminator", "compare_run", "compare_discriminator", "step"];
  const looks = ["num_eigenvalues", "scale", "density"];
  const stopListening = listen(
    model,
    [...choices, ...looks].map((name) => [`change:${name}`, draw]),
  );
  const resized = new ResizeObserver(draw);
  resized.observe(figures);

  return () => {
    stop();
    resized.disconnect();
    stopListening();
  };
}

export default { render };
