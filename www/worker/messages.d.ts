// The messages between the coordinating worker and its computing workers, and the engine in each.

import type { Opening, Request, Response } from "../protocol.js";
import type { Build } from "./kernels.js";

export type MergeRequest = Extract<Request, { type: "merge" }>;
export type Failed = Extract<Response, { type: "failed" }>;

/** A finished job, in the journal. */
export interface Entry {
  index: number;
  outcome: unknown;
}

/** A leader's factor on its way to helpers. */
export interface Factor {
  isDouble: boolean;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Why a worker stopped; what it asked for last, where memory was refused. */
export interface Death {
  why: string;
  refusedBytes: number;
}

/** What every computing worker of a merge is told first. */
export interface SetUp {
  build: Build;
  files: File[];
  paths: string[];
  request: MergeRequest;
  /** The file that all may write to, where browsers allow it. */
  shared?: FileSystemFileHandle;
  /** What else to do where there is no room. */
  elsewhere: string;
}

/** One worker's part of a job: `place` 0 leads. */
export interface Task {
  index: number;
  place: number;
}

export type ToCompute =
  | ({ type: "begin" } & SetUp)
  | ({ type: "task"; nHelpers: number } & Task)
  | { type: "written"; buffer: ArrayBuffer }
  | { type: "factor"; factor?: Factor }
  | { type: "rows"; rows: (Uint8Array<ArrayBuffer> | undefined)[] };

export type FromCompute =
  | { type: "ready" }
  | { type: "piece"; offsetBytes: number; bytes: Uint8Array<ArrayBuffer> }
  | { type: "refused"; why: string }
  | { type: "factor"; index: number; factor: Factor }
  | { type: "collect"; index: number }
  | { type: "rows"; index: number; place: number; rows: Uint8Array<ArrayBuffer> }
  | { type: "outcome"; index: number; outcome: unknown; writtenBytes: number }
  | { type: "settled"; entries: Entry[] }
  | { type: "handed_back"; index: number }
  | { type: "failed"; failure: Failed }
  | { type: "died"; death: Death };

/** A message of one type. */
export type OfType<Message, Type> = Extract<Message, { type: Type }>;

/** What a job's leader asks of its helpers. */
export interface Helpers {
  publish(isDouble: boolean, bytes: Uint8Array<ArrayBuffer>): void;
  collect(): Promise<(Uint8Array<ArrayBuffer> | undefined)[]>;
}

/** The core in one worker, as `src/web/mod.rs` has it. */
export interface Engine {
  handle(request: Request, files: File[]): Promise<Response>;
  reopen(paths: string[], files: File[]): Promise<void>;
  begin(request: MergeRequest): Opening;
  header_bytes(file: number): Uint8Array<ArrayBuffer>;
  open_card(): Promise<void>;
  run_job(index: number, nHelpers: number, helpers: Helpers, outlet: Outlet): Promise<unknown>;
  help_job(
    index: number,
    nHelpers: number,
    place: number,
    factor: Promise<Factor | undefined>,
  ): Promise<Uint8Array<ArrayBuffer>>;
  worker_died(index: number, why: string, refusedBytes: number): Failed;
  finish_job(index: number, outcome: unknown, writtenBytes: number): Response;
  resume_job(index: number, outcome: unknown): void;
  check_inputs(): Promise<void>;
  finish(elapsedMillis: number, nWorkers: number): Response;
}

/** Where a job's output goes. */
export interface Outlet {
  write(offsetBytes: number, bytes: Uint8Array<ArrayBuffer>): void | Promise<void>;
}
