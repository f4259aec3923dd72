//! Faults of a graphics card where a page meets them: planted in the browser's own WebGPU, in the worker
//! that holds the card. The merge goes on to the same accuracy, and the report says what happened.

use gramerge_browser_tests::Session;
use serde_json::Value;

use crate::gpu::{on_processor, solves};
use crate::pages::Copy;
use crate::sample::merge_sample;

const COMPUTE: &str = "worker/compute.js";
const START: &str = "let engine;";

/// What faults are made of. `begun` counts the tasks that the worker was given: before the first, a
/// card is opened and tried out.
const TOOLS: &str = "let begun = 0;
addEventListener('message', ({ data }) => (begun += data.type === 'task'));
const devices = [];
const change = (Class, name, make) => (Class.prototype[name] = make(Class.prototype[name]));
if (self.GPUAdapter)
  change(GPUAdapter, 'requestDevice', (request) => async function (...all) {
    const device = await request.apply(this, all);
    devices.push(device);
    return device;
  });
";

/// The page with this fault in its computing workers.
fn faulty(fault: &str) -> (Session, Copy) {
    let copy = Copy::new();
    copy.change(COMPUTE, START, &format!("{TOOLS}{fault}\n{START}"));
    copy.publish(COMPUTE, "faulty");
    let mut page = Session::serving(copy.folder());
    page.open("?device=gpu#precision=fast");
    (page, copy)
}

/// The reports of all solves of the sample, merged with that fault, which must come out right.
fn merged(fault: &str) -> Vec<Value> {
    let (mut page, _served) = faulty(fault);
    merge_sample(&mut page);
    let solves = solves(&mut page);
    assert_eq!(solves.len(), 3, "{solves:#?}");
    let good = |solve: &Value| solve["error_estimate"].as_f64().is_some_and(|error| error < 1e-5);
    assert!(solves.iter().all(good), "{solves:#?}");
    solves
}

fn told(solve: &Value, words: &str) -> bool {
    solve["fault"].as_str().is_some_and(|fault| fault.contains(words))
}

/// A device is destroyed at its so-manieth submission; only so many of them are.
fn loss(at: usize, devices: usize) -> String {
    format!(
        "const counts = new Map();
        change(GPUQueue, 'submit', (submit) => function (work) {{
          const device = devices.find(({{ queue }}) => queue === this);
          const count = begun ? (counts.get(device) ?? 0) + 1 : 0;
          counts.set(device, count);
          if (count === {at} && devices.indexOf(device) < {devices}) device.destroy();
          return submit.call(this, work);
        }});"
    )
}

/// Early and late in a layer.
#[test]
fn a_lost_card_is_replaced() {
    for at in [1, 9] {
        let solves = merged(&loss(at, 1));
        assert!(!solves.iter().any(on_processor), "submission {at}: {solves:#?}");
        assert!(solves.iter().any(|solve| told(solve, "was lost")), "submission {at}: {solves:#?}");
    }
}

#[test]
fn after_two_lost_cards_the_processor_solves() {
    let solves = merged(&loss(5, 2));
    assert!(solves.iter().any(|solve| told(solve, "solved again by wasm")), "{solves:#?}");
    assert!(solves.iter().any(on_processor), "{solves:#?}");
}

/// What was asked of a lost card may never be answered.
#[test]
fn a_lost_card_that_answers_no_more_is_replaced() {
    let silent = "change(GPUBuffer, 'mapAsync', (map) => function (...all) {
      if (!begun || devices.length > 1) return map.apply(this, all);
      devices[0].destroy();
      return new Promise(() => {});
    });";
    let solves = merged(silent);
    assert!(solves.iter().any(|solve| told(solve, "was lost")), "{solves:#?}");
    assert!(!solves.iter().any(on_processor), "{solves:#?}");
}

/// The first so many cards answer no more, and are not lost either; who waits for them has short timers.
fn silence(devices: usize) -> String {
    format!(
        "let silent = false;
        const timeout = self.setTimeout;
        self.setTimeout = (run, millis) => timeout(run, silent ? 0 : millis);
        change(GPU, 'requestAdapter', (request) => function (...all) {{
          silent = false;
          return request.apply(this, all);
        }});
        change(GPUBuffer, 'mapAsync', (map) => function (...all) {{
          silent = begun > 0 && devices.length <= {devices};
          return silent ? new Promise(() => {{}}) : map.apply(this, all);
        }});"
    )
}

#[test]
fn a_card_that_hangs_is_replaced() {
    let solves = merged(&silence(1));
    let words = "was lost (it did not answer";
    assert!(solves.iter().any(|solve| told(solve, words)), "{solves:#?}");
    assert!(!solves.iter().any(on_processor), "{solves:#?}");
}

#[test]
fn after_two_cards_that_hang_the_processor_solves() {
    let solves = merged(&silence(2));
    let twice = |solve: &Value| {
        let fault = solve["fault"].as_str().unwrap_or_default();
        fault.matches("it did not answer").count() == 2 && on_processor(solve)
    };
    assert!(solves.iter().any(twice), "{solves:#?}");
}

/// As after a computer's sleep: timers fire at once, one after the other, and only then does the answer
/// come.
#[test]
fn timers_that_fire_before_the_answer_give_no_card_up() {
    let asleep = "let late = 0;
    let slept = false;
    let wake;
    const awake = new Promise((resolve) => (wake = resolve));
    const timeout = self.setTimeout;
    self.setTimeout = (run, millis) => {
      if (late === 0) return timeout(run, millis);
      late -= 1;
      return timeout(() => (run(), late === 0 && wake()), 0);
    };
    change(GPUBuffer, 'mapAsync', (map) => async function (...all) {
      if (begun && !slept) {
        slept = true;
        late = 5;
        await awake;
      }
      return map.apply(this, all);
    });";
    let solves = merged(asleep);
    assert!(!solves.iter().any(on_processor), "{solves:#?}");
    assert!(solves.iter().all(|solve| solve["fault"].is_null()), "{solves:#?}");
}

/// The first layers find no memory, the next ones do.
#[test]
fn layers_without_memory_on_the_card_are_solved_by_the_processor() {
    let refused = "const filters = [];
    let refusals = 0;
    change(GPUDevice, 'pushErrorScope', (push) => function (filter) {
      filters.push(filter);
      return push.call(this, filter);
    });
    change(GPUDevice, 'popErrorScope', (pop) => async function () {
      const refuse = filters.pop() === 'out-of-memory' && begun && ++refusals <= 4;
      const error = await pop.call(this);
      return refuse ? new GPUOutOfMemoryError('as planted') : error;
    });";
    let solves = merged(refused);
    let (by_processor, by_card): (Vec<_>, Vec<_>) = solves.iter().partition(|s| on_processor(s));
    assert!(!by_processor.is_empty() && !by_card.is_empty(), "{solves:#?}");
    assert!(by_processor.iter().all(|solve| told(solve, "has no memory")), "{solves:#?}");
    assert!(by_card.iter().all(|solve| solve["fault"].is_null()), "{solves:#?}");
}

#[test]
fn wrong_bytes_from_the_card_are_seen() {
    let wrong = "change(GPUBuffer, 'getMappedRange', (range) => function (...all) {
      const bytes = range.apply(this, all);
      if (begun) new Uint8Array(bytes).fill(0);
      return bytes;
    });";
    let solves = merged(wrong);
    assert!(solves.iter().all(|solve| solve["path"] == "f64"), "{solves:#?}");
    assert!(solves.iter().any(|solve| told(solve, "wrong answer")), "{solves:#?}");
}

#[test]
fn answers_that_cannot_be_read_back_are_told() {
    let refused = "change(GPUBuffer, 'mapAsync', (map) => async function (...all) {
      if (begun) throw new DOMException('as planted', 'OperationError');
      return map.apply(this, all);
    });";
    let solves = merged(refused);
    assert!(solves.iter().all(|solve| told(solve, "can be read back")), "{solves:#?}");
    assert!(solves.iter().all(on_processor), "{solves:#?}");
}

/// A shader that the browser's compiler refuses, by its label.
fn refused_shader(label: &str) -> String {
    format!(
        "change(GPUDevice, 'createShaderModule', (create) => function (shader) {{
          const code = shader.label === '{label}' ? shader.code + ' planted' : shader.code;
          return create.call(this, {{ ...shader, code }});
        }});"
    )
}

#[test]
fn a_shader_that_is_refused_late_is_told() {
    let solves = merged(&refused_shader("factor_block"));
    let words = "refuses the shader `factor_block`";
    assert!(solves.iter().all(|solve| told(solve, words)), "{solves:#?}");
    assert!(solves.iter().all(on_processor), "{solves:#?}");
}

/// Faults that leave no card at all refuse a merge that asks for one.
#[test]
fn a_card_that_cannot_be_opened_is_refused_in_words() {
    let never = "const timeout = self.setTimeout;
    self.setTimeout = (run, millis, ...all) => timeout(run, millis / 1000, ...all);
    change(GPU, 'requestAdapter', () => () => new Promise(() => {}));";
    let none = "change(GPU, 'requestAdapter', () => async () => null);";
    let useless = "change(GPUAdapter, 'requestDevice', () => async () => {
      throw new DOMException('as planted', 'OperationError');
    });";
    let faults = [
        (never.to_string(), "did not answer"),
        (none.to_string(), "no graphics card that WebGPU can use"),
        (useless.to_string(), "cannot be used"),
        (refused_shader("multiply"), "refuses the shader multiply"),
    ];
    for (fault, words) in faults {
        let (mut page, _served) = faulty(&fault);
        page.click_button("Try the sample");
        page.by_role("table", "Plan");
        page.click_button("Merge");
        page.wait_for("!document.querySelector('[role=alert]').hidden");
        let alert = page.by_selector("[role=alert]");
        let alert = page.text(&alert);
        assert!(alert.contains(words), "no `{words}` in the alert: {alert}");
        assert!(!page.has_role("region", "Report"), "a refused merge has a report");
    }
}

/// It has two tasks then; another worker takes both, one after the other.
#[test]
fn a_worker_that_dies_with_the_card_is_replaced() {
    let death = "addEventListener('message', async () => {
      if (begun < 2 || devices.length === 0 || (await caches.has('died'))) return;
      await caches.open('died');
      throw new Error('as planted');
    });";
    let (mut page, _served) = faulty(death);
    merge_sample(&mut page);
    assert_eq!(page.evaluate("caches.has('died')"), true, "no worker died");
    let solves = solves(&mut page);
    assert!(!solves.iter().any(on_processor), "{solves:#?}");
}

/// The first answer comes only once something else is asked of the card: without overlap, never.
#[test]
fn the_next_layer_goes_to_the_card_before_the_last_one_comes_back() {
    let held = "let waiting = false;
    let release;
    const released = new Promise((resolve) => (release = resolve));
    change(GPUQueue, 'submit', (submit) => function (work) {
      if (waiting) release();
      return submit.call(this, work);
    });
    change(GPUBuffer, 'mapAsync', (map) => async function (...all) {
      waiting = begun > 0;
      if (waiting) await released;
      return map.apply(this, all);
    });";
    let solves = merged(held);
    assert!(!solves.iter().any(on_processor), "{solves:#?}");
}
