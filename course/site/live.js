// Brings widgets to life on pages that no kernel stands behind. conf.py puts a place behind the picture of a widget:
//
//     <div class="ldvd-live" data-widget="Name"><script type="application/json">{"trait": value, ...}</script></div>
//
// and its script and style into live/ beside this file. When a place comes near the screen, the widget is drawn there on a
// model that stands in for the kernel's, and takes the place of the picture, which else stays. Traits that a place names in
// `data-keeps` are kept in the browser from visit to visit.
(() => {
  const directory = new URL("live/", document.currentScript.src);
  const scripts = new Map(); // name → a promise of what the widget's script exports
  window.ldvdWidgets = {}; // name → what the widget's script exports: modules cannot be read from a disk

  /** What this browser keeps of a widget: some of its traits, under a name of its own. It may be told to keep nothing. */
  function memory(name, traits) {
    const key = `ldvd-course ${name}`;
    return {
      read() {
        try {
          const kept = Object.entries(JSON.parse(localStorage.getItem(key)) ?? {});
          return Object.fromEntries(kept.filter(([trait]) => traits.includes(trait)));
        } catch {
          return {};
        }
      },
      write(values) {
        localStorage.setItem(key, JSON.stringify(Object.fromEntries(traits.map((trait) => [trait, values[trait]]))));
      },
    };
  }

  /** What a widget asks of an anywidget's model, without a kernel: values, and who listens to them. */
  function standIn(state, kept) {
    const values = { ...state, ...kept?.read() };
    const listeners = new Map();
    const of = (event) => listeners.get(event) ?? listeners.set(event, new Set()).get(event);
    return {
      get: (name) => values[name],
      set(name, value) {
        if (values[name] === value) return;
        values[name] = value;
        for (const listener of [...of(`change:${name}`), ...of("change")]) listener();
      },
      on: (event, listener) => of(event).add(listener),
      off: (event, listener) => of(event).delete(listener),
      save_changes() {
        try {
          kept?.write(values);
        } catch {
          this.set("status", "This browser keeps nothing of this page: when you leave it, all is as it was.");
        }
      },
      send() {},
    };
  }

  /** Add an element that fetches something, and wait for it. */
  const fetched = (tag, attributes) =>
    new Promise((resolve, reject) => {
      const node = Object.assign(document.createElement(tag), attributes, { onload: resolve, onerror: reject });
      document.head.append(node);
    });

  function load(name) {
    if (!scripts.has(name)) {
      const both = [
        fetched("link", { rel: "stylesheet", href: new URL(`${name}.css`, directory).href }),
        fetched("script", { src: new URL(`${name}.js`, directory).href }),
      ];
      scripts.set(
        name,
        Promise.all(both).then(() => window.ldvdWidgets[name]),
      );
    }
    return scripts.get(name);
  }

  async function enliven(place) {
    const { widget: name, keeps } = place.dataset;
    const kept = keeps && memory(name, keeps.split(" "));
    const model = standIn(JSON.parse(place.querySelector("script").textContent), kept);
    const widget = await load(name);
    const output = place.closest(".output");
    for (const other of output?.parentElement.children ?? []) if (other !== output) other.style.display = "none";
    await widget.render({ model, el: place });
  }

  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        enliven(target);
      }
    },
    { rootMargin: "600px" },
  );
  for (const place of document.querySelectorAll(".ldvd-live")) near.observe(place);
})();
