/** Stages started from the page, runs of before, folders to choose from, and what is sent as it happens. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import { LabelsmithError } from '../../errors.ts';
import { FORMATS as ALL_FORMATS } from '../../formats/table.ts';
import type { ReviewContext } from '../context.ts';
import { invalid } from '../failures.ts';
import { foldersIn, freePlace } from '../folders.ts';
import { JOB_REQUEST } from '../job-request.ts';
import type { JobState } from '../jobs.ts';
import { body, FAILURES, json, NOTHING } from './answers.ts';

const JOB = z
  .object({
    id: z.number(),
    request: JOB_REQUEST,
    state: z.enum(['running', 'done', 'failed', 'stopped']),
    startedAtMs: z.number(),
    endedAtMs: z.number().nullable(),
    progress: z
      .object({
        stage: z.string(),
        done: z.number(),
        total: z.number().optional(),
        rate: z.number(),
        remainingMs: z.number().optional(),
      })
      .nullable(),
    lines: z.array(z.string()),
    result: z.string().nullable().openapi({ description: 'JSON.' }),
    error: z.object({ message: z.string(), hint: z.string().optional() }).nullable(),
  })
  .openapi('Job');
export type Job = z.infer<typeof JOB>;

const RUN = z.object({
  id: z.string(),
  stage: z.string(),
  status: z.string(),
  startedAtMs: z.number(),
  endedAtMs: z.number().nullable(),
  counts: z.record(z.string(), z.number()),
});

const LIST = createRoute({
  method: 'get',
  path: '/jobs',
  responses: { 200: json(z.object({ jobs: z.array(JOB) }), 'Newest first.'), ...FAILURES },
});
const START = createRoute({
  method: 'post',
  path: '/jobs',
  request: body(JOB_REQUEST),
  responses: { 200: json(JOB, 'It began.'), ...FAILURES },
});
const STOP = createRoute({
  method: 'post',
  path: '/jobs/{id}/stop',
  request: { params: z.object({ id: z.coerce.number().int() }) },
  responses: { 200: json(NOTHING, 'It stops after the shard under way.'), ...FAILURES },
});
const RUNS = createRoute({
  method: 'get',
  path: '/runs',
  responses: { 200: json(z.object({ runs: z.array(RUN) }), 'Newest first.'), ...FAILURES },
});
const FOLDERS = createRoute({
  method: 'get',
  path: '/folders',
  request: { query: z.object({ path: z.string().max(4000).optional() }) },
  responses: {
    200: json(
      z.object({
        path: z.string(),
        above: z.string().nullable(),
        folders: z.array(z.string()),
        images: z.number().openapi({ description: 'Files here that are named like images.' }),
      }),
      'Folders of this machine, for who sits at it.',
    ),
    ...FAILURES,
  },
});
const FORMATS = createRoute({
  method: 'get',
  path: '/formats',
  responses: {
    200: json(
      z.object({
        formats: z.array(
          z.object({
            name: z.string(),
            description: z.string(),
            loses: z.array(z.string()).openapi({ description: 'What it does not keep.' }),
            out: z
              .string()
              .nullable()
              .openapi({ description: 'A place where nothing is yet; null where no folders are told of.' }),
          }),
        ),
      }),
      'What labels can be exported as.',
    ),
    ...FAILURES,
  },
});
const EVENTS = createRoute({
  method: 'get',
  path: '/events',
  responses: {
    200: { content: { 'text/event-stream': { schema: z.string() } }, description: '`job`, `changed`.' },
    ...FAILURES,
  },
});

/** How often it is looked whether the record changed, in ms. */
const LOOK_MS = 1000;
/** Pages that listen at once. */
const MAX_LISTENING = 64;
const RUNS_SHOWN = 30;

export function jobRoutes({ workspace, jobs, local, revision }: ReviewContext) {
  const { store } = workspace;
  let listening = 0;
  return new OpenAPIHono({ defaultHook: invalid })
    .openapi(LIST, (c) => c.json({ jobs: jobs.list().map(plainJob) }, 200))
    .openapi(START, (c) => {
      const request = c.req.valid('json');
      const namesFiles = request.kind === 'auto' || request.kind === 'add' || request.kind === 'export';
      if (namesFiles) onlyHere();
      return c.json(plainJob(jobs.start(request)), 200);
    })
    .openapi(STOP, (c) => {
      jobs.stop(c.req.valid('param').id);
      return c.json({}, 200);
    })
    .openapi(RUNS, async (c) => {
      const runs = (await store.runs({ limit: RUNS_SHOWN })).map(
        ({ id, stage, status, startedAtMs, endedAtMs, counts }) => {
          return { id, stage, status, startedAtMs, endedAtMs, counts: { ...counts } };
        },
      );
      return c.json({ runs }, 200);
    })
    .openapi(FOLDERS, async (c) => {
      onlyHere();
      return c.json(await foldersIn(c.req.valid('query').path), 200);
    })
    .openapi(FORMATS, (c) => {
      const formats = ALL_FORMATS.map(({ name, description, kind, loses }) => {
        const out = local ? freePlace(workspace.dir, name, kind) : null;
        return { name, description, loses: [...loses], out };
      });
      return c.json({ formats }, 200);
    })
    .openapi(EVENTS, (c) => {
      if (listening >= MAX_LISTENING) throw new LabelsmithError('BUSY', 'too many pages listen already');
      return streamSSE(c, async (out) => {
        listening++;
        const send = (event: string, data: unknown) => out.writeSSE({ event, data: JSON.stringify(data) });
        const unwatch = jobs.watch((job) => void send('job', plainJob(job)));
        try {
          let seen = await revision();
          while (!out.aborted && !out.closed) {
            await out.sleep(LOOK_MS);
            if (out.aborted || out.closed) break;
            const now = await revision();
            await send(now === seen ? 'still' : 'changed', { revision: now });
            seen = now;
          }
        } finally {
          unwatch();
          listening--;
        }
      });
    });

  function onlyHere(): void {
    if (local) return;
    throw new LabelsmithError('REFUSED', 'Folders of the machine are for those who sit at it.', {
      hint: 'Add and export on the command line there: labelsmith add FOLDER.',
    });
  }
}

function plainJob(job: JobState): Job {
  const { progress, result, lines, ...rest } = job;
  return {
    ...rest,
    lines: [...lines],
    progress: progress && {
      stage: progress.stage,
      done: progress.done,
      total: progress.total,
      rate: progress.rate,
      remainingMs: progress.remainingMs,
    },
    result: result === null || result === undefined ? null : JSON.stringify(result),
  };
}
