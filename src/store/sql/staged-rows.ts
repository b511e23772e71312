/**
 * The statements that make what is staged the record's: set by set, so that the database does it by itself, some
 * microseconds a row. In the order in which they are run.
 */
import { integer } from './column.ts';
import { type Statement, statement } from './statement.ts';
import { snake } from './table.ts';
import { labels, operationLabels, operationRegions, regionShapes, regions } from './tables.ts';

export interface Application {
  readonly importId: number;
  readonly operationId: number;
  readonly changeId: number;
  readonly runKey: number;
  /** Is added to the places of labels. */
  readonly sequence: number;
}

const COLUMNS = {
  importId: integer,
  operationId: integer,
  changeId: integer,
  runKey: integer,
  sequence: integer,
};

/** The number of a name that had none when it was staged. */
const numbered = (kind: 'class' | 'annotator' | 'task', column: string) =>
  `case when s.${column} >= 0 then s.${column} else (select name.id from staged_name as name
    where name.import_id = s.import_id and name.kind = '${kind}' and name.number = s.${column}) end`;

const LABEL: Readonly<Record<string, string>> = {
  class_id: numbered('class', 'class_id'),
  annotator_id: numbered('annotator', 'annotator_id'),
  task_id: numbered('task', 'task_id'),
  sequence: 's.sequence + :sequence',
};
const labelColumns = labels.names.join(', ');
const labelValues = labels.names.map((name) => LABEL[name] ?? `s.${name}`).join(', ');
const labelKey = labels.key.map(snake);
const isSameLabel = labelKey.map((name) => `there.${name} = s.${name}`).join(' and ');

const SHAPES = regionShapes.names.filter((name) => !['image_id', 'region_id'].includes(name));
const regionColumns = regions.names.join(', ');
const keptColumns = [...regions.names, ...SHAPES].join(', ');
const keptFrom = (region: string, shape: string) =>
  [
    ...regions.names.map((name) => `${region}.${name}`),
    ...SHAPES.map((name) => `case when s.whole = 1 then ${shape}.${name} end`),
  ].join(', ');
const hasShape = ['keypoints', 'mask', 'polygons', 'details'].map((name) => `s.${name} is not null`).join(' or ');

function upsert(table: { readonly names: readonly string[]; readonly key: readonly string[] }): string {
  const keys = table.key.map(snake);
  const sets = table.names.filter((name) => !keys.includes(name)).map((name) => `${name} = excluded.${name}`);
  return `on conflict (${keys.join(', ')}) do update set ${sets.join(', ')}`;
}

/** What was there, for undoing. */
const LOG_BEFORE = [
  `insert into ${operationLabels.name} (operation_id, side, ${labelColumns})
    select :operationId, 0, ${labels.names.map((name) => `there.${name}`).join(', ')}
    from staged_label as s cross join label as there where s.import_id = :importId and ${isSameLabel}`,
  `insert into ${operationRegions.name} (operation_id, side, ${keptColumns}, whole)
    select :operationId, 0, ${keptFrom('there', 'shape')}, s.whole
    from staged_region as s cross join region as there
      left join region_shape as shape on shape.image_id = there.image_id and shape.region_id = there.id
    where s.import_id = :importId and there.image_id = s.image_id and there.id = s.id`,
];

const REGIONS = [
  `delete from label where (${labelKey.join(', ')}) in (
    select ${labelKey.map((name) => `s.${name}`).join(', ')} from staged_label as s
    where s.import_id = :importId and s.gone = 1)`,
  `delete from region_shape where (image_id, region_id) in (
    select s.image_id, s.id from staged_region as s where s.import_id = :importId and s.whole = 1)`,
  `delete from region where (image_id, id) in (
    select s.image_id, s.id from staged_region as s where s.import_id = :importId and s.gone = 1)`,
  `insert into region (${regionColumns}) select ${regions.names.map((name) => `s.${name}`).join(', ')}
    from staged_region as s where s.import_id = :importId and s.gone = 0 ${upsert(regions)}`,
  `insert into region_shape (image_id, region_id, ${SHAPES.join(', ')})
    select s.image_id, s.id, ${SHAPES.map((name) => `s.${name}`).join(', ')} from staged_region as s
    where s.import_id = :importId and s.gone = 0 and s.whole = 1 and (${hasShape})`,
];

const LABELS = [
  `insert into label (${labelColumns}) select ${labelValues}
    from staged_label as s where s.import_id = :importId and s.gone = 0 ${upsert(labels)}`,
];

const LOG_AFTER = [
  `insert into ${operationLabels.name} (operation_id, side, ${labelColumns}) select :operationId, 1, ${labelValues}
    from staged_label as s where s.import_id = :importId and s.gone = 0`,
  `insert into ${operationRegions.name} (operation_id, side, ${keptColumns}, whole)
    select :operationId, 1, ${keptFrom('s', 's')}, s.whole from staged_region as s
    where s.import_id = :importId and s.gone = 0`,
  `update operation set
      labels = (select count(*) from (select distinct image_id, region_id, task_id, origin, model_id, annotator_id
        from staged_label where import_id = :importId) as voice),
      regions = (select count(*) from staged_region where import_id = :importId)
    where id = :operationId`,
];

const FACTS = [
  `insert into image_split (image_id, split, run_key) select s.image_id, s.split, :runKey from staged_image as s
    where s.import_id = :importId and s.split is not null
    on conflict (image_id) do update set split = excluded.split, run_key = excluded.run_key`,
  `delete from image_attributes where image_id in (
    select s.image_id from staged_image as s where s.import_id = :importId and s.attributes = '{}')`,
  `insert into image_attributes (image_id, attributes) select s.image_id, s.attributes from staged_image as s
    where s.import_id = :importId and s.attributes is not null and s.attributes <> '{}'
    on conflict (image_id) do update set attributes = excluded.attributes`,
  `update image set revision = :changeId where id in (
    select s.image_id from staged_image as s where s.import_id = :importId and s.changes = 1)`,
];

const statements = (texts: readonly string[]): readonly Statement<Application>[] =>
  texts.map((text) => statement(text, COLUMNS));

/** Without an operation where there are neither labels nor regions. */
export const OF_ITEMS = statements([...LOG_BEFORE, ...REGIONS, ...LABELS, ...LOG_AFTER]);
export const OF_FACTS = statements(FACTS);
