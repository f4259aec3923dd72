// Starts the worker and shows what it says: `window.result` for the test, text for a person.

const kernels = new URLSearchParams(location.search).get("kernels") ?? "simd128";
const worker = new Worker(`worker.js?kernels=${kernels}`, { type: "module" });

function finish(result) {
  window.result = result;
  document.getElementById("out").textContent = JSON.stringify(result, null, 2);
}

worker.onmessage = ({ data }) => finish(data);
worker.onerror = (event) => finish({ failure: event.message || "the worker did not start" });
