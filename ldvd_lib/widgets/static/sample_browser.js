// The browser's side of ldvd_lib.widgets.SampleBrowser. All frames arrive once, as one picture in the trait `_sheet`;
// playing and scrubbing only copy pieces of it onto canvases and never ask the kernel.

const PATIENCE_MS = 5000; // after which videos that have not come are remarked upon
const ENLARGED_WIDTH = 320; // CSS pixels to which the enlarged video comes near
const CHOICES = ["seed", "truncation", "category", "grid", "first", "second"]; // which the kernel makes the videos from

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function render({ model, el }) {
  const play = button("pause", "Pause", "Play or pause all videos", "ldvd-play");
  const slider = field("input", { type: "range", min: "0", value: "0", step: "1", "aria-label": "Frame" });
  const frameText = element("span", { class: "ldvd-count" }); // an <output> would be read out at each frame
  const fps = field("input", { type: "number", min: "1", max: "60", step: "any", "aria-label": "Frames per second" });
  const seed = field("input", { type: "number", min: "0", max: String(Number.MAX_SAFE_INTEGER), step: "1" });
  const resample = button("resample", "Resample", "Sample again with the next seed", "ldvd-primary");
  const truncation = field("input", { type: "range", min: "0", max: "1", step: "0.05", "aria-label": "Truncation ψ" });
  const truncationText = element("span", { class: "ldvd-count ldvd-psi" });
  const truncationField = labelled("truncation ψ", truncation, truncationText);
  truncationField.title = "What latents are multiplied by: nearer to 0, videos are likelier and more alike";
  const category = field("select");
  const categoryField = labelled("class", category);
  categoryField.title = "What all videos are asked to show";
  const grid = field("select");
  const first = field("select");
  const firstField = labelled("from", first);
  const second = field("select", { "aria-label": "Walk to" });
  const secondField = labelled("to", second);
  const saveGif = button("save", "Save GIF", "Write what is shown as an animated GIF");
  const saveMp4 = button("save", "Save MP4", "Write what is shown as a film");
  const saves = element("div", { class: "ldvd-bar" }, saveGif, saveMp4); // which do not part where the bar wraps
  const grids = element("div", { class: "ldvd-models" });
  const figures = element("div", { class: "ldvd-models" });
  const close = button("close", "Close", "Close the enlarged video", "ldvd-close");
  const enlargedText = element("span");
  const caption = element("div", { class: "ldvd-caption" }, enlargedText, close);
  const enlarged = element("div", { class: "ldvd-enlarged" }, figures, caption);
  const status = element("p", { class: "ldvd-status", role: "status" });
  const root = element(
    "div",
    { class: "ldvd-widget ldvd-sample-browser", role: "group", "aria-label": "Sample browser" },
    element("div", { class: "ldvd-bar" }, play, labelled("frame", slider, frameText), labelled("fps", fps)),
    element("div", { class: "ldvd-bar" }, labelled("seed", seed), resample, truncationField),
    element("div", { class: "ldvd-bar" }, categoryField, labelled("grid", grid), firstField, secondField, saves),
    element("div", { class: "ldvd-stage" }, grids, enlarged),
    status,
  );
  el.append(root);

  let sheet = null; // all frames
  let sample = null; // what is on the sheet
  let models = []; // what each generator has on screen
  let frame = 0;
  let drawnFrame = -1;
  let request = 0; // of the next animation frame; 0 when the videos stand still
  let frameStart = 0; // when the present frame came on, in milliseconds
  let decoding = 0; // counts the sheets that came, so that a late one does not overtake its successor
  let patience = 0;
  let following = null; // the grid that was asked for, if the video picked for it is to be enlarged once it is there

  // Drawing

  function draw() {
    if (!sheet) return;
    const selected = enlargedVideo();
    models.forEach(({ cells, enlargedCanvas, strip }, number) => {
      const before = number * sample.numVideos; // the videos of one generator come after those of another
      cells.forEach(({ firstChild: canvas }, index) => sheet.paint(canvas, before + index, frame));
      if (selected === null) return;
      sheet.paint(enlargedCanvas, before + selected, frame);
      strip.mark(frame);
    });
    if (frame === drawnFrame) return;
    drawnFrame = frame;
    const last = sample.numFrames - 1;
    slider.value = String(frame);
    slider.setAttribute("aria-valuetext", `frame ${frame} of 0 to ${last}`);
    frameText.textContent = `${frame} / ${last}`;
  }

  function animate(now) {
    request = requestAnimationFrame(animate);
    const duration = 1000 / model.get("fps");
    const steps = Math.floor((now - frameStart) / duration);
    if (!sample || steps < 1) return;
    // After a pause of the page (a hidden tab) the videos go on from where they were.
    frameStart = steps > sample.numFrames ? now : frameStart + steps * duration;
    frame = (frame + steps) % sample.numFrames;
    draw();
  }

  function setPlaying(playing) {
    model.set("playing", playing);
    model.save_changes();
  }

  function onPlaying() {
    const playing = model.get("playing");
    relabel(play, playing ? "pause" : "play", playing ? "Pause" : "Play");
    cancelAnimationFrame(request);
    request = 0;
    if (playing) {
      frameStart = performance.now();
      request = requestAnimationFrame(animate);
    }
  }

  function goTo(next) {
    if (model.get("playing")) setPlaying(false);
    frame = next;
    draw();
  }

  // What the kernel sends

  async function onSample() {
    const described = model.get("_sample");
    const turn = ++decoding;
    const opened = await openSheet(model.get("_sheet"), described);
    if (turn !== decoding) return opened.close();
    sheet?.close();
    sheet = opened;
    sample = described;
    frame = Math.min(frame, sample.numFrames - 1);
    drawnFrame = -1;
    slider.max = String(sample.numFrames - 1);
    frameText.style.minWidth = `${String(sample.numFrames - 1).length * 2 + 3}ch`;
    layOut();
    if (following === sample.grid) select(sample.picked);
    following = null;
    for (const name of CHOICES) root.dataset[name] = String(sample[name]);
  }

  function layOut() {
    const { width, numVideos, names, notes } = sample;
    const { columns, scale } = model.get("_layout");
    if (models[0]?.cells.length !== numVideos) {
      models = sample.models.map((label, number) => addModel(label, notes[number], numVideos));
      grids.replaceChildren(...models.map(({ grid }) => grid));
      figures.replaceChildren(...models.map(({ figure }) => figure));
    }
    for (const [number, { label, cells, figure }] of models.entries()) {
      cells.forEach((cell, index) => {
        const name = names[number][index];
        cell.setAttribute("aria-label", capital(of(name, label)));
        cell.title = `${capital(name)}: click to enlarge`;
        cell.lastChild.textContent = name.replace(/[a-z](?=[A-Z])/g, "$&\u200b"); // so JumpingJacks may wrap in the middle
      });
      cells[0].parentElement.style.gridTemplateColumns = `repeat(${columns}, minmax(0, ${width * scale}px))`;
      figure.style.width = `${width * Math.max(1, Math.round(ENLARGED_WIDTH / width))}px`;
    }
    onSelected();
  }

  const of = (name, label) => (label ? `${name}, ${label}` : name);

  /** The grid, the enlarged video and its frames, of one generator. */
  function addModel(label, note, numVideos) {
    const title = () => (label ? [element("div", { class: "ldvd-title" }, label)] : []);
    const cells = Array.from({ length: numVideos }, (_, index) => {
      const name = element("span", { class: "ldvd-name", "aria-hidden": "true" });
      const cell = element("button", { type: "button", class: "ldvd-cell" }, element("canvas"), name);
      cell.addEventListener("click", () => select(model.get("selected") === index ? null : index));
      return cell;
    });
    const notes = label ? [element("div", { class: "ldvd-note" }, note)] : [];
    const group = { class: "ldvd-cells", role: "group", "aria-label": of("Videos", label) };
    const enlargedCanvas = element("canvas", { role: "img" });
    const strip = filmStrip(goTo);
    return {
      label,
      cells,
      enlargedCanvas,
      strip,
      grid: element("div", { class: "ldvd-model" }, ...title(), ...notes, element("div", group, ...cells)),
      figure: element("div", { class: "ldvd-figure" }, ...title(), enlargedCanvas, strip.node),
    };
  }

  /** The index of the enlarged video, or null: the grid may have become smaller. */
  function enlargedVideo() {
    const selected = model.get("selected");
    return selected !== null && selected < sample.numVideos ? selected : null;
  }

  function select(index) {
    model.set("selected", index);
    model.save_changes();
  }

  function onSelected() {
    if (!sheet) return;
    const selected = enlargedVideo();
    enlarged.hidden = selected === null;
    models.forEach(({ label, cells, enlargedCanvas, strip }, number) => {
      cells.forEach((cell, index) => cell.setAttribute("aria-pressed", String(index === selected)));
      if (selected === null) return;
      const name = of(sample.names[number][selected], label);
      enlargedCanvas.setAttribute("aria-label", `${capital(name)}, enlarged`);
      strip.show(sheet, number * sample.numVideos + selected, `Frames of ${name}`);
    });
    enlargedText.textContent = [...new Set(sample.names.map((names) => names[selected]))].join(" · ");
    draw();
  }

  function onStatus() {
    status.textContent = model.get("status");
    status.classList.toggle("ldvd-failed", model.get("_failed"));
    clearTimeout(patience);
    const isWaiting = CHOICES.some((name) => model.get(name) !== model.get("_answered")[name]);
    root.setAttribute("aria-busy", String(isWaiting));
    if (!isWaiting) return;
    patience = setTimeout(() => {
      status.textContent = `${model.get("status")} The kernel is still busy, or it is not running.`;
    }, PATIENCE_MS);
  }

  const onFps = () => (fps.value = String(model.get("fps")));

  function onChoices() {
    seed.value = String(model.get("seed"));
    truncation.value = String(model.get("truncation"));
    onTruncationMoved(model.get("truncation"));
    category.value = model.get("category");
    grid.value = model.get("grid");
    categoryField.hidden = model.get("_categories").length < 2 || model.get("grid") === "every class";
    first.value = String(model.get("first"));
    second.value = String(model.get("second"));
    const isWalk = model.get("grid") === "walk";
    firstField.hidden = model.get("grid") === "samples";
    firstField.firstChild.textContent = isWalk ? "from" : "as";
    first.setAttribute("aria-label", isWalk ? "Walk from" : "Same as");
    secondField.hidden = !isWalk;
  }

  function onTruncationMoved(value) {
    truncationText.textContent = value.toFixed(2);
    truncation.setAttribute("aria-valuetext", value.toFixed(2));
  }

  // What the learner does

  function ask(choices, status = "Sampling …") {
    model.set("_failed", false);
    model.set(choices);
    model.set("status", status);
    model.save_changes();
  }

  const askForSeed = (value) => ask({ seed: value }, `Sampling seed ${value} …`);

  /** Another grid. The enlarged sample becomes the one that it begins with or shares a part of, and stays enlarged. */
  function askForGrid() {
    const [selected, before] = [model.get("selected"), model.get("first")];
    const first = selected !== null && model.get("grid") === "samples" ? selected : before;
    const second = first === model.get("second") ? before : model.get("second"); // a walk is to lead somewhere
    following = selected === null ? null : grid.value;
    ask({ grid: grid.value, first, second });
  }

  /** The number in a field, or null (and the field as it was) where it holds none that is allowed. */
  function read(field, restore, isAllowed) {
    const value = field.value === "" ? NaN : Number(field.value);
    if (isAllowed(value) && field.checkValidity()) return value;
    const kind = field === seed ? "a whole number" : "a number";
    status.textContent = `“${field.value}” is not ${kind} from ${field.min} to ${field.max}.`;
    restore();
    return null;
  }

  play.addEventListener("click", () => setPlaying(!model.get("playing")));
  slider.addEventListener("input", () => goTo(Number(slider.value)));
  onCommit(fps, () => {
    const value = read(fps, onFps, Number.isFinite);
    if (value === null) return;
    model.set("fps", value);
    model.save_changes();
  });
  onCommit(seed, () => {
    const value = read(seed, onChoices, Number.isSafeInteger);
    if (value !== null && value !== model.get("seed")) askForSeed(value);
  });
  resample.addEventListener("click", () => askForSeed(model.get("seed") + 1));
  truncation.addEventListener("input", () => onTruncationMoved(Number(truncation.value)));
  truncation.addEventListener("change", () => ask({ truncation: Number(truncation.value) }));
  category.addEventListener("change", () => ask({ category: category.value }));
  grid.addEventListener("change", askForGrid);
  first.addEventListener("change", () => ask({ first: Number(first.value) }));
  second.addEventListener("change", () => ask({ second: Number(second.value) }));
  saveGif.addEventListener("click", () => model.send({ type: "save_gif" }));
  saveMp4.addEventListener("click", () => model.send({ type: "save_mp4" }));
  close.addEventListener("click", () => {
    const cell = models[0].cells[model.get("selected")];
    select(null);
    cell?.focus();
  });

  const stopListening = listen(model, [
    ["change:_sample", onSample],
    ["change:_answered", onStatus],
    ["change:status", onStatus],
    ["change:_failed", onStatus],
    ["change:playing", onPlaying],
    ["change:selected", onSelected],
    ["change:fps", onFps],
    ...CHOICES.map((name) => [`change:${name}`, onChoices]),
  ]);

  category.append(...model.get("_categories").map((name) => element("option", { value: name }, name)));
  const menu = Object.entries(model.get("_grids"));
  grid.append(...menu.map(([value, text]) => element("option", { value }, text)));
  grid.parentElement.hidden = menu.length < 2;
  for (const choice of [first, second]) {
    for (let index = 0; index < model.get("_sample").numDrawn; index++) {
      choice.append(element("option", { value: index }, `video ${index}`));
    }
  }
  enlarged.hidden = true;
  onFps();
  onChoices();
  onStatus();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) setPlaying(false);
  onPlaying();
  onSample();

  return () => {
    cancelAnimationFrame(request);
    clearTimeout(patience);
    decoding += 1;
    sheet?.close();
    stopListening();
  };
}

export default { render };
