async ({ model, side, batch, threads, squares }) => {
  const ort = await import("/runtime/ort/ort.wasm.bundle.min.mjs?bench=" + Math.random());
  ort.env.wasm.numThreads = threads;
  const bytes = new Uint8Array(await (await fetch(model)).arrayBuffer());
  const session = await ort.InferenceSession.create(bytes);
  const chips = new Uint8Array(batch * side * side * 3).map(() => 256 * Math.random());
  const run = () => session.run({ image: new ort.Tensor("uint8", chips, [batch, side, side, 3]) });
  for (let n = 0; n < 5; n++) await run();
  const start = performance.now();
  for (let done = 0; done < squares; done += batch) await run();
  const rate = (1000 * squares) / (performance.now() - start);
  await session.release();
  return rate;
}
