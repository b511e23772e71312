/** Regions: what a person draws, moves, deletes or imports, and reading them. */
import type { ImageId, RegionId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Store, StoredRegion } from '../store.ts';
import { hasShape, idOf, imageKey, NO_SHAPE, regionKey, regionRow, shapeOf, shapeRow } from './codec.ts';
import { lostImageLabels } from './derived.ts';
import type { Dictionary } from './dictionary.ts';
import { runKeyOf } from './dictionary.ts';
import { labelStatements } from './label-statements.ts';
import type { RegionShapeTable, RegionTable } from './schema.ts';
import type { Session } from './session.ts';
import { pieces } from './session.ts';

export function regionStore(session: Session): Pick<Store, 'regionsOf' | 'putRegions' | 'deleteRegionsAsHuman'> {
  const { db } = session;
  const statements = labelStatements(session);
  return {
    async regionsOf(ids) {
      const regions = new Map<ImageId, StoredRegion[]>();
      for (const piece of pieces([...new Set(ids)].map(imageKey))) {
        const { rows, dictionary } = await session.read([
          db.selectFrom('region').selectAll().where('image_id', 'in', piece).orderBy('image_id').orderBy('id'),
          db.selectFrom('region_shape').selectAll().where('image_id', 'in', piece),
        ]);
        for (const region of regionsOfRows(rows[0], rows[1], dictionary)) {
          const known = regions.get(region.imageId);
          if (known === undefined) regions.set(region.imageId, [region]);
          else known.push(region);
        }
      }
      return regions;
    },

    async putRegions(regions) {
      const frozen = db.selectFrom('region').select(['image_id', 'id']).where('touched', '=', 1);
      await session.write(async (draft) => {
        draft.bump('regions');
        const revision = await session.regionsRevision();
        // What a person touched stays whole: its shape is not replaced either.
        const keep = new Set<RegionId>();
        for (const piece of pieces(regions.filter((region) => !region.touched).map((r) => regionKey(r.id)))) {
          const [rows] = await session.driver.read([frozen.where('id', 'in', piece)]);
          for (const row of rows) keep.add(idOf(row.id));
        }
        draft.guard('regions', revision);
        for (const region of regions) {
          if (keep.has(region.id)) continue;
          const modelId = region.modelKey === null ? null : draft.modelId(region.modelKey);
          const runKey = region.runId === null ? null : runKeyOf(draft.dictionary, region.runId);
          draft.add(statements.putRegion, regionRow(region, modelId, runKey));
          if (hasShape(region)) draft.add(statements.putShape, shapeRow(region.imageId, region.id, region, null));
          else draft.add(statements.dropShape, { image_id: imageKey(region.imageId), region_id: regionKey(region.id) });
        }
      });
    },

    async deleteRegionsAsHuman(ids) {
      await session.write(async (draft) => {
        draft.guard('regions', await session.regionsRevision());
        draft.bump('regions');
        const images = await imagesOfRegions(session, ids);
        for (const [id, image] of images) {
          draft.add(statements.buryRegion, { image_id: imageKey(image), region_id: regionKey(id) });
        }
        for (const label of await lostImageLabels(session, new Set(images.values()), { buried: new Set(ids) })) {
          draft.add(statements.dropLabelsOfClass, label);
        }
      });
    },
  };
}

export function regionsOfRows(
  rows: readonly RegionTable[],
  shapeRows: readonly RegionShapeTable[],
  dictionary: Dictionary,
): StoredRegion[] {
  const shapes = new Map(shapeRows.map((row) => [idOf(row.region_id), row]));
  return rows.map((row) => {
    const id = idOf(row.id);
    const shape = shapes.get(id);
    return {
      id,
      imageId: idOf(row.image_id),
      box: [row.x1, row.y1, row.x2, row.y2],
      score: row.score,
      modelKey: row.model_id === null ? null : (dictionary.modelById.get(row.model_id)?.key ?? null),
      runId: row.run_key === null ? null : (dictionary.runById.get(row.run_key) ?? null),
      touched: row.touched !== 0,
      deleted: row.deleted !== 0,
      crowd: row.crowd !== 0,
      ...(shape === undefined ? NO_SHAPE : shapeOf(shape)),
    };
  });
}

/** The image of each region; fails when one is not there. */
export async function imagesOfRegions(session: Session, ids: readonly RegionId[]): Promise<Map<RegionId, ImageId>> {
  const images = new Map<RegionId, ImageId>();
  for (const piece of pieces([...new Set(ids)].map(regionKey))) {
    const [rows] = await session.driver.read([
      session.db.selectFrom('region').select(['id', 'image_id']).where('id', 'in', piece),
    ]);
    for (const row of rows) images.set(idOf(row.id), idOf(row.image_id));
  }
  const unknown = ids.find((id) => !images.has(id));
  if (unknown === undefined) return images;
  throw new LabelsmithError('NOT_FOUND', `There is no region ${unknown}`, {
    hint: 'It may have been replaced by a newer run of `detect`; read the regions of its image again.',
    details: { regionId: unknown },
  });
}
