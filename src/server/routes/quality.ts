/** How good the model of the last `teach` of a task is, as its run recorded it. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { accuracyRows } from '../../stages/audit/accuracy-text.ts';
import { knownAccuracy } from '../../stages/audit/known-accuracy.ts';
import type { ReviewContext } from '../context.ts';
import { invalid } from '../failures.ts';
import { NAME } from '../schemas.ts';
import { FAILURES, json } from './answers.ts';

const CLASS_SCORES = z.object({
  className: z.string(),
  groundTruth: z.number().openapi({ description: 'Items that are of it.' }),
  precision: z.number(),
  recall: z.number(),
});

const QUALITY = z
  .object({
    measuredOn: z.enum(['audit', 'cross-validation']),
    count: z.number(),
    curve: z.array(z.object({ threshold: z.number(), coverage: z.number(), accuracy: z.number().nullable() })),
    classes: z.array(CLASS_SCORES),
    reliability: z
      .array(z.object({ count: z.number(), confidence: z.number(), accuracy: z.number() }))
      .default([])
      .openapi({ description: 'Runs of before have none.' }),
    confusions: z.array(
      z.object({
        truth: z.string(),
        predicted: z.string(),
        count: z.number(),
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
  method: 'get',
  path: '/quality',
  request: { query: z.object({ task: NAME.default('class') }) },
  responses: {
    200: json(
      z.object({
        quality: QUALITY.nullable().openapi({ description: 'Null: nothing was taught yet.' }),
        accuracy: z
          .array(z.string())
          .openapi({ description: 'How many labels are right, in words, as `status` says it.' }),
      }),
      'As it was last measured.',
    ),
    ...FAILURES,
  },
});

/** Runs of before wrote `truths`… */
const OLD_SCORES = CLASS_SCORES.omit({ groundTruth: true })
  .extend({ truths: z.number() })
  .transform(({ truths, ...scores }) => ({ ...scores, groundTruth: truths }));
const EVALUATION = QUALITY.extend({ classes: z.array(z.union([CLASS_SCORES, OLD_SCORES])) });
/** …and `account`. */
const RECORDED = z.union([
  z.object({ evaluation: EVALUATION }),
  z.object({ account: EVALUATION }).transform(({ account }) => ({ evaluation: account })),
]);
const STAGES = ['teach rounds', 'teach train'];
/** Runs looked through for the newest of the task. */
const LOOKED_AT = 50;

export function qualityRoutes({ workspace: { store } }: Pick<ReviewContext, 'workspace'>) {
  return new OpenAPIHono({ defaultHook: invalid }).openapi(ROUTE, async (c) => {
    const { task } = c.req.valid('query');
    const known = await knownAccuracy(store, task);
    const accuracy = known ? accuracyRows(known) : [];
    for (const { stage, settings, metrics } of await store.runs({ limit: LOOKED_AT })) {
      if (!STAGES.includes(stage) || settings.task !== task) continue;
      const recorded = RECORDED.safeParse(metrics);
      if (recorded.success) return c.json({ quality: recorded.data.evaluation, accuracy }, 200);
    }
    return c.json({ quality: null, accuracy }, 200);
  });
}
