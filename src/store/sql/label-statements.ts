/** Writes of regions and labels, shared by detection, people and machines. */
import { sql } from 'kysely';
import type { Label } from '../../core/labels.ts';
import { idOf } from './codec.ts';
import type { Dictionary } from './dictionary.ts';
import { annotatorOf, classNameOf } from './dictionary.ts';
import type { LabelTable, RegionShapeTable, RegionTable } from './schema.ts';
import { originOf } from './schema.ts';
import type { Session } from './session.ts';
import { template } from './template.ts';

/** A label's key but for its class. */
export type LabelScope = Pick<LabelTable, 'image_id' | 'region_id' | 'task_id' | 'origin'>;
type ImageScope = Pick<LabelTable, 'image_id' | 'task_id' | 'origin'>;
type RegionScope = { image_id: Uint8Array; region_id: Uint8Array };

export function labelStatements({ db }: Pick<Session, 'db'>) {
  const setRegion = (v: RegionTable) =>
    db.insertInto('region').values({
      image_id: v.image_id,
      id: v.id,
      x1: v.x1,
      y1: v.y1,
      x2: v.x2,
      y2: v.y2,
      score: v.score,
      model_id: v.model_id,
      run_key: v.run_key,
      touched: v.touched,
      deleted: v.deleted,
      crowd: v.crowd,
    });
  return {
    /** Inserts or replaces a region; a machine's or an import's never replaces one that a person touched. */
    putRegion: template<RegionTable>((v) =>
      setRegion(v).onConflict((conflict) =>
        conflict
          .columns(['image_id', 'id'])
          .doUpdateSet((eb) => ({
            x1: eb.ref('excluded.x1'),
            y1: eb.ref('excluded.y1'),
            x2: eb.ref('excluded.x2'),
            y2: eb.ref('excluded.y2'),
            score: eb.ref('excluded.score'),
            model_id: eb.ref('excluded.model_id'),
            run_key: eb.ref('excluded.run_key'),
            touched: eb.ref('excluded.touched'),
            deleted: eb.ref('excluded.deleted'),
            crowd: eb.ref('excluded.crowd'),
          }))
          .where((eb) =>
            eb.or([
              eb('excluded.touched', '=', 1),
              eb.and([eb('region.touched', '=', 0), eb('region.deleted', '=', 0)]),
            ]),
          ),
      ),
    ),
    dropRegion: template<RegionScope>((v) =>
      db.deleteFrom('region').where('image_id', '=', v.image_id).where('id', '=', v.region_id),
    ),
    dropLabelsOfRegion: template<RegionScope>((v) =>
      db.deleteFrom('label').where('image_id', '=', v.image_id).where('region_id', '=', v.region_id),
    ),
    putShape: template<RegionShapeTable>((v) =>
      db
        .insertInto('region_shape')
        .values({
          image_id: v.image_id,
          region_id: v.region_id,
          keypoints: v.keypoints,
          mask: v.mask,
          polygons: v.polygons,
          keypoints_model_id: v.keypoints_model_id,
          mask_model_id: v.mask_model_id,
          details: v.details,
        })
        .onConflict((conflict) =>
          conflict.columns(['image_id', 'region_id']).doUpdateSet((eb) => ({
            keypoints: eb.ref('excluded.keypoints'),
            mask: eb.ref('excluded.mask'),
            polygons: eb.ref('excluded.polygons'),
            keypoints_model_id: eb.ref('excluded.keypoints_model_id'),
            mask_model_id: eb.ref('excluded.mask_model_id'),
            details: eb.ref('excluded.details'),
          })),
        ),
    ),
    /** Sets the keypoints of a region and leaves its other shapes as they are. */
    putKeypoints: template<RegionScope & { keypoints: string; maker: number }>((v) =>
      db
        .insertInto('region_shape')
        .values({
          image_id: v.image_id,
          region_id: v.region_id,
          keypoints: v.keypoints,
          keypoints_model_id: v.maker,
        })
        .onConflict((conflict) =>
          conflict.columns(['image_id', 'region_id']).doUpdateSet((eb) => ({
            keypoints: eb.ref('excluded.keypoints'),
            keypoints_model_id: eb.ref('excluded.keypoints_model_id'),
          })),
        ),
    ),
    /** Sets the mask of a region and leaves its other shapes as they are. */
    putMask: template<RegionScope & { mask: string; maker: number }>((v) =>
      db
        .insertInto('region_shape')
        .values({ image_id: v.image_id, region_id: v.region_id, mask: v.mask, mask_model_id: v.maker })
        .onConflict((conflict) =>
          conflict.columns(['image_id', 'region_id']).doUpdateSet((eb) => ({
            mask: eb.ref('excluded.mask'),
            mask_model_id: eb.ref('excluded.mask_model_id'),
          })),
        ),
    ),
    dropShape: template<RegionScope>((v) =>
      db.deleteFrom('region_shape').where('image_id', '=', v.image_id).where('region_id', '=', v.region_id),
    ),
    /** A person's word about a region freezes it. */
    touchRegion: template<RegionScope>((v) =>
      db.updateTable('region').set({ touched: 1 }).where('image_id', '=', v.image_id).where('id', '=', v.region_id),
    ),
    buryRegion: template<RegionScope>((v) =>
      db
        .updateTable('region')
        .set({ touched: 1, deleted: 1 })
        .where('image_id', '=', v.image_id)
        .where('id', '=', v.region_id),
    ),

    /** The newest word of one origin about one class of one item replaces the older. `sequence` counts from 1 in here. */
    putLabel: template<LabelTable>((v) =>
      db
        .insertInto('label')
        .values({
          image_id: v.image_id,
          region_id: v.region_id,
          task_id: v.task_id,
          class_id: v.class_id,
          origin: v.origin,
          model_id: v.model_id,
          annotator_id: v.annotator_id,
          present: v.present,
          confidence: v.confidence,
          run_key: v.run_key,
          sequence: sql<number>`(select value from counter where name = 'sequence') + ${v.sequence}`,
        })
        .onConflict((conflict) =>
          conflict
            .columns(['image_id', 'region_id', 'task_id', 'class_id', 'origin', 'model_id', 'annotator_id'])
            .doUpdateSet((eb) => ({
              present: eb.ref('excluded.present'),
              confidence: eb.ref('excluded.confidence'),
              run_key: eb.ref('excluded.run_key'),
              sequence: eb.ref('excluded.sequence'),
            })),
        ),
    ),
    dropLabels: template<LabelScope>((v) =>
      db
        .deleteFrom('label')
        .where('image_id', '=', v.image_id)
        .where('region_id', '=', v.region_id)
        .where('task_id', '=', v.task_id)
        .where('origin', '=', v.origin),
    ),
    dropLabelsOfTask: template<Pick<LabelTable, 'task_id' | 'origin'>>((v) =>
      db.deleteFrom('label').where('task_id', '=', v.task_id).where('origin', '=', v.origin),
    ),
    dropLabelsOfClass: template<ImageScope & { region_id: Uint8Array; class_id: number }>((v) =>
      db
        .deleteFrom('label')
        .where('image_id', '=', v.image_id)
        .where('region_id', '=', v.region_id)
        .where('task_id', '=', v.task_id)
        .where('class_id', '=', v.class_id)
        .where('origin', '=', v.origin),
    ),
    /** What detectors said of an image and its regions in a task, but for regions that a person touched. */
    dropDetected: template<ImageScope>((v) =>
      db
        .deleteFrom('label')
        .where('image_id', '=', v.image_id)
        .where('task_id', '=', v.task_id)
        .where('origin', '=', v.origin)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('region')
                .select('region.id')
                .whereRef('region.image_id', '=', 'label.image_id')
                .whereRef('region.id', '=', 'label.region_id')
                .where('region.touched', '=', sql.lit(1)),
            ),
          ),
        ),
    ),
  };
}

export function labelOf(row: LabelTable, dictionary: Dictionary): Label {
  return {
    itemId: idOf(row.region_id.byteLength === 0 ? row.image_id : row.region_id),
    task: dictionary.taskById.get(row.task_id)?.name ?? '',
    className: classNameOf(dictionary, row.class_id),
    present: row.present !== 0,
    origin: originOf(row.origin),
    confidence: row.confidence,
    runId: row.run_key === null ? null : (dictionary.runById.get(row.run_key) ?? null),
    sequence: row.sequence,
    ...annotatorOf(dictionary, row.annotator_id),
  };
}
