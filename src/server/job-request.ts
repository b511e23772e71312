/** What the page may start, and what its process says of it. */
import { z } from '@hono/zod-openapi';
import type { Progress } from '../jobs/stage.ts';

const TASK = z.string().min(1).max(200);

export const JOB_REQUEST = z.discriminatedUnion('kind', [
  /** Add, detect, embed and discover, of a folder. */
  z.strictObject({ kind: z.literal('auto'), folder: z.string().min(1).max(4000), detect: z.boolean() }),
  z.strictObject({ kind: z.literal('add'), folder: z.string().min(1).max(4000) }),
  z.strictObject({ kind: z.literal('detect') }),
  z.strictObject({ kind: z.literal('embed') }),
  z.strictObject({ kind: z.literal('discover'), clusters: z.int().min(2).max(2000).nullable() }),
  z.strictObject({ kind: z.literal('teach'), task: TASK }),
  z.strictObject({
    kind: z.literal('split'),
    className: z.string().min(1).max(200),
    into: z.int().min(2).max(20),
    task: TASK,
  }),
  z.strictObject({
    kind: z.literal('select'),
    task: TASK,
    count: z.int().min(1).max(1000),
    /** Drawn at random to measure on, and never learned from. */
    audit: z.int().min(0).max(1000).default(0),
  }),
  /** Labels of machines are drawn for people to check. */
  z.strictObject({ kind: z.literal('audit'), task: TASK, count: z.int().min(1).max(10_000) }),
  z.strictObject({
    kind: z.literal('export'),
    format: z.string().min(1).max(40),
    out: z.string().min(1).max(4000),
    task: TASK.nullable(),
  }),
]);
export type JobRequest = z.infer<typeof JOB_REQUEST>;

export interface JobOrder {
  /** What the workspace is opened by. */
  readonly dir: string;
  readonly seed: number;
  readonly threads: number;
  readonly request: JobRequest;
}

export type JobMessage =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'done'; readonly interrupted: boolean; readonly result: unknown }
  | { readonly kind: 'failed'; readonly message: string; readonly hint?: string };
