/** Keypoints and masks that stages add to a detector's regions: what is left to do, and one shard of them. */

import { FILE_GONE, type ShapeItem, type ShapeQuery, type Store } from '../store.ts';
import { idOf, imageKey, imageOf, regionKey } from './codec.ts';
import { rootOf } from './derived.ts';
import type { Dictionary } from './dictionary.ts';
import { findTask } from './dictionary.ts';
import { imageStatements } from './images.ts';
import { labelStatements } from './label-statements.ts';
import type { ImageTable, RegionTable } from './schema.ts';
import { ORIGIN_CODES } from './schema.ts';
import type { Session } from './session.ts';
import { pieces } from './session.ts';

/** No row has this number: what a model that is not in the dictionary is compared with. */
const UNKNOWN = -1;

export function shapeStore(session: Session): Pick<Store, 'shapeWork' | 'countShapeWork' | 'commitShapes'> {
  const { db } = session;
  const images = imageStatements(session);
  const statements = labelStatements(session);

  /**
   * Regions without a shape of this maker. A shape with no maker at all came with an import or from a person and stays,
   * and so does a region that a person touched.
   */
  function work(query: ShapeQuery, dictionary: Dictionary) {
    const { kind, modelKey, makerKey, task, classNames, force = false } = query;
    const makerId = dictionary.modelIds.get(makerKey) ?? UNKNOWN;
    const [shape, maker] = SHAPE_COLUMNS[kind];
    return db
      .selectFrom('region')
      .leftJoin('region_shape', (join) =>
        join.onRef('region_shape.image_id', '=', 'region.image_id').onRef('region_shape.region_id', '=', 'region.id'),
      )
      .where('region.touched', '=', 0)
      .where('region.deleted', '=', 0)
      .where('region.model_id', '=', dictionary.modelIds.get(modelKey) ?? UNKNOWN)
      .where((eb) =>
        eb.or([
          eb(`region_shape.${shape}`, 'is', null),
          ...(force ? [eb(`region_shape.${maker}`, 'is not', null)] : [eb(`region_shape.${maker}`, '<>', makerId)]),
        ]),
      )
      .where((eb) => {
        if (classNames === undefined) return eb.lit(true);
        const known = classNames.flatMap((name) => dictionary.classIds.get(name) ?? []);
        const roots = new Set(known.map((id) => rootOf(dictionary, id)));
        const ids = [...dictionary.classById.values()].filter(({ rootId }) => roots.has(rootId)).map(({ id }) => id);
        return eb.exists(
          eb
            .selectFrom('label')
            .select('label.class_id')
            .whereRef('label.image_id', '=', 'region.image_id')
            .whereRef('label.region_id', '=', 'region.id')
            .where('label.task_id', '=', findTask(dictionary, task)?.id ?? UNKNOWN)
            .where('label.origin', '=', ORIGIN_CODES.detector)
            .where('label.class_id', 'in', ids.length === 0 ? [UNKNOWN] : ids),
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

  return {
    async *shapeWork(query) {
      const dictionary = await session.freshDictionary();
      for await (const { after, last } of session.imageRanges()) {
        const [regions, rows] = await session.driver.read([
          work(query, dictionary)
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
      const dictionary = await session.freshDictionary();
      const [row] = await session.driver.analyse(
        work(query, dictionary).select((eb) => eb.fn.count<number>('region.image_id').distinct().as('n')),
      );
      return Number(row?.n ?? 0);
    },

    async commitShapes({ makerKey, shapes, quarantine }) {
      await session.write(async (draft) => {
        draft.guard('regions', await session.regionsRevision());
        draft.bump('regions');
        const maker = draft.modelId(makerKey);
        // Regions that went or that a person took over while the shard was under way get nothing.
        const open = new Set<string>();
        for (const piece of pieces(shapes.map(({ regionId }) => regionKey(regionId)))) {
          const [rows] = await session.driver.read([
            db.selectFrom('region').select('id').where('id', 'in', piece).where('touched', '=', 0),
          ]);
          for (const row of rows) open.add(idOf(row.id));
        }
        for (const shape of shapes) {
          if (!open.has(shape.regionId)) continue;
          const key = { image_id: imageKey(shape.imageId), region_id: regionKey(shape.regionId), maker };
          switch (shape.kind) {
            case 'keypoints':
              draft.add(statements.putKeypoints, { ...key, keypoints: JSON.stringify(shape.keypoints) });
              break;
            case 'mask':
              draft.add(statements.putMask, { ...key, mask: JSON.stringify(shape.mask) });
              break;
            default:
              shape satisfies never;
          }
        }
        for (const row of quarantine) images.quarantine(draft, row);
      });
    },
  };
}

/** Of each kind of shape, the columns of the shape itself and of its maker. */
const SHAPE_COLUMNS = {
  keypoints: ['keypoints', 'keypoints_model_id'],
  mask: ['mask', 'mask_model_id'],
} as const satisfies Record<ShapeQuery['kind'], readonly string[]>;

function itemsOf(
  regions: readonly Pick<RegionTable, 'image_id' | 'id' | 'x1' | 'y1' | 'x2' | 'y2'>[],
  images: readonly ImageTable[],
): ShapeItem[] {
  const byImage = Map.groupBy(regions, (row) => idOf(row.image_id));
  return images.flatMap((row) => {
    const own = byImage.get(idOf(row.id));
    if (own === undefined) return [];
    return [
      {
        image: imageOf(row),
        regions: own.map(({ id, x1, y1, x2, y2 }) => ({ id: idOf(id), box: [x1, y1, x2, y2] as const })),
      },
    ];
  });
}
