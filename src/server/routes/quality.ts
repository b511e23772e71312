/** How good the model of the last `teach` of a task is, as its run recorded it. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { ReviewContext } from '../context.ts';
import { invalid } from '../failures.ts';
import { NAME } from '../schemas.ts';
import { FAILURES, json } from './answers.ts';

const QUALITY = z
  .object({
    measuredOn: z.enum(['audit', 'cross-validation']),
    count: z.number(),
    curve: z.array(z.object({ threshold: z.number(), coverage: z.number(), accuracy: z.number().nullable() })),
    classes: z.array(
      z.object({ className: z.string(), truths: z.number(), precision: z.number(), recall: z.number() }),
    ),
    reliability: z
      .array(z.object({ count: z.number(), confidence: z.number(), accuracy: z.number() }))
      .default([])
      .openapi({ description: 'Runs of before have none.' }),
    confusions: z.array(
      z.object({
        ...{ truth: z.string(), predicted: z.string(), count: z.number() },
        examples: z.array(z.string()).default([]).openapi({ description: 'Ids of items.' }),
      }),
    ),
    learningCurve: z
      .object({
        points: z.array(z.object({ labels: z.number(), accuracy: z.number() })),
        goal: z.number(),
        more: z.number().nullable(),
      })
      .nullable(),
  })
  .openapi('Quality');

const ROUTE = createRoute({
  ...{ method: 'get', path: '/quality', request: { query: z.object({ task: NAME.default('class') }) } },
  responses: { 200: json(z.object({ quality: QUALITY.nullable() }), 'Null: nothing was taught yet.'), ...FAILURES },
});

/** Runs of before wrote `account`. */
const RECORDED = z.union([
  z.object({ evaluation: QUALITY }),
  z.object({ account: QUALITY }).transform(({ account }) => ({ evaluation: account })),
]);
const STAGES = ['teach rounds', 'teach train'];
/** Runs looked through for the newest of the task. */
const LOOKED_AT = 50;

export function qualityRoutes({ workspace: { store } }: Pick<ReviewContext, 'workspace'>) {
  return new OpenAPIHono({ defaultHook: invalid }).openapi(ROUTE, async (c) => {
    const { task } = c.req.valid('query');
    for (const { stage, settings, metrics } of await store.runs({ limit: LOOKED_AT })) {
      if (!STAGES.includes(stage) || settings.task !== task) continue;
      const recorded = RECORDED.safeParse(metrics);
      if (recorded.success) return c.json({ quality: recorded.data.evaluation }, 200);
    }
    return c.json({ quality: null }, 200);
  });
}
