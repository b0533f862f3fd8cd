// Brings the book's widgets to life on a page without a kernel.
// labs/widgets/static_page.py writes the boxes: a note, and one JSON script with the widget's state and its module,
// or with the name of a file of the site that has the module: tools/widget_library.py writes it.
(() => {
  const modules = new Map(); // source -> promise: two widgets of one kind share their module and their style
  const libraries = new Map(), ours = document.currentScript.src;

  // As a classic script, since a page from disk may neither import nor fetch a file.
  function fetchLibrary(name) {
    if (!libraries.has(name)) libraries.set(name, new Promise((found, failed) => {
      const script = document.createElement("script");
      script.src = new URL(`widget-${name}.js`, ours);
      script.onload = () => found(window.labsWidgets[name]);
      script.onerror = () => failed(new Error(`${script.src} could not be loaded`));
      document.head.append(script);
    }));
    return libraries.get(name);
  }

  async function load({ library, ...content }) {
    const { module, css } = library ? await fetchLibrary(library) : content;
    if (!modules.has(module)) {
      // A Blob address works over file:// too, where the import of a file would be refused.
      const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
      modules.set(module, import(url).finally(() => URL.revokeObjectURL(url)));
      const style = document.createElement("style");
      style.textContent = css;
      document.head.append(style);
    }
    return modules.get(module);
  }

  // The part of anywidget's model that a widget may use; isStatic tells it that nobody answers.
  function makeModel(state) {
    const listeners = {};
    const fire = (event) => (listeners[event] || []).slice().forEach((listener) => listener());
    return {
      isStatic: true,
      get: (name) => state[name],
      set(name, value) {
        if (state[name] === value) return;
        state[name] = value;
        fire(`change:${name}`);
        fire("change");
      },
      save_changes: () => fire("saved"),
      on: (events, listener) => events.split(" ").forEach((event) => (listeners[event] ||= []).push(listener)),
      off(events, listener) {
        for (const event of events ? events.split(" ") : Object.keys(listeners))
          listeners[event] = listener ? (listeners[event] || []).filter((known) => known !== listener) : [];
      },
      send: () => {},
    };
  }

  // The fragment holds states like "#ward=ReLU,torch,10,2,5.17&ward2=..."; anything else is a normal anchor.
  const readFragment = () => {
    const parts = location.hash.slice(1).split("&").filter((part) => part.includes("="));
    return new Map(parts.map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]));
  };

  function keepInAddress(model, name, traits) {
    const read = () => {
      const text = readFragment().get(name);
      if (!text) return;
      text.split(",").slice(0, traits.length).forEach((word, i) => {
        const number = typeof model.get(traits[i]) === "number";
        try { word = decodeURIComponent(word); } catch { return; }
        if (!number || /^-?\d+(\.\d+)?$/.test(word)) model.set(traits[i], number ? Number(word) : word);
      });
    };
    let timer;
    const write = () => {
      clearTimeout(timer); // browsers allow few changes of the address in a short time: wait for the hand to rest
      timer = setTimeout(() => {
        const words = readFragment();
        words.set(name, traits.map((trait) => encodeURIComponent(model.get(trait))).join(","));
        const fragment = [...words].map(([key, value]) => `${key}=${value}`).join("&");
        try { history.replaceState(history.state, "", `#${fragment}`); } catch { /* the widget works without */ }
      }, 200);
    };
    read();
    addEventListener("hashchange", read);
    model.on("saved", write);
  }

  const used = new Map();
  async function mount(box) {
    const note = box.querySelector(".labs-widget-note");
    try {
      const content = JSON.parse(box.querySelector("script").textContent);
      const [name, ...traits] = content.address;
      const nth = (used.get(name) || 0) + 1;
      used.set(name, nth);
      const { default: found } = await load(content);
      const widget = typeof found === "function" ? await found() : found;
      const model = makeModel(content.state), el = document.createElement("div");
      if (name) keepInAddress(model, nth > 1 ? name + nth : name, traits);
      box.append(el);
      await widget.initialize?.({ model });
      await widget.render({ model, el });
      note.remove();
      box.dataset.mounted = "yes";
    } catch (error) {
      note.textContent = "This interactive figure could not start here; the still figure beside it makes the same point.";
      note.setAttribute("role", "alert");
      box.dataset.mounted = "no";
      console.warn("labs widget:", error);
    }
  }

  const start = () => document.querySelectorAll(".labs-widget:not([data-mounted])").forEach(mount);
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();
})();
