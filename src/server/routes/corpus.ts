/** The workspace as a whole, its classes, clusters and words to name them with. */

import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { ITEM_KINDS } from '../../core/labels.ts';
import { change, corpusTree } from '../../corpus/corpus.ts';
import { titleOfWorkspace } from '../../jobs/place.ts';
import type { ClusterModel } from '../../stages/discover/cluster-model.ts';
import { type ClusterToName, clustersToName } from '../../stages/discover/clusters-to-name.ts';
import { nearClusters } from '../../stages/discover/near-clusters.ts';
import type { ReviewContext } from '../context.ts';
import { counted } from '../counted.ts';
import { invalid } from '../failures.ts';
import { QUEUES, queueOf } from '../queues.ts';
import { CLASS, CLUSTER, CORPUS_CHANGE, NAME } from '../schemas.ts';
import { wordsLike } from '../words.ts';
import { body, FAILURES, json } from './answers.ts';

const EXACT = z.boolean().openapi({ description: 'False: counted a while ago, ask again soon.' });
const TASK_QUERY = { query: z.object({ task: NAME.default('class') }) };

const WORKSPACE = createRoute({
  method: 'get',
  path: '/workspace',
  responses: {
    200: json(
      z.object({
        name: z.string(),
        images: z.number(),
        regions: z.number(),
        quarantined: z.number(),
        labels: z.record(z.string(), z.number()),
        flags: z.record(z.string(), z.number()),
        tasks: z.array(z.object({ name: z.string(), rule: z.enum(['single', 'multi']), items: z.enum(ITEM_KINDS) })),
        sources: z.array(z.string()),
        local: z.boolean(),
      }),
      'What is here.',
    ),
    ...FAILURES,
  },
});

const CLASSES = createRoute({
  method: 'get',
  path: '/classes',
  responses: { 200: json(z.object({ classes: z.array(CLASS), exact: EXACT }), 'In order of name.'), ...FAILURES },
});

const TREE_NODE = z.object({
  name: z.string(),
  parent: z.string().nullable(),
  images: z.number(),
  regions: z.number(),
  meanConfidence: z.number().nullable(),
  exemplars: z.array(z.string()).openapi({ description: 'Ids of images.' }),
});

const TREE = createRoute({
  method: 'get',
  path: '/corpus',
  responses: {
    200: json(z.object({ nodes: z.array(TREE_NODE), exact: EXACT }), 'Classes and what stands above them.'),
    ...FAILURES,
  },
});

const CHANGE = createRoute({
  method: 'post',
  path: '/corpus',
  request: body(CORPUS_CHANGE),
  responses: { 200: json(z.object({ changed: z.boolean() }), 'One operation, undone as one.'), ...FAILURES },
});

const CLUSTERS = createRoute({
  method: 'get',
  path: '/clusters',
  request: TASK_QUERY,
  responses: { 200: json(z.object({ clusters: z.array(CLUSTER), exact: EXACT }), 'The largest first.'), ...FAILURES },
});

const WORDS = createRoute({
  method: 'get',
  path: '/words',
  request: { query: z.object({ begins: z.string().min(1).max(100) }) },
  responses: {
    200: json(
      z.object({ words: z.array(z.object({ name: z.string(), own: z.boolean(), what: z.string().nullable() })) }),
      'Own classes first, then nouns of WordNet.',
    ),
    ...FAILURES,
  },
});

const QUEUE = createRoute({
  method: 'get',
  path: '/queue',
  request: { query: TASK_QUERY.query.extend({ of: z.enum(QUEUES).default('next') }) },
  responses: {
    200: json(
      z.object({
        items: z.array(
          z.object({
            itemId: z.string(),
            imageId: z.string().optional().openapi({ description: 'Where it is a region of one.' }),
            why: z.string(),
            guess: z.string().nullable(),
            claim: z
              .object({ auditId: z.number(), className: z.string() })
              .optional()
              .openapi({ description: 'Answered at /audit/answer.' }),
          }),
        ),
      }),
      'What is worth a look next.',
    ),
    ...FAILURES,
  },
});

const QUARANTINE = createRoute({
  method: 'get',
  path: '/quarantine',
  responses: {
    200: json(
      z.object({ files: z.array(z.object({ path: z.string(), reason: z.string(), message: z.string() })) }),
      'Files that could not be used, in order of path; the first ones of many.',
    ),
    ...FAILURES,
  },
});
const MAX_QUARANTINED = 500;

/** Pictures of a class on the page. */
const EXEMPLARS = 6;

export function corpusRoutes({ workspace, local, revision }: ReviewContext) {
  const { store } = workspace;
  const overview = counted({ revision, count: () => store.overview() });
  const classes = counted({ revision, count: () => store.classes() });
  const tree = counted({ revision, count: () => corpusTree(store, EXEMPLARS) });
  const near = nearOnce(workspace);
  const clusters = new Map<string, ReturnType<typeof counted<ClusterToName[]>>>();
  return new OpenAPIHono({ defaultHook: invalid })
    .openapi(WORKSPACE, async (c) => {
      const { images, regions, quarantined, labels, flags } = (await overview()).value;
      const here = {
        images,
        regions,
        labels: { ...labels },
        flags: { ...flags },
        local,
        name: titleOfWorkspace(workspace),
        quarantined: Object.values(quarantined).reduce((sum, count) => sum + count, 0),
        tasks: await store.tasks(),
        sources: await store.sourceRoots(),
      };
      return c.json(here, 200);
    })
    .openapi(CLASSES, async (c) => {
      const { value, exact } = await classes();
      const plain = value.map(({ skeleton: _, synonyms, counts, ...rest }) => ({
        ...rest,
        synonyms: [...synonyms],
        counts: counts.map((of) => ({ ...of, origins: { ...of.origins } })),
      }));
      return c.json({ classes: plain, exact }, 200);
    })
    .openapi(TREE, async (c) => {
      const { value, exact } = await tree();
      const nodes = value.map(({ name, parent, images, regions, meanConfidence, exemplars }) => ({
        name,
        parent,
        images,
        regions,
        meanConfidence,
        exemplars: exemplars.map(({ imageId }) => imageId),
      }));
      return c.json({ nodes, exact }, 200);
    })
    .openapi(CHANGE, async (c) => c.json({ changed: (await change(store, c.req.valid('json'))) !== null }, 200))
    .openapi(CLUSTERS, async (c) => {
      const { value, exact } = await clustersOf(c.req.valid('query').task);
      return c.json({ clusters: value, exact }, 200);
    })
    .openapi(QUARANTINE, async (c) => {
      const files: { path: string; reason: string; message: string }[] = [];
      for await (const page of store.quarantine()) {
        for (const { path, reason, message } of page) files.push({ path, reason, message });
        if (files.length >= MAX_QUARANTINED) break;
      }
      return c.json({ files: files.slice(0, MAX_QUARANTINED) }, 200);
    })
    .openapi(WORDS, async (c) => c.json({ words: await wordsLike(store, c.req.valid('query').begins) }, 200))
    .openapi(QUEUE, async (c) => {
      const { task, of } = c.req.valid('query');
      return c.json({ items: await queueOf(workspace, task, of) }, 200);
    });

  /** Only tasks that there are are kept. */
  async function clustersOf(task: string) {
    const known = clusters.get(task);
    if (known) return known();
    if (!(await store.tasks()).some(({ name }) => name === task)) return { value: [], exact: true };
    const asked = counted({ revision, count: () => clustersToName(store, task, near) });
    clusters.set(task, asked);
    return asked();
  }
}

/** Of the last clustering that was asked about; another one is compared anew, whatever its clusters are called. */
function nearOnce(workspace: ReviewContext['workspace']) {
  let last: { readonly key: string; readonly near: ReturnType<typeof nearClusters> } | undefined;
  return (model: ClusterModel) => {
    const key = `${model.task} ${model.space} ${model.clusters.map(({ exemplars }) => exemplars.join()).join(' ')}`;
    if (last?.key === key) return last.near;
    const near = nearClusters(workspace, model);
    last = { key, near };
    // What failed is tried again.
    near.catch(() => {
      if (last?.near === near) last = undefined;
    });
    return near;
  };
}
