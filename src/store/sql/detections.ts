/** Detection: one shard of candidates, regions and the labels derived from them. */
import type { ImageId, RegionId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { AcceptedRegion, DetectionShard, DetectionStore } from '../store.ts';
import { imageId, integer } from './column.ts';
import { candidateStore, detectionWorkStore, doneByOthers, UNKNOWN } from './detection-work.ts';
import { findTask, rootClassId, runKeyOf, taskOf } from './dictionary.ts';
import { coveredRegions, isOver, type KnownRegions, knownRegions } from './frozen-regions.ts';
import { LABEL_STATEMENTS } from './label-rows.ts';
import { packDetections } from './packed-detections.ts';
import { putInQuarantine, rootsOf } from './quarantine.ts';
import { hasShape, REGION_STATEMENTS, regionFields, shapeFields } from './region-rows.ts';
import type { Session } from './session.ts';
import { statement } from './statement.ts';
import { insert } from './table.ts';
import { candidates, detections, NO_ANNOTATOR_ID } from './tables.ts';
import type { Work } from './work.ts';

const STATEMENTS = {
  putCandidate: insert(candidates, { existing: 'replace' }),
  putDetection: insert(detections, { existing: 'replace' }),
  /** Another model's regions in this task are gone: going back to it accepts its candidates again. */
  dropOfOthers: statement('delete from detection where image_id = :imageId and model_id <> :modelId', {
    imageId,
    modelId: integer,
  }),
};

export function detectionStore(session: Session): DetectionStore {
  return {
    ...detectionWorkStore(session),
    ...candidateStore(session),

    async commitDetections(given) {
      refuseBadIou(given.frozenIou);
      return session.write('detections', async (work) => {
        const { shard, left } = await withoutDone(work, given);
        await work.know({
          models: [shard.modelKey],
          acceptances: [shard.acceptKey],
          classes: classNamesOf(shard),
          roots: rootsOf(shard.quarantine),
        });
        const commit: Commit = {
          taskId: taskOf(work.dictionary, shard.task).id,
          runKey: runKeyOf(work.dictionary, shard.runId),
          modelId: work.modelId(shard.modelKey),
        };
        const imageIds = shard.images.map(({ imageId }) => imageId);
        const known = await knownRegions(work, imageIds, commit.modelId, commit.taskId);
        const plans = shard.images.map((image) => planImage(work, shard, image, known));
        work.setModelClasses(commit.modelId, shard.classNames);
        putCandidates(work, shard, commit);
        putRegions(work, plans, known, commit);
        putLabels(work, plans, commit);
        putInQuarantine(work, shard.quarantine);
        work.touch(imageIds);
        return left;
      });
    },

    async yieldToFrozen({ task, frozenIou, imageIds }) {
      const taskId = findTask(await session.freshDictionary(), task)?.id;
      if (taskId === undefined || imageIds.length === 0) return 0;
      return session.write('detections', async (work) => {
        const known = await knownRegions(work, imageIds, UNKNOWN, taskId);
        const covered = coveredRegions(known, frozenIou);
        dropRegions(work, covered);
        work.touch(covered.map(({ imageId }) => imageId));
        return covered.length;
      });
    },
  };
}

/** The shard without what another run did since it was planned, and the images that are left alone so. */
async function withoutDone(
  work: Work,
  shard: DetectionShard,
): Promise<{ readonly shard: DetectionShard; readonly left: ReadonlySet<ImageId> }> {
  if (!shard.leaveDone) return { shard, left: new Set() };
  const { dictionary, db } = work;
  const imageIds = shard.images.map(({ imageId }) => imageId);
  const left = await doneByOthers({ db, dictionary, read: (queries) => work.read(queries) }, { ...shard, imageIds });
  return { shard: { ...shard, images: shard.images.filter(({ imageId }) => !left.has(imageId)) }, left };
}

function refuseBadIou(frozenIou: number): void {
  if (frozenIou > 0 && frozenIou <= 1) return;
  throw new LabelsmithError('USAGE', `frozenIou is above 0 and at most 1, not ${frozenIou}`);
}

/** The numbers of what a shard names. */
interface Commit {
  readonly taskId: number;
  readonly runKey: number;
  readonly modelId: number;
}

type ShardImage = DetectionShard['images'][number];

function classNamesOf({ images }: DetectionShard): Set<string> {
  const names = new Set<string>();
  for (const { regions, imageLabels } of images) {
    for (const { className } of regions) names.add(className);
    for (const { className } of imageLabels) names.add(className);
  }
  return names;
}

interface ImagePlan {
  readonly imageId: string;
  readonly added: readonly AcceptedRegion[];
  readonly removed: readonly RegionId[];
  readonly imageLabels: ShardImage['imageLabels'];
}

/**
 * What of an image's new regions is added, which old ones go, and which image labels still stand on a region: a class
 * all of whose regions a person deleted is not the image's.
 */
function planImage(work: Work, { frozenIou }: DetectionShard, image: ShardImage, known: KnownRegions): ImagePlan {
  const { imageId } = image;
  const frozen = known.frozen.get(imageId) ?? [];
  const rootOf = (className: string) => rootClassId(work.dictionary, work.classId(className));
  const added: AcceptedRegion[] = [];
  const suppressed = new Set<number>();
  const standing = new Set<number>();
  for (const region of image.regions) {
    const classId = rootOf(region.className);
    if (!isOver(frozen, classId, region.box, frozenIou) && !known.frozenIds.has(region.id)) {
      added.push(region);
      standing.add(classId);
    } else {
      suppressed.add(classId);
    }
  }
  for (const old of frozen) {
    if (!old.deleted) for (const classId of old.standingIds) standing.add(classId);
  }
  const kept = new Set(added.map(({ id }) => id));
  return {
    imageId,
    added,
    removed: (known.replaceable.get(imageId) ?? []).map(({ id }) => id).filter((id) => !kept.has(id)),
    imageLabels: image.imageLabels.filter(({ className }) => {
      const classId = rootOf(className);
      return !suppressed.has(classId) || standing.has(classId);
    }),
  };
}

// Statement by statement, not image by image: runs of one statement travel together.

function putCandidates(work: Work, shard: DetectionShard, { modelId, runKey, taskId }: Commit): void {
  const acceptanceId = work.acceptanceId(shard.acceptKey);
  for (const { imageId, candidates: found } of shard.images) {
    if (found !== null) work.add(STATEMENTS.putCandidate, { imageId, modelId, detections: packDetections(found) });
  }
  for (const { imageId } of shard.images) work.add(STATEMENTS.putDetection, { imageId, modelId, acceptanceId, runKey });
  for (const { imageId } of shard.images) work.add(STATEMENTS.dropOfOthers, { imageId, modelId });
  for (const { imageId } of shard.images)
    work.add(LABEL_STATEMENTS.dropDetected, { imageId, taskId, origin: 'detector' });
}

function putRegions(work: Work, plans: readonly ImagePlan[], known: KnownRegions, { modelId, runKey }: Commit): void {
  dropRegions(
    work,
    plans.flatMap(({ imageId, removed }) => removed.map((id) => ({ imageId, id }))),
  );
  for (const { imageId, added } of plans) {
    for (const region of added) {
      const plain = { ...region, imageId, touched: false, deleted: false, crowd: false };
      work.add(REGION_STATEMENTS.put, regionFields(plain, modelId, runKey));
    }
  }
  for (const { imageId, added } of plans) {
    for (const { id, keypoints, mask } of added) {
      // A region of the same id is the same box: what other stages found in it stays.
      if (keypoints === undefined && mask === undefined) continue;
      const shape = { keypoints: keypoints ?? null, mask: mask ?? null, polygons: null };
      if (hasShape(shape))
        work.add(REGION_STATEMENTS.putShape, shapeFields(imageId, id, shape, { keypoints: modelId, mask: modelId }));
      else if (known.regionIds.has(id)) work.add(REGION_STATEMENTS.dropShape, { imageId, regionId: id });
    }
  }
}

function dropRegions(work: Work, gone: readonly { readonly imageId: string; readonly id: RegionId }[]): void {
  for (const { imageId, id } of gone) work.add(LABEL_STATEMENTS.dropOfRegion, { imageId, regionId: id });
  for (const region of gone) work.add(REGION_STATEMENTS.drop, region);
}

function putLabels(work: Work, plans: readonly ImagePlan[], { taskId, modelId, runKey }: Commit): void {
  const put = (imageId: string, regionId: string, className: string, confidence: number) =>
    work.add(LABEL_STATEMENTS.put, {
      imageId,
      regionId,
      taskId,
      classId: work.classId(className),
      origin: 'detector',
      modelId,
      annotatorId: NO_ANNOTATOR_ID,
      present: true,
      confidence,
      runKey,
      sequence: work.nextSequence(),
    });
  for (const { imageId, added, imageLabels } of plans) {
    // The most confident last: of several names of one class the newest label is the one that holds.
    const rising = imageLabels.toSorted((a, b) => a.confidence - b.confidence);
    for (const { className, confidence } of rising) put(imageId, '', className, confidence);
    for (const region of added) put(imageId, region.id, region.className, region.score);
  }
}
