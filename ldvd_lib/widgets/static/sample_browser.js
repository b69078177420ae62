// The browser's side of ldvd_lib.widgets.SampleBrowser. All frames arrive once, as one picture in the trait `_sheet`;
// playing and scrubbing only copy pieces of it onto canvases and never ask the kernel.

const PATIENCE_MS = 5000; // after which a sample that has not come is remarked upon
const ENLARGED_WIDTH = 320; // CSS pixels to which the enlarged video comes near

function render({ model, el }) {
  const play = button("pause", "Pause", "Play or pause all videos", "ldvd-play");
  const slider = field("input", { type: "range", min: "0", value: "0", step: "1", "aria-label": "Frame" });
  const frameText = element("span", { class: "ldvd-count" }); // an <output> would be read out at each frame
  const fps = field("input", { type: "number", min: "1", max: "60", step: "any", "aria-label": "Frames per second" });
  const seed = field("input", { type: "number", min: "0", max: String(Number.MAX_SAFE_INTEGER), step: "1" });
  const resample = button("resample", "Resample", "Sample again with the next seed", "ldvd-primary");
  const save = button("save", "Save GIF", "Write the grid as an animated GIF beside the notebook");
  const cells = element("div", { class: "ldvd-cells", role: "group", "aria-label": "Videos" });
  const enlargedCanvas = element("canvas", { role: "img" });
  const close = button("close", "Close", "Close the enlarged video", "ldvd-close");
  const enlargedText = element("span");
  const caption = element("div", { class: "ldvd-caption" }, enlargedText, close);
  const enlarged = element("div", { class: "ldvd-enlarged" }, enlargedCanvas, caption);
  const status = element("p", { class: "ldvd-status", role: "status" });
  const root = element(
    "div",
    { class: "ldvd-widget ldvd-sample-browser", role: "group", "aria-label": "Sample browser" },
    element("div", { class: "ldvd-bar" }, play, labelled("frame", slider, frameText), labelled("fps", fps)),
    element("div", { class: "ldvd-bar" }, labelled("seed", seed), resample, save),
    element("div", { class: "ldvd-stage" }, cells, enlarged),
    status,
  );
  el.append(root);

  let bitmap = null; // the decoded sheet
  let sample = null; // what lies where on it
  let canvases = [];
  let frame = 0;
  let drawnFrame = -1;
  let request = 0; // of the next animation frame; 0 when the videos stand still
  let frameStart = 0; // when the present frame came on, in milliseconds
  let decoding = 0; // counts the sheets that came, so that a late one does not overtake its successor
  let patience = 0;

  // Drawing

  function paint(canvas, index) {
    const { width, height, numFrames, sheetColumns } = sample;
    const place = index * numFrames + frame;
    const [left, top] = [(place % sheetColumns) * width, Math.floor(place / sheetColumns) * height];
    canvas.getContext("2d").drawImage(bitmap, left, top, width, height, 0, 0, width, height);
  }

  function draw() {
    if (!bitmap) return;
    canvases.forEach(paint);
    const selected = model.get("selected");
    if (selected !== null) paint(enlargedCanvas, selected);
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

  // What the kernel sends

  async function onSample() {
    const described = model.get("_sample");
    const turn = ++decoding;
    const decoded = await createImageBitmap(new Blob([model.get("_sheet")], { type: "image/webp" }));
    if (turn !== decoding) return decoded.close();
    bitmap?.close();
    bitmap = decoded;
    sample = described;
    frame = Math.min(frame, sample.numFrames - 1);
    drawnFrame = -1;
    slider.max = String(sample.numFrames - 1);
    frameText.style.minWidth = `${String(sample.numFrames - 1).length * 2 + 3}ch`;
    layOut();
    root.dataset.seed = String(sample.seed);
  }

  function layOut() {
    const { width, height, numVideos } = sample;
    const { columns, scale } = model.get("_layout");
    if (canvases.length !== numVideos || canvases[0].width !== width || canvases[0].height !== height) {
      canvases = Array.from({ length: numVideos }, () => element("canvas", { width, height }));
      cells.replaceChildren(
        ...canvases.map((canvas, index) => {
          const cell = element("button", { type: "button", class: "ldvd-cell", "aria-label": `Video ${index}` }, canvas);
          cell.title = `Video ${index}: click to enlarge`;
          cell.addEventListener("click", () => select(model.get("selected") === index ? null : index));
          return cell;
        }),
      );
    }
    cells.style.gridTemplateColumns = `repeat(${columns}, minmax(0, ${width * scale}px))`;
    enlargedCanvas.width = width;
    enlargedCanvas.height = height;
    enlargedCanvas.style.width = `${width * Math.max(1, Math.round(ENLARGED_WIDTH / width))}px`;
    onSelected();
  }

  function select(index) {
    model.set("selected", index);
    model.save_changes();
  }

  function onSelected() {
    const selected = model.get("selected");
    [...cells.children].forEach((cell, index) => cell.setAttribute("aria-pressed", String(index === selected)));
    enlarged.hidden = selected === null;
    enlargedText.textContent = `video ${selected}`;
    enlargedCanvas.setAttribute("aria-label", `Video ${selected}, enlarged`);
    draw();
  }

  function onStatus() {
    status.textContent = model.get("status");
    status.classList.toggle("ldvd-failed", model.get("_failed"));
    clearTimeout(patience);
    const isWaiting = model.get("seed") !== model.get("_sample").seed && !model.get("_failed");
    root.setAttribute("aria-busy", String(isWaiting));
    if (!isWaiting) return;
    patience = setTimeout(() => {
      status.textContent = `${model.get("status")} The kernel is still busy, or it is not running.`;
    }, PATIENCE_MS);
  }

  const onFps = () => (fps.value = String(model.get("fps")));
  const onSeed = () => (seed.value = String(model.get("seed")));

  // What the learner does

  function askForSeed(value) {
    model.set("_failed", false);
    model.set("seed", value);
    model.set("status", `Sampling seed ${value} …`);
    model.save_changes();
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
  slider.addEventListener("input", () => {
    if (model.get("playing")) setPlaying(false);
    frame = Number(slider.value);
    draw();
  });
  onCommit(fps, () => {
    const value = read(fps, onFps, Number.isFinite);
    if (value === null) return;
    model.set("fps", value);
    model.save_changes();
  });
  onCommit(seed, () => {
    const value = read(seed, onSeed, Number.isSafeInteger);
    if (value !== null && value !== model.get("seed")) askForSeed(value);
  });
  resample.addEventListener("click", () => askForSeed(model.get("seed") + 1));
  save.addEventListener("click", () => model.send({ type: "save_gif" }));
  close.addEventListener("click", () => {
    const cell = cells.children[model.get("selected")];
    select(null);
    cell?.focus();
  });

  const stopListening = listen(model, [
    ["change:_sample", onSample],
    ["change:_sample", onStatus],
    ["change:status", onStatus],
    ["change:_failed", onStatus],
    ["change:playing", onPlaying],
    ["change:selected", onSelected],
    ["change:fps", onFps],
    ["change:seed", onSeed],
  ]);

  enlarged.hidden = true;
  onFps();
  onSeed();
  onStatus();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) setPlaying(false);
  onPlaying();
  onSample();

  return () => {
    cancelAnimationFrame(request);
    clearTimeout(patience);
    decoding += 1;
    bitmap?.close();
    stopListening();
  };
}

export default { render };
