// The start screen: what must be said before Python is up. Python removes it when the page is ready.
"use strict";
(() => {
  const PARTS = [
    ["Python", /runtime\/(pyodide\/(pyodide|python)|pyscript)/],
    ["numpy and Pillow", /\.whl$/],
    ["map", /runtime\/leaflet|imagery\/sample/],
    ["onnxruntime", /runtime\/ort/],
    ["model", /^models\//],
    ["application", /^(app\.zip|main\.py|index\.html|style\.css)/],
  ];
  const PATIENCE_MS = 60000; // from the last byte until Python should be up
  let patience;
  const megabytes = (n) => (n / 1e6).toFixed(1);
  const $ = (id) => document.getElementById(id);
  const sizes = fetch("files.json").then((r) => r.json());
  const here = new URL(".", location.href).href;
  const arrived = new Set();
  const isWaitedFor = ({ part }) => ["python", "packages", "answer"].includes(part);

  // On a first visit all is asked for early, what is needed first first; later the device has it.
  // The next part is asked for while the last bytes of one arrive: soon Python blocks this thread.
  async function fetchAhead() {
    if (navigator.serviceWorker?.controller) return;
    const files = await sizes;
    for (const [part, priority] of [["python", "high"], ["packages", "high"], ["answer", "low"]]) {
      const wanted = Object.entries(files).filter(([, file]) => file.part === part);
      let left = 0.9 * wanted.reduce((sum, [, { size }]) => sum + size, 0);
      await new Promise((next, failed) => wanted.forEach(async ([path]) => {
        try {
          const reader = (await fetch(path, { priority })).body.getReader();
          for (let got; !(got = await reader.read()).done;) if ((left -= got.value.length) < 0) next();
        } catch (error) {
          failed(error);
        }
      }));
    }
  }
  fetchAhead().catch(() => {}); // the one who needs the file tells

  async function show() {
    const files = await sizes;
    // Its last element: the list of files may arrive while the page is still being parsed.
    if (!$("start-bytes") || $("start").classList.contains("failed")) return;
    let had = 0, all = 0;
    const rows = PARTS.map(([name, pattern]) => {
      const wanted = Object.entries(files).filter(([path, file]) => isWaitedFor(file) && pattern.test(path));
      const total = wanted.reduce((sum, [, file]) => sum + file.size, 0);
      const done = wanted.reduce((sum, [path, file]) => sum + (arrived.has(path) ? file.size : 0), 0);
      had += done;
      all += total;
      return { name, total, done };
    }).filter((row) => row.total);
    $("start-bar").value = all ? had / all : 0;
    const next = rows.find((row) => row.done < row.total);
    if (!next) patience ??= setTimeout(() => fail("Lookdown does not start: the device may be short of memory. Close other tabs and reload the page."), PATIENCE_MS);
    $("start-what").textContent = next ? `Loading ${next.name}` : "Starting";
    $("start-bytes").textContent = `${megabytes(had)} of ${megabytes(all)} MB`;
    $("start-parts").replaceChildren(...rows.map((row) => {
      const item = document.createElement("li");
      item.className = row.done >= row.total ? "done" : "";
      item.textContent = `${row.name} ${megabytes(row.total)} MB`;
      return item;
    }));
  }

  const watch = new PerformanceObserver((list) => {
    for (const { name, responseStatus } of list.getEntries()) {
      if (!name.startsWith(here)) continue;
      if (responseStatus >= 400) broken();
      arrived.add(name.slice(here.length).split("?")[0]);
    }
    show();
  });
  watch.observe({ type: "resource", buffered: true });

  // PyScript opens IndexedDB at its start, with nothing in it here, and does not start where a browser
  // refuses that: it gets an empty one until Python is up.
  const database = Object.getOwnPropertyDescriptor(window, "indexedDB");
  const request = (result) => {
    const asked = { result };
    queueMicrotask(() => asked.onsuccess({ target: asked }));
    return asked;
  };
  const store = new Proxy({}, { get: () => () => request([]) });
  const open = () => request({ transaction: () => ({ objectStore: () => store }), close() {} });
  if (database) Object.defineProperty(window, "indexedDB", { configurable: true, value: { open } });

  // PyScript reports what goes wrong in Python as an element of the page; Python takes #start away.
  const mishaps = new MutationObserver(() => {
    if (document.querySelector(".py-error")) broken();
    if (document.readyState === "loading" || $("start")) return;
    mishaps.disconnect();
    if (database) Object.defineProperty(window, "indexedDB", database);
  });

  function fail(sentence) {
    watch.disconnect();
    // Python may come up all the same, where what failed was none of its parts.
    if (!$("start") || $("start").classList.contains("failed")) return;
    $("start").classList.add("failed");
    $("start-what").textContent = sentence;
  }
  addEventListener("DOMContentLoaded", () => {
    show().catch(() => fail("Lookdown could not be loaded: its list of files did not arrive. Check the connection and reload the page."));
    if (typeof WebAssembly !== "object") {
      fail("This browser has no WebAssembly, which Lookdown runs on. Open it in a current Chrome, Edge, Firefox or Safari.");
    }
  });
  // Until Python is up, any error means that a part did not arrive, or only in part.
  const broken = () => fail("Lookdown could not start: a part did not arrive or is damaged. Check the connection and reload the page.");
  addEventListener("error", broken, true);
  // PyScript asks for storage that it can do without: a refusal is a DOMException.
  addEventListener("unhandledrejection", ({ reason }) => reason instanceof DOMException || broken());
  mishaps.observe(document.documentElement, { childList: true, subtree: true });
})();
