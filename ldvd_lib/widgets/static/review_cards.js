// The browser's side of ldvd_lib.widgets.ReviewCards. All cards arrive once; what is asked and when it comes back is decided
// here, so that it works without a kernel, too. Python keeps the answers, which it hears of in `_answers`.

/** Random numbers from 0 to 1, always the same for a seed (mulberry32, by T. Ettinger). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled(list, random) {
  const found = [...list];
  for (let last = found.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [found[last], found[other]] = [found[other], found[last]];
  }
  return found;
}

/** Text with `code` between backticks. */
function written(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
const inDays = (count) => (count <= 0 ? "today" : count === 1 ? "tomorrow" : `in ${count} days`);

function render({ model, el }) {
  const cards = model.get("_cards");
  const chapters = new Map(cards.map(({ chapter, heading }) => [chapter, heading]));
  const random = randomFrom(model.get("_seed") ?? Math.floor(Math.random() * 2 ** 32));
  const name = `ldvd-question-${Math.floor(Math.random() * 2 ** 32)}`; // unlike that of another view on the page
  let queue = []; // what is left of the round, the card on screen first
  let answers = []; // of the card on screen, in the order on screen; the flag says which is right
  let chosen = null; // which of them was chosen

  const upto = field(
    "select",
    { "aria-label": "Ask about the chapters up to" },
    ...[...chapters].map(([chapter, heading]) => element("option", { value: chapter }, heading)),
  );
  const choice = labelled("chapters up to", upto);
  choice.hidden = !model.get("_chooses");
  const about = element("p", { class: "ldvd-about" });
  const count = element("p", { class: "ldvd-count" });
  const question = element("p", { class: "ldvd-question", id: name, tabindex: "-1" });
  const list = element("ol", { class: "ldvd-answers", role: "list" });
  const verdict = element("p", { class: "ldvd-verdict", role: "status" });
  const next = element("button", { type: "button", class: "ldvd-button ldvd-primary" }, "Next");
  const terms = element("p", { class: "ldvd-hint" });
  const keys = element("p", { class: "ldvd-hint ldvd-keys" });
  const status = element("p", { class: "ldvd-status" });
  const card = element(
    "div",
    { class: "ldvd-card", role: "group", "aria-labelledby": name },
    element("div", { class: "ldvd-bar" }, about, count),
    question,
    list,
    element("div", { class: "ldvd-bar" }, next, verdict),
    terms,
    keys,
  );
  // The digits are the widget's: JupyterLab would make headings of the cell with them.
  const attributes = { role: "group", "aria-label": "Review cards", "data-lm-suppress-shortcuts": "true", tabindex: "-1" };
  const root = element("div", { class: "ldvd-widget ldvd-review-cards", ...attributes }, choice, card, status);
  el.append(root);

  // What is asked

  const day = () => model.get("_today") || calendarDay(new Date());
  const place = (id) => model.get("_boxes")[id];
  const current = () => cards.find(({ id }) => id === queue[0]);

  /** The cards of the chapters that are asked about. */
  function eligible() {
    const known = [...chapters.keys()];
    const last = known.indexOf(model.get("_upto"));
    return last < 0 ? cards : cards.filter(({ chapter }) => known.indexOf(chapter) <= last);
  }

  const due = () => eligible().filter(({ id }) => isDue(place(id), day()));

  /** A new round: what comes back goes before what is new. */
  function begin() {
    const ids = shuffled(due(), random).map(({ id }) => id);
    const [old, fresh] = [ids.filter(place), ids.filter((id) => !place(id))];
    queue = [...old, ...fresh].slice(0, model.get("_limit"));
    ask();
  }

  function ask() {
    const hadFocus = root.contains(document.activeElement);
    chosen = null;
    answers = current() ? shuffled(current().answers.map((answer, index) => ({ ...answer, isRight: !index })), random) : [];
    draw();
    if (hadFocus) question.focus({ preventScroll: true });
  }

  function choose(index) {
    if (chosen !== null || !answers[index]) return;
    chosen = index;
    const [id, { isRight }] = [queue[0], answers[index]];
    model.set("_boxes", { ...model.get("_boxes"), [id]: answered(place(id), isRight, day()) });
    model.set("_answers", [...model.get("_answers"), [id, isRight, day()]]);
    model.save_changes();
    if (!isRight) queue.push(id);
    draw();
    next.focus({ preventScroll: true });
  }

  function goOn() {
    if (chosen === null) begin();
    else {
      queue.shift();
      ask();
    }
  }

  // Drawing

  function draw() {
    const asked = current();
    about.textContent = asked ? asked.heading : "";
    question.replaceChildren(...(asked ? written(asked.question) : [rest()]));
    list.replaceChildren(...answers.map(drawAnswer));
    const isOver = !asked && due().length > 0;
    next.hidden = chosen === null && !isOver;
    next.textContent = isOver ? "Another round" : "Next";
    verdict.textContent = chosen === null ? "" : judgement();
    terms.textContent = chosen === null ? "" : `In the glossary: ${asked.terms.join(", ")}.`;
    keys.textContent = asked && chosen === null ? `Keys: 1 to ${answers.length} to answer, Enter to go on.` : "";
    const waiting = due().filter(({ id }) => !queue.includes(id)).length;
    const more = waiting ? `, ${waiting} more due` : "";
    count.textContent = asked ? `${counted(queue.length - (chosen !== null), "card")} to go${more}` : "";
    upto.value = model.get("_upto") || [...chapters.keys()].at(-1);
  }

  function drawAnswer(answer, index) {
    const mark = answer.isRight ? "✓" : index === chosen ? "✗" : "";
    const said = [answer.isRight ? "right" : "wrong", ...(index === chosen ? ["your answer"] : [])].join(", ");
    const press = element(
      "button",
      { type: "button", class: "ldvd-answer" },
      element("span", { class: "ldvd-key", "aria-hidden": "true" }, (chosen !== null && mark) || String(index + 1)),
      element("span", {}, ...written(answer.text)),
    );
    press.addEventListener("click", () => choose(index));
    const item = element("li", {}, press);
    if (chosen === null) return item;
    press.setAttribute("aria-disabled", "true");
    press.append(element("span", { class: "ldvd-said" }, ` (${said})`));
    if (mark) item.classList.add(answer.isRight ? "ldvd-right" : "ldvd-wrong");
    item.append(element("p", { class: "ldvd-why" }, ...written(answer.why)));
    return item;
  }

  function judgement() {
    const { isRight } = answers[chosen];
    if (!isRight) return "Not this one. The card comes again in this round.";
    return `Right. The card comes back ${inDays(daysFrom(day(), place(queue[0]).due))}.`;
  }

  /** What is said when nothing is left to ask. */
  function rest() {
    if (!cards.length) return model.get("_nothing");
    if (due().length) return `The round is done. ${counted(due().length, "more card")} ${due().length === 1 ? "is" : "are"} due.`;
    const byDays = new Map();
    for (const { id } of eligible()) {
      const days = daysFrom(day(), place(id).due);
      byDays.set(days, (byDays.get(days) ?? 0) + 1);
    }
    const soonest = [...byDays].sort(([one], [other]) => one - other).slice(0, 3);
    return `Nothing more is due today. Next: ${soonest.map(([days, n]) => `${counted(n, "card")} ${inDays(days)}`).join(", ")}.`;
  }

  // What the learner does

  next.addEventListener("click", goOn);
  upto.addEventListener("change", () => {
    model.set("_upto", upto.value);
    model.save_changes();
    begin();
  });
  root.addEventListener("keydown", (event) => {
    if (event.target === upto || event.ctrlKey || event.altKey || event.metaKey) return;
    if (/^[1-9]$/.test(event.key)) choose(Number(event.key) - 1);
    else if (event.key === "Enter" && event.target.tagName !== "BUTTON" && !next.hidden) goOn();
    else return;
    event.preventDefault();
  });

  function tell() {
    status.textContent = model.get("status");
    status.hidden = !model.get("status");
    status.classList.toggle("ldvd-failed", model.get("_failed"));
  }

  const stopListening = listen(model, [
    ["change:status", tell],
    ["change:_failed", tell],
  ]);
  begin();
  tell();
  return stopListening;
}

export default { render };
