// Runs first, as a classic script, so that a browser that cannot run the page can be told so.
(function () {
  "use strict";

  // A function that returns `i8x16.popcnt(i8x16.splat(0))`: valid only with SIMD.
  var SIMD_MODULE = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253,
    15, 253, 98, 11,
  ];

  function hasSimd() {
    return typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(SIMD_MODULE));
  }

  // A browser that knows module workers reads `type`, which throws before a worker is made.
  function hasModuleWorkers() {
    var known = false;
    try {
      var options = Object.defineProperty({}, "type", {
        get: function () {
          known = true;
          throw new Error("known");
        },
      });
      new Worker("boot.js", options).terminate();
    } catch (error) {
      /* expected where module workers are known */
    }
    return known;
  }

  function whatIsMissing() {
    if (location.protocol === "file:") {
      return "Browsers run this page only from a server. In the project's folder, run: cargo xtask serve";
    }
    if (!hasSimd())
      return "This browser lacks WebAssembly SIMD, which the merge needs. A version from 2023 or later has it.";
    if (!hasModuleWorkers())
      return "This browser lacks module workers, which the merge needs. A version from 2023 or later has them.";
    return "";
  }

  /** @param {string} sentence */
  function show(sentence) {
    var place = document.getElementById("unsupported");
    if (!place) return;
    place.textContent = sentence;
    place.hidden = false;
  }

  if (!self.document) return;
  window.addEventListener(
    "error",
    function (event) {
      if (event.target instanceof HTMLScriptElement) {
        show(
          "A part of the page did not load. Reload the page; if that does not help, its copy on the server is incomplete.",
        );
      }
    },
    true,
  );
  document.addEventListener("DOMContentLoaded", function () {
    var missing = whatIsMissing();
    if (missing) show(missing);
  });
})();
