// The same job without Python: tiles to chip on a canvas, the same model, the label as text.
// Tiles are kept as decoded bitmaps, as the page keeps them decoded. Evaluates to a function.
(async ({ tiles, box, side, labels, model, threads }) => {
  const ort = await import("./runtime/ort/ort.wasm.bundle.min.mjs");
  ort.env.wasm.numThreads = threads;
  const bytes = new Uint8Array(await (await fetch(model)).arrayBuffer());
  const session = await ort.InferenceSession.create(bytes);
  const bitmaps = await Promise.all(
    tiles.map(async ({ url }) => createImageBitmap(await (await fetch(url)).blob())),
  );
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const text = document.createElement("p");
  const scale = side / box.width;
  window.plainLoop = async () => {
    const start = performance.now();
    tiles.forEach(({ left, top }, i) =>
      context.drawImage(bitmaps[i], (left - box.left) * scale, (top - box.top) * scale,
        256 * scale, 256 * scale));
    const rgba = context.getImageData(0, 0, side, side).data;
    const rgb = new Uint8Array(side * side * 3);
    for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
      rgb[to] = rgba[from];
      rgb[to + 1] = rgba[from + 1];
      rgb[to + 2] = rgba[from + 2];
    }
    const ready = performance.now();
    const { probability } = await session.run({
      image: new ort.Tensor("uint8", rgb, [1, side, side, 3]),
    });
    const inferred = performance.now();
    const best = [...probability.data.entries()].sort((a, b) => b[1] - a[1]).slice(0, 5);
    text.textContent = best.map(([i, p]) => `${labels[i]} ${(100 * p).toFixed(0)} %`).join(", ");
    const end = performance.now();
    return { total: end - start, prepare: ready - start, infer: inferred - ready, show: end - inferred };
  };
})
