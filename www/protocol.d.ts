// The messages between page and worker, as `src/protocol.rs` and the types it carries declare
// them. Field names are serde's. An absent optional value may arrive as null or undefined.

export type Optional<T> = T | null | undefined;

export type FileKind = "checkpoint" | "gram" | "index" | "heldout" | "companion" | "other" | "bad";
export type Device = "auto" | "cpu" | "gpu";
export type Precision = "auto" | "fast" | "exact";
export type SolvePath = "f32" | "f64" | "f64_iterated";
/** How it is known that a Gram file belongs to its model; `order` asks for a confirmation. */
export type GramEvidence = "fingerprint" | "folder" | "source" | "name" | "order" | "chosen";
export type Orientation = "out_in" | "in_out";
/** An element type by its name in a safetensors header, such as `BF16`. */
export type Dtype = string;

export interface ErrorData {
  kind: "input" | "usage" | "io" | "numeric" | "device" | "memory" | "internal";
  what: string;
  file?: Optional<string>;
  tensor?: Optional<string>;
  advice?: Optional<string>;
}

export interface FileEntry {
  path: string;
  size_bytes: number;
  kind: FileKind;
  n_tensors: number;
  n_parameters: number;
  dtypes: string[];
  source?: Optional<string>;
  error?: Optional<ErrorData>;
}

export interface SelectedModel {
  name: string;
  files: number[];
  index?: Optional<number>;
  gram?: Optional<number>;
  gram_evidence?: Optional<GramEvidence>;
}

export interface Selection {
  models: SelectedModel[];
  /** The model that the others were fine-tuned from. */
  base?: Optional<SelectedModel>;
}

export interface Inventory {
  files: FileEntry[];
  suggestion: Selection;
  warnings: string[];
}

export interface Keep {
  pattern: string;
  model: number;
}

/** The values that a setting of a method may take. */
export type Kind =
  | { kind: "number"; min: number; max: number }
  | { kind: "whole"; max: number }
  | { kind: "switch" };

export interface NamedParam {
  name: string;
  help: string;
  per_model: boolean;
  default?: Optional<number>;
}

/** One setting of a method, as the table of methods has it. */
export type Param = NamedParam & Kind;

/** One row of the table of methods. */
export interface Method {
  name: string;
  aliases: string[];
  title: string;
  paper: string;
  formula: string;
  about: string;
  base: "none" | "needed" | "first_model";
  min_models: number;
  max_models?: Optional<number>;
  statistics: "gram"[];
  coefficients: "shares" | "factors" | "shares_unless_off" | "unused";
  params: Param[];
}

export interface Filtered {
  filter?: Optional<string>;
  value: Setting;
}

/** A number, a switch, values along the layers, or some of these by parts of tensors' names. */
export type Setting = number | boolean | number[] | Filtered[];

/** From the first to before the end. */
export interface Layers {
  start: number;
  end: number;
}

/** Settings of a method that hold together, and whom they are for. */
export interface Scope {
  model?: Optional<number>;
  layers?: Optional<Layers>;
  settings: Record<string, Setting>;
}

export interface Options {
  /** A name in the table of methods. */
  method: string;
  scopes: Scope[];
  coefficients: number[];
  exclude: string[];
  keep: Keep[];
  dtype?: Optional<Dtype>;
  device: Device;
  precision: Precision;
  shard_size: Optional<string>;
}

/** What happens to a tensor: one of these, or the name of the method that combines it. */
export type Action = "regress" | "copy" | "keep" | "refuse" | (string & {});

export interface PlannedTensor {
  name: string;
  shape: number[];
  dtypes: Dtype[];
  dtype_out: Dtype;
  action: Action;
  /** Why it is copied, refused, or not made by the chosen method. */
  why?: string;
  /** Of a combined one. */
  rule?: number;
  /** Of a regressed one. */
  group?: number;
  orientation?: Orientation;
  /** Whose it stays, where it is kept. */
  model?: number;
}

/** A method with the settings that it has for some tensors. */
export interface Rule {
  method: string;
  coefficients: number[];
  settings: Record<string, number[]>;
}

export interface Group {
  rule: number;
  gram_names: string[];
  n_in: number;
  tensors: number[];
}

export interface UnmatchedGram {
  model: number;
  name: string;
}

export interface Estimate {
  read_bytes: number;
  write_bytes: number;
  memory_bytes: number;
  flops: number;
}

export interface Line {
  pattern: string;
  tensors: number[];
}

export interface Kinship {
  models: [number, number];
  distance: number;
  cosine?: Optional<number>;
}

export interface MovedLayer {
  name: string;
  distance: number;
}

export interface Lineage {
  n_tensors: number;
  pairs: Kinship[];
  base?: Optional<number>;
  layers: MovedLayer[];
}

export interface Plan {
  models: string[];
  base?: Optional<string>;
  rules: Rule[];
  tensors: PlannedTensor[];
  lines: Line[];
  groups: Group[];
  unmatched_grams: UnmatchedGram[];
  warnings: string[];
  lineage?: Optional<Lineage>;
  estimate: Estimate;
}

export interface SolveReport {
  path: SolvePath;
  kernels: string;
  condition: number;
  error_estimate: number;
  residual: number;
  n_dead_features: number;
  n_iterations: number;
  floor: number;
  missed?: Optional<string>;
  fault?: Optional<string>;
}

export interface TensorReport {
  name: string;
  action: Action;
  distances: number[];
  solve?: Optional<SolveReport>;
  note?: Optional<string>;
}

export interface WrittenFile {
  name: string;
  len_bytes: number;
  sha256: string;
}

export interface Report {
  version: string;
  kernels: string;
  options: Options;
  recipe: string;
  models: string[];
  tensors: TensorReport[];
  worst_error_estimate: number;
  warnings: string[];
  written_bytes: number;
  files: WrittenFile[];
  elapsed_millis: number;
  n_workers: number;
}

export interface Progress {
  tensors_done: number;
  tensors_total: number;
  fraction: number;
  written_bytes: number;
  current: string;
}

/** What the coordinating worker must know before it hands out jobs. */
export interface Opening {
  solves: number[];
  files: OpenedFile[];
  index?: Optional<string>;
  n_workers: number;
  n_helpers: number[];
}

/** One file of the output. */
export interface OpenedFile {
  name: string;
  start_bytes: number;
  len_bytes: number;
}

export interface Accuracy {
  name: string;
  n_correct: number;
  n_correct_per_class: number[];
}

export interface Example {
  pixels: ArrayLike<number>;
  label: number;
  answers: ArrayLike<number>;
}

export interface Evaluation {
  rows: Accuracy[];
  n_images: number;
  n_images_per_class: number[];
  examples: Example[];
}

export type Request =
  | { type: "inspect"; paths: string[] }
  | { type: "plan"; selection: Selection; options: Options }
  | { type: "merge"; selection: Selection; options: Options; max_workers: number }
  | { type: "save" }
  | { type: "digest" }
  | { type: "evaluate" };

export type Response =
  | { type: "inventory"; inventory: Inventory; methods: Method[] }
  | { type: "plan"; plan: Plan }
  | ({ type: "progress" } & Progress)
  | { type: "done"; report: Report }
  | { type: "saved" }
  | { type: "digest"; files: WrittenFile[] }
  | { type: "accuracy"; evaluation: Evaluation }
  | { type: "failed"; error: ErrorData; message: string };

/** What travels beside a message: chosen files, or merged ones and what belongs to them. */
export interface Beside {
  files?: File[];
  extras?: File[];
  /** Where the user wants them. */
  target?: FileSystemFileHandle | FileSystemDirectoryHandle;
}

/** What the page posts after the code: a request, or the end of the last one. */
export type ToWorker = Asked | { cancel: true };

export interface Asked extends Beside {
  id: number;
  request: Request;
}

/** What the worker posts; what was cancelled has no response. */
export interface FromWorker extends Beside {
  id: number;
  response?: Response;
  cancelled?: boolean;
}

/** A file and the path under which it was picked. */
export interface PickedFile {
  path: string;
  file: File;
}
