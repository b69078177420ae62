// The frames of one video beside each other.

const [NARROW, WIDEST] = [48, 64]; // CSS pixels: frames are enlarged up to the one, and reduced from the other on
const [PER_ROW, GAP] = [8, 3]; // frames in a row, where there is room, and CSS pixels between them

/** A click on a frame, or the arrow keys, go to it; `goTo` is called with its number. */
function filmStrip(goTo) {
  const node = element("div", { class: "ldvd-strip", role: "group" });
  let frames = [];
  let marked = -1;

  function onKey(event) {
    const last = frames.length - 1;
    const next = { ArrowLeft: marked - 1, ArrowRight: marked + 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    goTo(Math.min(Math.max(next, 0), last));
    frames[marked].focus();
  }

  /** Show a video of a sheet. */
  function show(sheet, video, name) {
    node.setAttribute("aria-label", name);
    node.style.gap = `${GAP}px`;
    if (frames.length !== sheet.numFrames) {
      frames = Array.from({ length: sheet.numFrames }, (_, frame) => {
        const attributes = { type: "button", class: "ldvd-still", "aria-label": `Frame ${frame}`, tabindex: "-1" };
        const still = field("button", { ...attributes, title: `Frame ${frame}` }, element("canvas"));
        still.addEventListener("click", () => goTo(frame));
        still.addEventListener("keydown", onKey);
        return still;
      });
      node.replaceChildren(...frames);
      marked = -1;
    }
    const width = Math.min(WIDEST, sheet.width * Math.max(1, Math.floor(NARROW / sheet.width)));
    frames.forEach(({ firstChild: canvas }, frame) => {
      sheet.paint(canvas, video, frame);
      canvas.style.width = `${width}px`;
    });
    node.style.maxWidth = `${PER_ROW * (width + GAP) - GAP}px`;
  }

  /** Outline the frame that is on screen; it alone can be reached with the Tab key. */
  function mark(frame) {
    if (frame === marked || !frames[frame]) return;
    if (marked >= 0) {
      frames[marked].removeAttribute("aria-current");
      frames[marked].tabIndex = -1;
    }
    marked = frame;
    frames[marked].setAttribute("aria-current", "true");
    frames[marked].tabIndex = 0;
  }

  return { node, show, mark };
}
