// The browser's side of ldvd_lib.widgets.TrainingMonitor. Buttons are messages to the kernel; rows of numbers come as
// messages too, and are added to the trait `_series`, which holds all of them for a page that opens later.

const PATIENCE_MS = 3000; // after which a button that was not heard is remarked upon
const LOSS_STYLES = 7; // in training_monitor.css

/** A duration in words. */
function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const of = (count, unit) => `${count} ${unit}${count === 1 ? "" : "s"}`;
  if (whole < 60) return of(whole, "second");
  if (whole < 600) return `${of(Math.floor(whole / 60), "minute")}${whole % 60 ? ` ${of(whole % 60, "second")}` : ""}`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return of(minutes, "minute");
  return `${of(Math.floor(minutes / 60), "hour")}${minutes % 60 ? ` ${of(minutes % 60, "minute")}` : ""}`;
}

/** Once for a model, however many views it has. */
function initialize({ model }) {
  const onMessage = (message) => {
    if (message.type !== "rows") return;
    const all = { ...model.get("_series") };
    for (const [key, { first, names, rows }] of Object.entries(message.series)) {
      const known = all[key].rows;
      if (first > known.length) return model.send({ type: "all" });
      all[key] = { names, rows: [...known.slice(0, first), ...rows] };
    }
    model.set("_series", all); // here alone: the kernel has them
  };
  model.on("msg:custom", onMessage);
  return () => model.off("msg:custom", onMessage);
}

function render({ model, el }) {
  const go = button("play", "Start", "", "ldvd-primary ldvd-play");
  const stop = button("stop", "Stop", "End the run after this step, with a checkpoint");
  const steps = field("input", { type: "number", min: "1", step: "1" });
  const bar = element("progress", { "aria-label": "Steps done" });
  const counted = element("strong", { class: "ldvd-count" });
  const timed = element("span", { class: "ldvd-time" });
  const losses = makeLineChart({
    title: "Losses",
    scale: "linear",
    look: (_, index) => `ldvd-series-${index % LOSS_STYLES}`,
    isHidden: (name) => name.endsWith("score"),
  });
  const eigenvalues = makeLineChart({
    title: "Leading eigenvalues",
    scale: "symlog",
    look: (name, index) => `ldvd-${name.endsWith("⁺") ? "positive" : "negative"} ldvd-spectrum-${index >> 1}`,
  });
  const picture = element("img", { class: "ldvd-samples" });
  const still = element("canvas", { class: "ldvd-samples", role: "img" });
  const move = button("pause", "Hold still", "Play the samples, or show their first frame");
  const sampled = element("figcaption", { class: "ldvd-readout" });
  const samples = element("figure", { class: "ldvd-grid-of-samples" });
  samples.append(element("div", { class: "ldvd-title" }, "Samples"), picture, still, move, sampled);
  const figures = element("div", { class: "ldvd-figures" }, losses.figure, eigenvalues.figure, samples);
  const status = element("p", { class: "ldvd-status", role: "status" });
  const root = element(
    "div",
    { class: "ldvd-widget ldvd-training-monitor", role: "group", "aria-label": "Training monitor" },
    element("div", { class: "ldvd-bar" }, go, stop, labelled("until step", steps)),
    element("div", { class: "ldvd-bar" }, bar, counted, timed),
    status,
    figures,
  );
  el.append(root);
  let patience = 0; // a timer while a button has not been heard
  let isMoving = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  let url = "";
  const asText = (number) => number.toLocaleString("en");

  function onState() {
    const state = model.get("state");
    const [step, last] = [model.get("step"), model.get("steps")];
    const isRunning = state === "running";
    const isWaiting = patience !== 0;
    const label = isRunning || state === "stopping" ? "Pause" : step ? "Resume" : "Start";
    if (go.textContent !== label) relabel(go, label === "Pause" ? "pause" : "play", label);
    go.title = isRunning ? "Hold after this step, with a checkpoint" : "Train in the background";
    go.disabled = isWaiting || state === "stopping" || state === "failed" || (!isRunning && step >= last);
    stop.disabled = isWaiting || !["running", "paused"].includes(state);
    steps.disabled = isWaiting || isRunning || state === "stopping" || state === "failed";
    bar.max = last;
    bar.value = Math.min(step, last);
    counted.textContent = `step ${asText(step)} of ${asText(last)}`;
    const [rate, eta, seconds] = ["rate", "eta", "seconds"].map((name) => model.get(name));
    const parts = [];
    if (rate !== null && isRunning) {
      parts.push(rate >= 1 ? `${say(rate, 2)} steps a second` : `${say(1 / rate, 2)} seconds a step`);
    }
    if (seconds) parts.push(`${duration(seconds)} of training`);
    if (eta !== null && isRunning) parts.push(`about ${duration(eta)} left`);
    timed.textContent = parts.join(" · ");
    root.dataset.state = state;
    root.dataset.step = String(step);
  }

  const onSteps = () => (steps.value = String(model.get("steps")));

  function onStatus() {
    status.textContent = model.get("status");
    status.classList.toggle("ldvd-failed", model.get("_failed"));
  }

  function onSeries() {
    const series = model.get("_series");
    const every = model.get("_every");
    for (const [key, chart, what] of [
      ["losses", losses, "losses"],
      ["eigenvalues", eigenvalues, "eigenvalues"],
    ]) {
      chart.figure.hidden = every[key] === null && !series[key].rows.length;
      chart.draw({ ...series[key], placeholder: `The first ${what} come at step ${asText(every[key] ?? 0)}.` });
    }
  }

  async function onSamples() {
    const bytes = model.get("_samples");
    const every = model.get("_every").samples;
    samples.hidden = every === null && !bytes.byteLength;
    for (const part of [picture, still, move]) part.hidden = true;
    if (!bytes.byteLength) {
      sampled.textContent = `The first samples come at step ${asText(every ?? 0)}.`;
      return;
    }
    const blob = new Blob([bytes], { type: "image/gif" });
    const name = `Samples of step ${asText(model.get("_sampled_step"))}`;
    URL.revokeObjectURL(url);
    url = URL.createObjectURL(blob);
    picture.src = url;
    picture.alt = name;
    sampled.textContent = `${name}, of the same latents each time`;
    const first = await createImageBitmap(blob);
    [still.width, still.height] = [first.width, first.height];
    still.getContext("2d").drawImage(first, 0, 0);
    still.setAttribute("aria-label", `${name}, first frame`);
    first.close();
    onMotion();
  }

  function onMotion() {
    picture.hidden = !isMoving;
    still.hidden = isMoving;
    move.hidden = false;
    relabel(move, isMoving ? "pause" : "play", isMoving ? "Hold still" : "Play");
  }

  // What the learner does

  function ask(message) {
    clearTimeout(patience);
    patience = setTimeout(() => {
      status.textContent = "The kernel has not answered yet: it is busy with a cell, or not running.";
    }, PATIENCE_MS);
    model.send(message);
    onState();
  }

  function onMessage(message) {
    if (message.type !== "heard") return;
    clearTimeout(patience);
    patience = 0;
    onStatus();
    onState();
  }

  go.addEventListener("click", () => ask({ type: model.get("state") === "running" ? "pause" : "start" }));
  stop.addEventListener("click", () => ask({ type: "stop" }));
  onCommit(steps, () => {
    const value = Number(steps.value);
    if (value === model.get("steps")) return;
    if (steps.value !== "" && Number.isSafeInteger(value) && steps.checkValidity()) ask({ type: "steps", steps: value });
    else {
      status.textContent = `“${steps.value}” is not a whole number from 1 on.`;
      onSteps();
    }
  });
  move.addEventListener("click", () => {
    isMoving = !isMoving;
    onMotion();
  });

  const stopListening = listen(model, [
    ...["state", "step", "steps", "seconds", "rate", "eta"].map((name) => [`change:${name}`, onState]),
    ["change:steps", onSteps],
    ["change:status", onStatus],
    ["change:_failed", onStatus],
    ["change:_series", onSeries],
    ["change:_samples", onSamples],
    ["msg:custom", onMessage],
  ]);
  const resized = new ResizeObserver(onSeries);
  resized.observe(figures);
  onSteps();
  onState();
  onStatus();
  onSeries();
  onSamples();

  return () => {
    clearTimeout(patience);
    URL.revokeObjectURL(url);
    resized.disconnect();
    stopListening();
  };
}

export default { initialize, render };
