/** Detection: what is left to do, and the candidates there are. */
import type { ExpressionBuilder } from 'kysely';
import type { Detections } from '../../core/boxes.ts';
import type { ImageId } from '../../core/ids.ts';
import type { DetectionStore } from '../store.ts';
import { FILE_GONE } from '../store.ts';
import { chunks } from './chunks.ts';
import { hexOf, imageKey, NO_BYTES } from './column.ts';
import { type Dictionary, runKeyOf } from './dictionary.ts';
import type { SqlDriver } from './driver.ts';
import { imageOf } from './images.ts';
import { unpackDetections } from './packed-detections.ts';
import { countOf } from './raw-query.ts';
import type { Session } from './session.ts';
import type { Schema } from './tables.ts';

/** No row has this number: what a model or rule that is not in the dictionary is compared with. */
export const UNKNOWN = -1;

type DetectionWork = Pick<DetectionStore, 'detectionWork' | 'countDetectionWork' | 'detectedByOthers'>;

export function detectionWorkStore(session: Session): DetectionWork {
  async function numbersOf(modelKey: string, acceptKey: string) {
    const dictionary = await session.freshDictionary();
    return {
      modelId: dictionary.modelIds.get(modelKey) ?? UNKNOWN,
      acceptanceId: dictionary.acceptanceIds.get(acceptKey) ?? UNKNOWN,
    };
  }

  return {
    async *detectionWork(modelKey, acceptKey, { force = false } = {}) {
      const { modelId, acceptanceId } = await numbersOf(modelKey, acceptKey);
      for await (const { after, last } of session.imageRanges()) {
        const [rows] = await session.driver.read([
          workQuery(session, modelId, acceptanceId, force)
            .selectAll('image')
            .select('candidate.detections')
            .where('image.id', '>', after)
            .where('image.id', '<=', last)
            .orderBy('image.id'),
        ]);
        if (rows.length === 0) continue;
        yield rows.map((row) => ({
          image: imageOf(row),
          candidates: force || row.detections === null ? null : unpackDetections(row.detections),
        }));
      }
    },

    async countDetectionWork(modelKey, acceptKey, { force = false } = {}) {
      const { modelId, acceptanceId } = await numbersOf(modelKey, acceptKey);
      const query = workQuery(session, modelId, acceptanceId, force);
      return countOf(await session.driver.analyse(query.select((eb) => eb.fn.countAll<number>().as('n'))));
    },

    async detectedByOthers(query) {
      const { db, driver } = session;
      const dictionary = await session.freshDictionary();
      return doneByOthers({ db, dictionary, read: (queries) => driver.read(queries) }, query);
    },
  };
}

/** See `DetectionStore.detectedByOthers`. */
export async function doneByOthers(
  { db, dictionary, read }: Pick<Session, 'db'> & { readonly dictionary: Dictionary; readonly read: SqlDriver['read'] },
  { runId, modelKey, acceptKey, imageIds }: Parameters<DetectionStore['detectedByOthers']>[0],
): Promise<ReadonlySet<ImageId>> {
  const found = new Set<ImageId>();
  const modelId = dictionary.modelIds.get(modelKey);
  const acceptanceId = dictionary.acceptanceIds.get(acceptKey);
  if (modelId === undefined || acceptanceId === undefined) return found;
  for (const chunk of chunks([...new Set(imageIds)].map(imageKey))) {
    const query = db
      .selectFrom('detection')
      .select('image_id')
      .where('model_id', '=', modelId)
      .where('acceptance_id', '=', acceptanceId)
      .where('run_key', '<>', runKeyOf(dictionary, runId))
      .where('image_id', 'in', chunk);
    for (const { image_id } of (await read([query]))[0]) found.add(hexOf(image_id));
  }
  return found;
}

type Candidates = Pick<DetectionStore, 'candidates' | 'candidatesOf' | 'candidateModels'>;

export function candidateStore(session: Session): Candidates {
  const { db } = session;
  return {
    async *candidates(modelKey, range) {
      const modelId = (await session.freshDictionary()).modelIds.get(modelKey);
      if (modelId === undefined) return;
      type CandidateRow = { image_id: Uint8Array; detections: Uint8Array };
      const pages = session.pages<CandidateRow>(session.pageSize, async (last) => {
        const all = db
          .selectFrom('candidate')
          .select(['image_id', 'detections'])
          .where('model_id', '=', modelId)
          // Whole ids are longer than where a range begins, so none is left out.
          .where('image_id', '>', last?.image_id ?? bytesOf(range?.from));
        const query = range?.below === undefined ? all : all.where('image_id', '<', bytesOf(range.below));
        return (await session.driver.read([query.orderBy('image_id').limit(session.pageSize)]))[0];
      });
      for await (const rows of pages) {
        yield rows.map((row) => ({ imageId: hexOf(row.image_id), detections: unpackDetections(row.detections) }));
      }
    },

    async candidatesOf(modelKey, imageIds) {
      const found = new Map<ImageId, Detections>();
      const modelId = (await session.freshDictionary()).modelIds.get(modelKey);
      if (modelId === undefined) return found;
      for (const chunk of chunks([...new Set(imageIds)].map(imageKey))) {
        const query = db
          .selectFrom('candidate')
          .select(['image_id', 'detections'])
          .where('model_id', '=', modelId)
          .where('image_id', 'in', chunk);
        const [rows] = await session.driver.read([query]);
        for (const { image_id, detections } of rows) found.set(hexOf(image_id), unpackDetections(detections));
      }
      return found;
    },

    async candidateModels() {
      const rows = await session.driver.analyse(
        db
          .selectFrom('candidate')
          .innerJoin('model', 'model.id', 'candidate.model_id')
          .groupBy(['model.key', 'model.class_names'])
          .select((eb) => ['model.key', 'model.class_names', eb.fn.countAll<number>().as('images')])
          .orderBy('model.key'),
      );
      return rows.map((row) => ({
        modelKey: row.key,
        images: Number(row.images),
        classNames: JSON.parse(row.class_names) as string[],
      }));
    },
  };
}

const bytesOf = (hex: string | undefined): Uint8Array => (hex === undefined ? NO_BYTES : Buffer.from(hex, 'hex'));

/** Images with something to do: decoding needs a path that is there and that detection has not given up on. */
function workQuery({ db }: Session, modelId: number, acceptanceId: number, force: boolean) {
  const query = db
    .selectFrom('image')
    .leftJoin('candidate', (join) =>
      join.onRef('candidate.image_id', '=', 'image.id').on('candidate.model_id', '=', modelId),
    )
    .leftJoin('detection', (join) =>
      join.onRef('detection.image_id', '=', 'image.id').on('detection.model_id', '=', modelId),
    );
  const readable = (eb: ExpressionBuilder<Schema, 'image'>) =>
    eb
      .selectFrom('image_path')
      .leftJoin('quarantine', 'quarantine.path', 'image_path.path')
      .select('image_path.path')
      .whereRef('image_path.image_id', '=', 'image.id')
      .where('image_path.missing', '=', 0);
  const usable = (eb: ExpressionBuilder<Schema, 'image'>) =>
    readable(eb).where((row) => row.or([row('quarantine.path', 'is', null), row('quarantine.reason', '=', FILE_GONE)]));
  if (force) return query.where((eb) => eb.exists(readable(eb)));
  return query.where((eb) =>
    eb.or([
      eb.and([
        eb('candidate.image_id', 'is not', null),
        eb.or([eb('detection.acceptance_id', 'is', null), eb('detection.acceptance_id', '<>', acceptanceId)]),
      ]),
      eb.and([eb('candidate.image_id', 'is', null), eb.exists(usable(eb))]),
    ]),
  );
}
