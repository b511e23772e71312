/**
 * Models of the hub, as far as they can be fetched here: labels by the names of classes alone, clusters, nearest neighbours and
 * detections with real weights. What could not be fetched is named with its reason; nothing is measured in its place.
 *
 * `LABELSMITH_BENCH_HUB` names models (default: all of `models list` that are of the hub). Through the command line, as a user.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../src/errors.ts';
import { HUB_MODELS, type HubModel } from '../src/models/hub/catalogue.ts';
import { familyOf } from '../src/models/hub/families.ts';
import { createModels } from '../src/models/models.ts';
import { dataSet } from './photos.ts';
import { inScratch, labelsmith, rounded } from './process.ts';

const SETS = ['caltech-30', 'flowers', 'household'];

const EVALUATION = z.object({
  classification: z
    .object({ accuracy: z.number(), coverage: z.number(), accuracyForced: z.number(), ece: z.number().nullable() })
    .partial()
    .optional(),
  clustering: z.object({ accuracy: z.number(), ari: z.number() }).partial().optional(),
  detection: z.object({ mAP: z.number(), AP50: z.number() }).partial().optional(),
});

export function run(): Promise<unknown> {
  const wanted = process.env.LABELSMITH_BENCH_HUB?.split(',') ?? HUB_MODELS.map(({ id }) => id);
  return measureAll(wanted);
}

async function measureAll(wanted: readonly string[]): Promise<unknown> {
  const models = createModels();
  const measured: Record<string, unknown> = {};
  const notFetched: Record<string, string> = {};
  for (const model of HUB_MODELS.filter(({ id }) => wanted.includes(id))) {
    const failed = await models.prepare(model.id).then(() => undefined, messageOf);
    if (failed !== undefined) notFetched[model.id] = failed;
    else measured[model.id] = await (model.role === 'detector' ? detector(model) : embedder(model));
  }
  return { measured, notFetched };
}

/** A set is a folder a class; names of folders are the words, and every image gets the one that fits best. */
async function embedder({ id, modelType }: HubModel): Promise<unknown> {
  const family = familyOf(modelType);
  const knowsWords = family?.role === 'embedder' && family.text !== undefined;
  const rows: Record<string, unknown> = {};
  for (const name of SETS) {
    rows[name] = await inScratch(async (dir) => {
      const set = dataSet(name);
      const names = readdirSync(set).map((folder) => folder.replaceAll(/[_-]+/g, ' '));
      await labelsmith(['add', set], dir);
      await labelsmith(['embed', '--model', id], dir);
      await labelsmith(['discover', '--model', id, '--k', String(names.length), '--task', 'clusters'], dir);
      const { clustering } = await evaluated(set, 'clusters', dir);
      if (!knowsWords) return { clustering };
      await labelsmith(['match', '--threshold', '0', '--classes', names.join(',')], dir);
      return { clustering, zeroShot: (await evaluated(set, 'class', dir)).classification };
    });
  }
  return rows;
}

function detector({ id }: HubModel): Promise<unknown> {
  return inScratch(async (dir) => {
    const set = dataSet('coco-train128');
    await labelsmith(['add', join(set, 'images')], dir);
    await labelsmith(['detect', '--model', id], dir);
    const { detection } = await evaluated(join(set, 'instances.json'), 'objects', dir);
    return { mAP: rounded(detection?.mAP ?? 0), AP50: rounded(detection?.AP50 ?? 0) };
  });
}

async function evaluated(truth: string, task: string, dir: string): Promise<z.infer<typeof EVALUATION>> {
  const { stdout } = await labelsmith(['evaluate', truth, '--task', task], dir);
  return EVALUATION.parse(JSON.parse(stdout));
}
