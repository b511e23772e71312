/** Keypoints and masks that stages add to a detector's regions: what is left to do, and one shard of them. */
import { FILE_GONE, type RegionShapeOf, type ShapeItem, type ShapeQuery, type ShapeStore } from '../store.ts';
import { ORIGIN_CODES } from './codes.ts';
import { hexOf } from './column.ts';
import { UNKNOWN } from './detection-work.ts';
import type { Dictionary } from './dictionary.ts';
import { findTask, rootClassId } from './dictionary.ts';
import { type ImageRow, imageOf } from './images.ts';
import { type Places, readPlaces } from './places.ts';
import { putInQuarantine, rootsOf } from './quarantine.ts';
import { countOf } from './raw-query.ts';
import { REGION_STATEMENTS, type RegionRow } from './region-rows.ts';
import type { Session } from './session.ts';

export function shapeStore(session: Session): ShapeStore {
  const { db } = session;
  return {
    async *shapeWork(query) {
      const dictionary = await session.freshDictionary();
      for await (const { after, last } of session.imageRanges()) {
        const [regions, rows] = await session.driver.read([
          workQuery(session, query, dictionary)
            .select(['region.image_id', 'region.id', 'region.x1', 'region.y1', 'region.x2', 'region.y2'])
            .where('region.image_id', '>', after)
            .where('region.image_id', '<=', last)
            .orderBy('region.image_id')
            .orderBy('region.id'),
          db.selectFrom('image').selectAll().where('id', '>', after).where('id', '<=', last).orderBy('id'),
        ]);
        if (regions.length > 0) yield itemsOf(regions, rows);
      }
    },

    async countShapeWork(query) {
      const work = workQuery(session, query, await session.freshDictionary());
      const images = work.select((eb) => eb.fn.count<number>('region.image_id').distinct().as('n'));
      return countOf(await session.driver.analyse(images));
    },

    async commitShapes({ makerKey, shapes, quarantine }) {
      if (shapes.length + quarantine.length === 0) return;
      await session.write('shapes', async (work) => {
        await work.know({ models: [makerKey], roots: rootsOf(quarantine) });
        const maker = work.modelId(makerKey);
        // People may have changed or deleted regions while the shard was under way.
        const now = await readPlaces(work, new Set(shapes.map(({ imageId }) => imageId)));
        for (const shape of shapes) {
          switch (shape.kind) {
            case 'keypoints':
              if (now.regions.get(shape.regionId)?.touched !== false) break;
              work.add(REGION_STATEMENTS.putKeypoints, { ...shape, keypointsModelId: maker });
              break;
            case 'mask':
              if (!takesMask(now, shape)) break;
              work.add(REGION_STATEMENTS.putMask, { ...shape, maskModelId: maker });
              break;
            default:
              shape satisfies never;
          }
        }
        putInQuarantine(work, quarantine);
        work.touch(shapes.map(({ imageId }) => imageId));
      });
    },
  };
}

/** Whether the box is still the one that the mask was made for, and nobody has brought an outline. */
function takesMask({ regions, shapes }: Places, { regionId, box }: Extract<RegionShapeOf, { kind: 'mask' }>): boolean {
  const region = regions.get(regionId);
  if (region === undefined || region.deleted) return false;
  const { x1, y1, x2, y2 } = region;
  if ([x1, y1, x2, y2].some((side, i) => side !== box[i])) return false;
  const shape = shapes.get(regionId);
  if (shape === undefined) return true;
  return shape.polygons === null && (shape.mask === null || shape.maskModelId !== null);
}

/** Of each kind of shape, the columns of the shape itself and of its maker. */
const SHAPE_COLUMNS = {
  keypoints: ['keypoints', 'keypoints_model_id'],
  mask: ['mask', 'mask_model_id'],
} as const satisfies Record<ShapeQuery['kind'], readonly string[]>;

/** Regions without a shape of this maker. A shape with no maker at all came with an import or from a person and stays. */
function workQuery({ db }: Session, query: ShapeQuery, dictionary: Dictionary) {
  const { kind, modelKey, makerKey, force = false } = query;
  const makerId = dictionary.modelIds.get(makerKey) ?? UNKNOWN;
  const [shape, maker] = SHAPE_COLUMNS[kind];
  return db
    .selectFrom('region')
    .leftJoin('region_shape', (join) =>
      join.onRef('region_shape.image_id', '=', 'region.image_id').onRef('region_shape.region_id', '=', 'region.id'),
    )
    .where('region.deleted', '=', 0)
    .where((eb) => {
      const found = eb('region.model_id', '=', dictionary.modelIds.get(modelKey) ?? UNKNOWN);
      if (kind === 'keypoints') return eb.and([found, eb('region.touched', '=', 0)]);
      return eb.and([
        eb.or([found, eb('region.model_id', 'is', null), eb('region.touched', '=', 1)]),
        eb('region.crowd', '=', 0),
        eb('region_shape.polygons', 'is', null),
      ]);
    })
    .where((eb) =>
      eb.or([
        eb(`region_shape.${shape}`, 'is', null),
        ...(force ? [eb(`region_shape.${maker}`, 'is not', null)] : [eb(`region_shape.${maker}`, '<>', makerId)]),
      ]),
    )
    .where((eb) => {
      const classIds = classIdsOf(query, dictionary);
      if (classIds === null) return eb.lit(true);
      return eb.exists(
        eb
          .selectFrom('label')
          .select('label.class_id')
          .whereRef('label.image_id', '=', 'region.image_id')
          .whereRef('label.region_id', '=', 'region.id')
          .where('label.task_id', '=', findTask(dictionary, query.task)?.id ?? UNKNOWN)
          .where('label.origin', '=', ORIGIN_CODES.detector)
          .where('label.class_id', 'in', classIds),
      );
    })
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('image_path')
          .leftJoin('quarantine', 'quarantine.path', 'image_path.path')
          .select('image_path.path')
          .whereRef('image_path.image_id', '=', 'region.image_id')
          .where('image_path.missing', '=', 0)
          .where((row) => row.or([row('quarantine.path', 'is', null), row('quarantine.reason', '=', FILE_GONE)])),
      ),
    );
}

/** All numbers under which labels of the classes that were named are kept; null for every class. */
function classIdsOf({ classNames }: ShapeQuery, dictionary: Dictionary): number[] | null {
  if (classNames === undefined) return null;
  const known = classNames.flatMap((name) => dictionary.classIds.get(name) ?? []);
  const roots = new Set(known.map((id) => rootClassId(dictionary, id)));
  const ids = [...dictionary.classById.values()].filter(({ rootId }) => roots.has(rootId)).map(({ id }) => id);
  return ids.length === 0 ? [UNKNOWN] : ids;
}

function itemsOf(
  regions: readonly Pick<RegionRow, 'image_id' | 'id' | 'x1' | 'y1' | 'x2' | 'y2'>[],
  images: readonly ImageRow[],
): ShapeItem[] {
  const byImage = Map.groupBy(regions, (row) => hexOf(row.image_id));
  return images.map(imageOf).flatMap((image) => {
    const own = byImage.get(image.id);
    if (own === undefined) return [];
    return [
      { image, regions: own.map(({ id, x1, y1, x2, y2 }) => ({ id: hexOf(id), box: [x1, y1, x2, y2] as const })) },
    ];
  });
}
