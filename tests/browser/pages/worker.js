// Runs the suite where the product runs its kernels: in a dedicated module worker.

const kernels = new URLSearchParams(location.search).get("kernels");

async function run() {
  const suite = await import(`./${kernels}/gramerge_suite.js`);
  await suite.default();
  const run = kernels === "gpu" ? suite.run_gpu_suite : suite.run_suite;
  return { kernels, cases: JSON.parse(await run()) };
}

run().then(
  (result) => postMessage(result),
  (error) => postMessage({ kernels, failure: String(error?.stack ?? error) }),
);
