// One network in several runtimes, each on one thread and in a frame of its own, which its address
// names: runtime.html?litert. `ready` is the promise of a function from a chip, bytes of shape
// (S, S, 3), to the probabilities.
const [name, side] = location.search.slice(1).split("&");
const shape = [1, Number(side), Number(side), 3];

async function onnxruntime() {
  const ort = await import("./ort/ort.wasm.min.mjs");
  ort.env.wasm.numThreads = 1;
  const file = await (await fetch("model.onnx")).arrayBuffer();
  const session = await ort.InferenceSession.create(new Uint8Array(file));
  return async chip => {
    const image = new ort.Tensor("uint8", chip, shape);
    return (await session.run({ image })).probability.data.slice();
  };
}

async function litert(file) {
  const { Tensor, loadAndCompile, loadLiteRt } = await import("./litert/core/dist/index.js");
  await loadLiteRt(`litert/core/wasm/${file}`);
  const cpuOptions = { numThreads: 1 };
  const model = await loadAndCompile("model.tflite", { accelerator: "wasm", cpuOptions });
  return async chip => {
    const image = new Tensor(chip, shape);
    const said = await model.run({ image });
    const found = said.probability.toTypedArray().slice();
    for (const each of [image, ...Object.values(said)]) each.delete();
    return found;
  };
}

async function tensorflow() {
  tf.wasm.setWasmPaths("tensorflow/tfjs-backend-wasm/dist/");
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await tf.setBackend("wasm");
  const model = await tf.loadGraphModel("tfjs/model.json");
  const { probability, ...others } = model.modelSignature.outputs;
  const names = [probability, ...Object.values(others)].map(each => each.name);
  return async chip => {
    const image = tf.tensor(chip, shape, "int32");
    const said = model.execute(image, names);
    const found = said[0].dataSync().slice();
    tf.dispose([image, ...said]);
    return found;
  };
}

window.ready = {
  onnxruntime,
  litert: () => litert("litert_wasm_internal.js"),
  compat: () => litert("litert_wasm_compat_internal.js"),
  tensorflow,
}[name]();

window.answers = async chips => {
  const answer = await ready, found = [];
  for (const chip of chips) found.push([...(await answer(Uint8Array.from(chip)))]);
  return found;
};

// Milliseconds of a chip, the median and the least of `count` one after another.
window.time = async count => {
  const answer = await ready, taken = [];
  const chip = new Uint8Array(3 * side * side).map((_, i) => (i * 7919) % 251);
  for (let n = 0; n < count; n++) {
    const start = performance.now();
    await answer(chip);
    taken.push(performance.now() - start);
  }
  taken.sort((a, b) => a - b);
  return [taken[count >> 1], taken[0]];
};
