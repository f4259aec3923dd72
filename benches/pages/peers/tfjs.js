// @ts-check
/** TensorFlow.js on its WebAssembly backend: a product. Its builds are for classic workers. */

importScripts("runs.js", "../packages/tfjs/tf.min.js", "../packages/tfjs/tf-backend-wasm.min.js");

serve(async ({ n, millis }) => {
  const tf = /** @type {any} */ (globalThis).tf;
  tf.wasm.setWasmPaths(new URL("../packages/tfjs/", location.href).href);
  await tf.setBackend("wasm");
  await tf.ready();
  const [a, b] = [tf.tensor2d(uniform(n * n), [n, n]), tf.tensor2d(uniform(n * n), [n, n])];
  const measured = await timedRuns(async () => {
    const c = tf.matMul(a, b);
    c.dataSync();
    c.dispose();
  }, millis);
  return { ...measured, threads: tf.wasm.getThreadsCount() };
});
