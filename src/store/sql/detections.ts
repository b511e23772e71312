/** Detection: what is left to do, and one shard of candidates, regions and the labels derived from them. */
import type { ExpressionBuilder } from 'kysely';
import type { Box, Detections } from '../../core/boxes.ts';
import { iou } from '../../core/boxes.ts';
import type { ImageId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { type AcceptedRegion, type DetectionShard, FILE_GONE, type Store } from '../store.ts';
import type { Draft } from './changeset.ts';
import {
  hasShape,
  idOf,
  imageKey,
  imageOf,
  NO_BYTES,
  packDetections,
  regionKey,
  regionRow,
  shapeRow,
  unpackDetections,
} from './codec.ts';
import { rootOf, standingClasses } from './derived.ts';
import type { Dictionary } from './dictionary.ts';
import { findTask, runKeyOf, taskOf } from './dictionary.ts';
import { imageStatements } from './images.ts';
import { labelStatements } from './label-statements.ts';
import type { ImageTable, LabelTable, Schema } from './schema.ts';
import { NO_ANNOTATOR_ID, ORIGIN_CODES } from './schema.ts';
import type { Session } from './session.ts';
import { pieces } from './session.ts';
import { template } from './template.ts';

type DetectionStore = Pick<
  Store,
  | 'detectionWork'
  | 'countDetectionWork'
  | 'commitDetections'
  | 'yieldToFrozen'
  | 'candidates'
  | 'candidatesOf'
  | 'candidateModels'
>;

/** No row has these numbers: what a model or rule that is not in the dictionary is compared with. */
const UNKNOWN = -1;

export function detectionStore(session: Session): DetectionStore {
  const { db } = session;
  const images = imageStatements(session);
  const labels = labelStatements(session);
  const putCandidate = template<{ image_id: Uint8Array; model_id: number; detections: Uint8Array }>((v) =>
    db
      .insertInto('candidate')
      .values({ image_id: v.image_id, model_id: v.model_id, detections: v.detections })
      .onConflict((conflict) =>
        conflict.columns(['model_id', 'image_id']).doUpdateSet((eb) => ({ detections: eb.ref('excluded.detections') })),
      ),
  );
  const putDetection = template<{ model_id: number; image_id: Uint8Array; acceptance_id: number; run_key: number }>(
    (v) =>
      db
        .insertInto('detection')
        .values({ model_id: v.model_id, image_id: v.image_id, acceptance_id: v.acceptance_id, run_key: v.run_key })
        .onConflict((conflict) =>
          conflict.columns(['model_id', 'image_id']).doUpdateSet((eb) => ({
            acceptance_id: eb.ref('excluded.acceptance_id'),
            run_key: eb.ref('excluded.run_key'),
          })),
        ),
  );

  const dropDetection = template<{ model_id: number; image_id: Uint8Array }>((v) =>
    db.deleteFrom('detection').where('model_id', '=', v.model_id).where('image_id', '=', v.image_id),
  );

  async function numbersOf(modelKey: string, acceptKey: string) {
    const dictionary = await session.freshDictionary();
    return {
      modelId: dictionary.modelIds.get(modelKey) ?? UNKNOWN,
      acceptanceId: dictionary.acceptanceIds.get(acceptKey) ?? UNKNOWN,
    };
  }

  /** Images with something to do: decoding needs a path that is there and that detection has not given up on. */
  function work(modelId: number, acceptanceId: number, force: boolean) {
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
      readable(eb).where((row) =>
        row.or([row('quarantine.path', 'is', null), row('quarantine.reason', '=', FILE_GONE)]),
      );
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

  return {
    async *detectionWork(modelKey, acceptKey, { force = false } = {}) {
      const { modelId, acceptanceId } = await numbersOf(modelKey, acceptKey);
      for await (const { after, last } of session.imageRanges()) {
        const [rows] = await session.driver.read([
          work(modelId, acceptanceId, force)
            .selectAll('image')
            .select('candidate.detections')
            .where('image.id', '>', after)
            .where('image.id', '<=', last)
            .orderBy('image.id'),
        ]);
        if (rows.length === 0) continue;
        yield rows.map((row) => ({
          image: imageOf(row as ImageTable),
          candidates: force || row.detections === null ? null : unpackDetections(row.detections),
        }));
      }
    },

    async countDetectionWork(modelKey, acceptKey, { force = false } = {}) {
      const { modelId, acceptanceId } = await numbersOf(modelKey, acceptKey);
      const [row] = await session.driver.analyse(
        work(modelId, acceptanceId, force).select((eb) => eb.fn.countAll<number>().as('n')),
      );
      return Number(row?.n ?? 0);
    },

    async commitDetections(shard) {
      await session.write(async (draft) => {
        const task_id = taskOf(draft.dictionary, shard.task).id;
        const run_key = runKeyOf(draft.dictionary, shard.runId);
        const model_id = draft.modelId(shard.modelKey, shard.classNames);
        const acceptance_id = draft.acceptanceId(shard.acceptKey);
        const known = await knownRegions(
          session,
          draft.dictionary,
          shard.images.map(({ imageId }) => imageId),
          model_id,
          task_id,
        );
        draft.guard('regions', known.revision);
        draft.bump('regions');
        const plans = shard.images.map((image) => ({ image, ...planImage(draft, shard, image, known) }));

        // Statement by statement, not image by image: runs of one statement travel together.
        for (const { image } of plans) {
          if (image.candidates === null) continue;
          const detections = packDetections(image.candidates);
          draft.add(putCandidate, { image_id: imageKey(image.imageId), model_id, detections });
        }
        for (const { image } of plans) {
          draft.add(putDetection, { model_id, image_id: imageKey(image.imageId), acceptance_id, run_key });
        }
        // Another model's regions in this task are gone: going back to it accepts its candidates again.
        for (const [, other] of draft.dictionary.modelIds) {
          if (other === model_id) continue;
          for (const { image } of plans)
            draft.add(dropDetection, { model_id: other, image_id: imageKey(image.imageId) });
        }
        const origin = ORIGIN_CODES.detector;
        for (const { image } of plans) {
          draft.add(labels.dropDetected, { image_id: imageKey(image.imageId), task_id, origin });
        }
        const gone = plans.flatMap(({ image, removed }) =>
          removed.map((id) => ({ image_id: imageKey(image.imageId), region_id: regionKey(id) })),
        );
        for (const region of gone) draft.add(labels.dropLabelsOfRegion, region);
        for (const region of gone) draft.add(labels.dropRegion, region);
        for (const { image, added } of plans) {
          for (const region of added) {
            const row = { ...region, imageId: image.imageId, touched: false, deleted: false, crowd: false };
            draft.add(labels.putRegion, regionRow(row, model_id, run_key));
          }
        }
        for (const { image, added } of plans) {
          for (const { id, keypoints, mask } of added) {
            // A region of the same id is the same box: what other stages found in it stays.
            if (keypoints === undefined && mask === undefined) continue;
            const shape = { keypoints: keypoints ?? null, mask: mask ?? null, polygons: null };
            if (hasShape(shape)) draft.add(labels.putShape, shapeRow(image.imageId, id, shape, model_id));
            else if (known.regionIds.has(id)) {
              draft.add(labels.dropShape, { image_id: imageKey(image.imageId), region_id: regionKey(id) });
            }
          }
        }
        const put = (image_id: Uint8Array, region_id: Uint8Array, className: string, confidence: number) =>
          draft.add(labels.putLabel, {
            image_id,
            region_id,
            task_id,
            class_id: draft.classId(className),
            origin,
            model_id,
            annotator_id: NO_ANNOTATOR_ID,
            present: 1,
            confidence,
            run_key,
            sequence: draft.nextSequence(),
          });
        for (const { image, added, imageLabels } of plans) {
          const image_id = imageKey(image.imageId);
          // The most confident last: of several names of one class the newest label is the one that holds.
          const rising = imageLabels.toSorted((a, b) => a.confidence - b.confidence);
          for (const { className, confidence } of rising) put(image_id, NO_BYTES, className, confidence);
          for (const region of added) put(image_id, regionKey(region.id), region.className, region.score);
        }
        for (const row of shard.quarantine) images.quarantine(draft, row);
      });
    },

    async yieldToFrozen({ task, frozenIou, imageIds }) {
      let gone = 0;
      await session.write(async (draft) => {
        gone = 0;
        const taskId = findTask(draft.dictionary, task)?.id;
        if (taskId === undefined) return;
        const known = await knownRegions(session, draft.dictionary, imageIds, UNKNOWN, taskId);
        draft.guard('regions', known.revision);
        const covered = [...known.frozen].flatMap(([imageId, frozen]) =>
          (known.replaceable.get(imageId) ?? [])
            .filter(({ box, classIds }) => [...classIds].some((id) => isOver(frozen, id, box, frozenIou)))
            .map(({ id }) => ({ image_id: imageKey(imageId), region_id: regionKey(id) })),
        );
        if (covered.length === 0) return;
        draft.bump('regions');
        for (const region of covered) draft.add(labels.dropLabelsOfRegion, region);
        for (const region of covered) draft.add(labels.dropRegion, region);
        gone = covered.length;
      });
      return gone;
    },

    async *candidates(modelKey) {
      const modelId = (await session.freshDictionary()).modelIds.get(modelKey);
      if (modelId === undefined) return;
      type CandidateRow = { image_id: Uint8Array; detections: Uint8Array };
      const pages = session.pages<CandidateRow>(session.pageSize, async (last) => {
        const query = db
          .selectFrom('candidate')
          .select(['image_id', 'detections'])
          .where('model_id', '=', modelId)
          .where('image_id', '>', last?.image_id ?? NO_BYTES)
          .orderBy('image_id')
          .limit(session.pageSize);
        return (await session.driver.read([query]))[0];
      });
      for await (const rows of pages) {
        yield rows.map((row): { imageId: ImageId; detections: Detections } => ({
          imageId: idOf(row.image_id),
          detections: unpackDetections(row.detections),
        }));
      }
    },

    async candidatesOf(modelKey, imageIds) {
      const found = new Map<ImageId, Detections>();
      const modelId = (await session.freshDictionary()).modelIds.get(modelKey);
      if (modelId === undefined) return found;
      for (const piece of pieces([...new Set(imageIds)].map(imageKey))) {
        const query = db
          .selectFrom('candidate')
          .select(['image_id', 'detections'])
          .where('model_id', '=', modelId)
          .where('image_id', 'in', piece);
        const [rows] = await session.driver.read([query]);
        for (const { image_id, detections } of rows) found.set(idOf(image_id), unpackDetections(detections));
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

interface FrozenRegion {
  readonly box: Box;
  readonly deleted: boolean;
  /** Every class that anybody said of it in the task, present or not; empty when it has no label. */
  readonly classIds: ReadonlySet<number>;
  /** Those that hold. */
  readonly standingIds: ReadonlySet<number>;
}

interface ReplaceableRegion {
  readonly id: string;
  readonly box: Box;
  /** What other detectors called it in the task; not read for regions of the model that is asked for. */
  readonly classIds: ReadonlySet<number>;
}

interface KnownRegions {
  /** The counter `regions` at the time of reading. */
  readonly revision: number;
  readonly regionIds: ReadonlySet<string>;
  /** Untouched regions of this model, and of others that speak in the task, by image: what a shard replaces. */
  readonly replaceable: ReadonlyMap<ImageId, readonly ReplaceableRegion[]>;
  /** Regions a person touched or deleted, by image. */
  readonly frozen: ReadonlyMap<ImageId, readonly FrozenRegion[]>;
  readonly frozenIds: ReadonlySet<string>;
}

async function knownRegions(
  session: Session,
  dictionary: Dictionary,
  imageIds: readonly ImageId[],
  modelId: number,
  taskId: number,
): Promise<KnownRegions> {
  const { db } = session;
  const revision = await session.regionsRevision();
  const regionIds = new Set<string>();
  const replaceable = new Map<ImageId, ReplaceableRegion[]>();
  const frozen = new Map<ImageId, FrozenRegion[]>();
  const frozenIds = new Set<string>();
  for (const piece of pieces(imageIds.map(imageKey))) {
    const [regions] = await session.driver.read([db.selectFrom('region').selectAll().where('image_id', 'in', piece)]);
    const others = await regionsOfOthers(session, piece, modelId, taskId);
    const touched = regions.filter((row) => row.touched === 1 || row.deleted === 1);
    const labels = new Map<string, LabelTable[]>();
    for (const ids of pieces([...new Set(touched.map((row) => idOf(row.image_id)))].map(imageKey))) {
      const [rows] = await session.driver.read([
        db.selectFrom('label').selectAll().where('image_id', 'in', ids).where('task_id', '=', taskId),
      ]);
      for (const [id, own] of Map.groupBy(rows, (row) => idOf(row.region_id))) labels.set(id, own);
    }
    for (const row of regions) {
      const id = idOf(row.id);
      const imageId = idOf(row.image_id);
      regionIds.add(id);
      if (row.touched === 0 && row.deleted === 0) {
        if (row.model_id === modelId || others.has(id)) {
          const classIds = new Set([...(others.get(id) ?? [])].map((classId) => rootOf(dictionary, classId)));
          const region: ReplaceableRegion = { id, box: [row.x1, row.y1, row.x2, row.y2], classIds };
          replaceable.set(imageId, [...(replaceable.get(imageId) ?? []), region]);
        }
        continue;
      }
      const own = labels.get(id) ?? [];
      frozenIds.add(id);
      const entry: FrozenRegion = {
        box: [row.x1, row.y1, row.x2, row.y2],
        deleted: row.deleted === 1,
        classIds: new Set(own.map((label) => rootOf(dictionary, label.class_id))),
        standingIds: standingClasses(own, dictionary),
      };
      frozen.set(imageId, [...(frozen.get(imageId) ?? []), entry]);
    }
  }
  return { revision, regionIds, replaceable, frozen, frozenIds };
}

/** Regions that another detector found and labelled in this task, with what it called them. */
async function regionsOfOthers(session: Session, images: readonly Uint8Array[], modelId: number, taskId: number) {
  const [rows] = await session.driver.read([
    session.db
      .selectFrom('label')
      .innerJoin('region', (join) =>
        join.onRef('region.image_id', '=', 'label.image_id').onRef('region.id', '=', 'label.region_id'),
      )
      .select(['label.region_id', 'label.class_id'])
      .where('label.image_id', 'in', images)
      .where('label.task_id', '=', taskId)
      .where('label.origin', '=', ORIGIN_CODES.detector)
      .where('region.model_id', 'is not', null)
      .where('region.model_id', '<>', modelId),
  ]);
  const classes = new Map<string, number[]>();
  for (const row of rows) {
    const id = idOf(row.region_id);
    classes.set(id, [...(classes.get(id) ?? []), row.class_id]);
  }
  return classes;
}

/** Whether a box of a class is the same thing as a region that is not to be touched. */
function isOver(frozen: readonly FrozenRegion[], classId: number, box: Box, frozenIou: number): boolean {
  return frozen.some((old) => (old.classIds.size === 0 || old.classIds.has(classId)) && iou(old.box, box) >= frozenIou);
}

type ShardImage = DetectionShard['images'][number];

/**
 * What of an image's new regions is added, which old ones go, and which image labels still stand on a region: a class
 * all of whose regions a person deleted is not the image's.
 */
function planImage(draft: Draft, shard: DetectionShard, image: ShardImage, known: KnownRegions) {
  if (!(shard.frozenIou > 0 && shard.frozenIou <= 1)) {
    throw new LabelsmithError('USAGE', `frozenIou is above 0 and at most 1, not ${shard.frozenIou}`);
  }
  const frozen = known.frozen.get(image.imageId) ?? [];
  const added: AcceptedRegion[] = [];
  const suppressed = new Set<number>();
  const standing = new Set<number>();
  for (const region of image.regions) {
    const classId = draft.rootId(draft.classId(region.className));
    if (!isOver(frozen, classId, region.box, shard.frozenIou) && !known.frozenIds.has(region.id)) {
      added.push(region);
      standing.add(classId);
    } else {
      suppressed.add(classId);
    }
  }
  for (const old of frozen) {
    if (!old.deleted) for (const classId of old.standingIds) standing.add(classId);
  }
  const kept = new Set(added.map((region) => region.id));
  return {
    added,
    removed: (known.replaceable.get(image.imageId) ?? []).map(({ id }) => id).filter((id) => !kept.has(id)),
    imageLabels: image.imageLabels.filter(({ className }) => {
      const classId = draft.rootId(draft.classId(className));
      return !suppressed.has(classId) || standing.has(classId);
    }),
  };
}
