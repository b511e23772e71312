/** Stagings of imports (`import-store.ts`): a page is worked out from how its images are, with no lock, and its rows are put aside. */
import { sql } from 'kysely';
import type { ImageId } from '../../core/ids.ts';
import { isRegionId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { ImportStore, StagedImport, StagedPage, StaleImage } from '../import-store.ts';
import type { NewLabel } from '../label-store.ts';
import type { StoredRegion } from '../region-store.ts';
import { applyStaged } from './apply-staged.ts';
import { chunks } from './chunks.ts';
import { hexOf, imageId, imageKey, integer } from './column.ts';
import { type Dictionary, runKeyOf } from './dictionary.ts';
import { REVISION } from './image-revision.ts';
import { ImportEffects } from './import-effects.ts';
import type { LabelFields } from './label-rows.ts';
import { refuseBadLabel } from './labels.ts';
import type { Places } from './places.ts';
import { rawQuery } from './raw-query.ts';
import {
  hasShape,
  makersOf,
  NO_SHAPE_FIELDS,
  type RegionFields,
  regionFields,
  type ShapeFields,
  shapeFields,
} from './region-rows.ts';
import type { Session } from './session.ts';
import { StagedNames } from './staged-names.ts';
import { NEWER, placesNow } from './staged-places.ts';
import { statement } from './statement.ts';
import { insert, remove, update } from './table.ts';
import {
  NO_MODEL_ID,
  stagedEntries,
  stagedImages,
  stagedImports,
  stagedLabels,
  stagedNames,
  stagedRegions,
} from './tables.ts';
import type { Work } from './work.ts';

/** Images whose staged rows are taken away together. */
const DROPPED_TOGETHER = 5000;
const ENTRIES_DROPPED_TOGETHER = 20_000;

const STATEMENTS = {
  putEntry: insert(stagedEntries, { existing: 'replace' }),
  putImage: insert(stagedImages),
  putName: insert(stagedNames, { existing: 'ignore' }),
  putLabel: insert(stagedLabels, { existing: 'replace' }),
  putRegion: insert(stagedRegions, { existing: 'replace' }),
  dropEntries: statement('delete from staged_entry where import_id = :importId and number < :number', {
    importId: integer,
    number: integer,
  }),
  dropImport: remove(stagedImports, ['id']),
  dropNames: remove(stagedNames, ['importId']),
  /** The revision stays the first one: what was staged then was made of that. */
  addToImage: statement(
    `update staged_image set
      changes = case when :changes = 1 then 1 else changes end,
      split = coalesce(:split, split),
      attributes = coalesce(:attributes, attributes),
      tally = coalesce(:tally, tally),
      entries = entries || ',' || :entries
    where import_id = :importId and image_id = :imageId`,
    stagedImages.columns,
  ),
  stageAgain: update(stagedImages, {
    set: ['revision', 'changes', 'split', 'attributes', 'tally'],
    where: ['importId', 'imageId'],
  }),
  endImport: statement('update staged_import set dropped = 1 where id = :id', stagedImports.columns),
};
const ROWS_OF_IMAGES = ['staged_label', 'staged_region'] as const;

export function importStore(session: Session): ImportStore {
  return {
    beginStaging: (runId) => beginStaging(session, runId),
    stage: (staged, page) => stage(session, staged, page),
    staleImages: (staged, limit) => staleImages(session, staged, limit),

    async unstage({ id }, imageIds) {
      await session.write(null, async (work) => {
        for (const table of [...ROWS_OF_IMAGES, 'staged_image'])
          work.addForImages(`delete from ${table} where import_id = ? and image_id in :images`, imageIds, [id]);
      });
    },

    applyStaged: (staged, operation) => applyStaged(session, staged, operation),
    dropStaging: ({ id }) => dropStaging(session, id),
  };
}

async function beginStaging(session: Session, runId: string): Promise<StagedImport> {
  const { db } = session;
  const [old] = await session.driver.read([
    db
      .selectFrom('staged_import')
      .innerJoin('run', 'run.key', 'staged_import.run_key')
      .select('staged_import.id')
      .where((eb) => eb.or([eb('run.status', '<>', 'running'), eb('run.lease_until_ms', '<', Date.now())])),
  ]);
  for (const { id } of old) await dropStaging(session, id);
  const id = await session.write(null, async (work) => {
    const runKey = runKeyOf(work.dictionary, runId);
    const row = sql<{ id: number }>`insert into staged_import (run_key, dropped) values (${runKey}, 0) returning id`;
    const [[added]] = await work.insert(rawQuery(db, row));
    return added.id;
  });
  return { id, runId, names: { class: new Map(), annotator: new Map() }, tasks: new Map(), labels: 0 };
}

async function stage(session: Session, staged: StagedImport, page: StagedPage): Promise<void> {
  const dictionary = await knowingMakers(session, page.regions);
  const names = new StagedNames(staged, dictionary);
  for (const task of page.tasks) names.addTask(task);
  const imageIds = [...new Set(page.imageIds)];
  const { entries } = page;
  const now = await placesNow(session, staged, imageIds, entries === null);
  const effects = new ImportEffects(now, names.dictionary());
  effects.draw(page.regions.map((region) => drawnOf(region, dictionary)));
  effects.say(labelsOf(page.labels, { staged, numbers: names, now, dictionary }));
  effects.bury(page.removed);
  const kept = new Set(page.kept);
  for (const task of new Set(page.labels.map((label) => label.task)))
    effects.yieldToFrozen(names.taskId(task), page.frozenIou, kept);

  const changed = new Set([...page.splits.keys(), ...page.attributes.keys()]);
  for (const { label } of effects.labels.values()) changed.add(label.imageId);
  for (const { region } of effects.regions.values()) changed.add(region.imageId);
  const importId = staged.id;
  const numbers = Map.groupBy(entries ?? [], ({ imageId }) => imageId);
  const images = imageIds.map((imageId) => ({
    importId,
    imageId,
    revision: page.revisions.get(imageId) ?? -1,
    changes: changed.has(imageId),
    split: page.splits.get(imageId) ?? null,
    attributes: page.attributes.get(imageId) ?? null,
    tally: page.tallies.get(imageId) ?? null,
    entries: (numbers.get(imageId) ?? []).map(({ number }) => number).join(','),
  }));
  await session.write(null, async (work) => {
    if (entries === null)
      for (const table of ROWS_OF_IMAGES)
        work.addForImages(`delete from ${table} where import_id = ? and image_id in :images`, imageIds, [importId]);
    for (const name of names.added) work.add(STATEMENTS.putName, { ...name, importId, id: null });
    for (const { number, data } of entries ?? []) work.add(STATEMENTS.putEntry, { number, data, importId });
    const known = entries === null ? new Set(imageIds) : await stagedAmong(work, importId, imageIds);
    const put = entries === null ? STATEMENTS.stageAgain : STATEMENTS.addToImage;
    for (const image of images) work.add(known.has(image.imageId) ? put : STATEMENTS.putImage, image);
    for (const { label, gone } of effects.labels.values())
      work.add(STATEMENTS.putLabel, { ...label, sequence: label.sequence % NEWER, importId, gone });
    for (const { region, shape, ...marks } of effects.regions.values())
      work.add(STATEMENTS.putRegion, { ...NO_SHAPE_FIELDS, ...shape, ...region, ...marks, importId });
  });
}

/** The dictionary with the makers of masks that the file tells, so that a machine's mask is not taken for a person's. */
async function knowingMakers(session: Session, regions: readonly StoredRegion[]): Promise<Dictionary> {
  const makers = [...new Set(regions.flatMap(({ maskMaker }) => maskMaker ?? []))];
  const { modelIds } = await session.freshDictionary();
  if (makers.some((maker) => !modelIds.has(maker))) {
    await session.write(null, async (work) => work.know({ models: makers }));
  }
  return session.freshDictionary();
}

function drawnOf(region: StoredRegion, dictionary: Dictionary): { region: RegionFields; shape: ShapeFields | null } {
  const { id, imageId, modelKey, runId } = region;
  const modelId = modelKey === null ? null : (dictionary.modelIds.get(modelKey) ?? null);
  return {
    region: regionFields(region, modelId, runId === null ? null : runKeyOf(dictionary, runId)),
    shape: hasShape(region) ? shapeFields(imageId, id, region, makersOf(region, dictionary)) : null,
  };
}

interface LabelContext {
  readonly staged: StagedImport;
  readonly numbers: StagedNames;
  readonly now: Places;
  readonly dictionary: Dictionary;
}

function labelsOf(given: readonly NewLabel[], { staged, numbers, now, dictionary }: LabelContext): LabelFields[] {
  return given.map((label) => {
    refuseBadLabel(label);
    const { itemId, task, className, origin, present, confidence, runId, annotator } = label;
    const region = isRegionId(itemId) ? now.regions.get(itemId) : undefined;
    if (isRegionId(itemId) && region === undefined)
      throw new LabelsmithError('NOT_FOUND', `There is no region ${itemId}`);
    staged.labels++;
    return {
      imageId: region?.imageId ?? itemId,
      regionId: region?.id ?? '',
      taskId: numbers.taskId(task),
      classId: numbers.classId(className),
      origin,
      modelId: NO_MODEL_ID,
      annotatorId: numbers.annotatorId(annotator),
      present,
      confidence,
      runKey: runId === null ? null : runKeyOf(dictionary, runId),
      sequence: NEWER + staged.labels,
    };
  });
}

async function staleImages({ db, driver }: Session, { id }: StagedImport, limit: number): Promise<StaleImage[]> {
  const found = await driver.analyse(
    db
      .selectFrom('staged_image')
      .leftJoin('image', 'image.id', 'staged_image.image_id')
      .leftJoin('image_revision', 'image_revision.image_id', 'staged_image.image_id')
      .select(['staged_image.image_id', 'staged_image.tally', 'staged_image.entries', REVISION.as('revision')])
      .where('staged_image.import_id', '=', id)
      .where((eb) => eb.or([eb('image.revision', 'is', null), eb(REVISION, '<>', eb.ref('staged_image.revision'))]))
      .orderBy('staged_image.image_id')
      .limit(limit),
  );
  const numbersOf = (entries: string) => (entries === '' ? [] : entries.split(',').map(Number));
  const data = new Map<number, string>();
  for (const chunk of chunks(found.flatMap(({ entries }) => numbersOf(entries)))) {
    const [rows] = await driver.read([
      db.selectFrom('staged_entry').select(['number', 'data']).where('import_id', '=', id).where('number', 'in', chunk),
    ]);
    for (const row of rows) data.set(Number(row.number), row.data);
  }
  return found.map(({ image_id, tally, revision, entries }) => ({
    imageId: hexOf(image_id),
    tally,
    revision,
    entries: numbersOf(entries).map((number) => data.get(number) ?? ''),
  }));
}

/** Those of which something is staged already. */
async function stagedAmong(work: Work, importId: number, imageIds: readonly ImageId[]): Promise<Set<ImageId>> {
  const known = new Set<ImageId>();
  for (const chunk of chunks(imageIds.map(imageKey))) {
    const [rows] = await work.read([
      work.db
        .selectFrom('staged_image')
        .select('image_id')
        .where('import_id', '=', importId)
        .where('image_id', 'in', chunk),
    ]);
    for (const { image_id } of rows) known.add(hexOf(image_id));
  }
  return known;
}

async function dropStaging(session: Session, id: number): Promise<void> {
  const { db } = session;
  // From here on it cannot be applied any more.
  await session.write(null, async (work) => work.add(STATEMENTS.endImport, { id, runKey: 0, dropped: true }));
  const ofImport = db.selectFrom('staged_image').select('image_id').where('import_id', '=', id).orderBy('image_id');
  for (;;) {
    const [full, rest] = await session.driver.read([
      ofImport.limit(1).offset(DROPPED_TOGETHER - 1),
      ofImport.clearOrderBy().orderBy('image_id', 'desc').limit(1),
    ]);
    const last = full[0] ?? rest[0];
    if (last === undefined) break;
    await session.write(null, async (work) => {
      for (const drop of DROPS) work.add(drop, { importId: id, imageId: hexOf(last.image_id) });
    });
  }
  const [[entries]] = await session.driver.read([
    db
      .selectFrom('staged_entry')
      .select((eb) => eb.fn.max('number').as('last'))
      .where('import_id', '=', id),
  ]);
  for (let number = 0; number <= Number(entries?.last ?? -1); ) {
    number += ENTRIES_DROPPED_TOGETHER;
    await session.write(null, async (work) => work.add(STATEMENTS.dropEntries, { importId: id, number }));
  }
  await session.write(null, async (work) => {
    work.add(STATEMENTS.dropNames, { importId: id });
    work.add(STATEMENTS.dropImport, { id });
  });
}

const DROPS = [...ROWS_OF_IMAGES, 'staged_image'].map((table) =>
  statement(`delete from ${table} where import_id = :importId and image_id <= :imageId`, {
    importId: integer,
    imageId,
  }),
);
