/**
 * The tables as Kysely sees them. Each driver creates them in its own dialect (`sqlite/migrations.ts`).
 *
 * - Content ids are bytes (image 32, region 16), so that order by id is order of the hexadecimal text.
 * - Names that many rows repeat (tasks, classes, models, acceptance rules, runs, source roots) are small integers, kept
 *   in memory as the dictionary; the counter `dictionary` grows with each change of those tables.
 * - Rows about an image are clustered by image id, because stages write and exports read in that order.
 * - A merged class keeps its rows: `root_id` names the class it counts as, so that a merge rewrites no label and its
 *   undo is exact.
 */
import type { ColumnType } from 'kysely';
import type { Origin } from '../../core/labels.ts';

export interface Schema {
  counter: { name: CounterName; value: number };
  setting: { key: string; value: string };
  source_root: { id: number; path: string };
  run: RunTable;
  image: ImageTable;
  image_path: PathTable;
  quarantine: QuarantineTable;
  image_split: { image_id: Uint8Array; split: string; run_key: number };
  /** JSON; what imports said of the image itself. */
  image_attributes: { image_id: Uint8Array; attributes: string };
  /** Images that no path is there of any more; kept by triggers on `image_path`. */
  gone_image: { image_id: Uint8Array };
  similar_pair: { a: Uint8Array; b: Uint8Array; kind: string; distance: number };
  task: { id: number; name: string; rule: string; items: string };
  class: ClassTable;
  class_alias: { name: string; class_id: number };
  class_history: ClassHistoryTable;
  class_history_label: LabelTable & { history_id: number /** 0 before, 1 after. */; side: number };
  class_history_region: HistoryRegionTable;
  model: { id: number; key: string; class_names: string };
  annotator: { id: number; name: string };
  acceptance: { id: number; key: string };
  candidate: { image_id: Uint8Array; model_id: number; detections: Uint8Array };
  detection: { model_id: number; image_id: Uint8Array; acceptance_id: number; run_key: number };
  region: RegionTable;
  region_shape: RegionShapeTable;
  label: LabelTable;
  vector_shard: VectorShardTable;
  audit: AuditTable;
  audit_item: AuditItemTable;
}

/** `sequence`: the last label's. `regions`: changes of regions. `dictionary`: changes of names. */
export type CounterName = 'sequence' | 'regions' | 'dictionary';

export interface RunTable {
  key: number;
  id: string;
  stage: string;
  /** JSON. */
  settings: string;
  model_key: string | null;
  seed: number;
  threads: number;
  /** JSON. */
  versions: string;
  started_at_ms: number;
  ended_at_ms: number | null;
  status: string;
  /** JSON. */
  counts: string;
  /** JSON. */
  metrics: string;
  host: string;
  pid: number;
  /** Tells a process from a later one with the same number; empty where the system does not say. */
  process_mark: string;
}

export interface ImageTable {
  id: Uint8Array;
  byte_size: number;
  format: string;
  width: number;
  height: number;
  orientation: number;
  frames: number;
  perceptual_hash: Uint8Array;
  brightness: number;
  sharpness: number;
  entropy: number;
  /** Bits of {@link FLAG_BITS}. */
  flags: number;
  captured_at_ms: number | null;
  camera: string | null;
  group_id: Uint8Array;
  run_key: number;
  pixel_hash: Uint8Array | null;
}

export interface PathTable {
  path: string;
  path_bytes: Uint8Array | null;
  image_id: Uint8Array;
  source_root_id: number;
  byte_size: number;
  modified_at_ms: number;
  missing: number;
}

export interface QuarantineTable {
  path: string;
  source_root_id: number;
  reason: string;
  message: string;
  byte_size: number;
  modified_at_ms: number;
  stage: string;
}

export interface ClassTable {
  id: number;
  name: string;
  root_id: number;
  parent_id: number | null;
  description: string | null;
  synset: string | null;
  /** 1 when a person said where it stands. */
  placed: ColumnType<number, number | undefined>;
  /** JSON. */
  skeleton: ColumnType<string | null, string | null | undefined>;
}

/**
 * One operation on the corpus: `forward` holds what was asked and the rows it left, `backward` the rows before. Labels and
 * regions that it touched one by one are in tables of their own.
 */
export interface ClassHistoryTable {
  id: number;
  at_ms: number;
  operation: string;
  /** JSON. */
  forward: string;
  /** JSON. */
  backward: string;
  undone: number;
}

export type HistoryRegionTable = Pick<RegionTable, 'image_id' | 'x1' | 'y1' | 'x2' | 'y2'> & {
  history_id: number;
  region_id: Uint8Array;
};

export interface RegionTable {
  image_id: Uint8Array;
  id: Uint8Array;
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  score: number | null;
  model_id: number | null;
  run_key: number | null;
  touched: number;
  deleted: number;
  crowd: number;
}

/** Only regions that have more than a box. Shapes are JSON. */
export interface RegionShapeTable {
  image_id: Uint8Array;
  region_id: Uint8Array;
  keypoints: string | null;
  mask: string | null;
  polygons: string | null;
  /** The model that made it; null for what a person or an import brought. */
  keypoints_model_id: number | null;
  mask_model_id: number | null;
  /** `RegionDetails`. */
  details: string | null;
}

export interface LabelTable {
  image_id: Uint8Array;
  /** Empty for a label of the image itself. */
  region_id: Uint8Array;
  task_id: number;
  class_id: number;
  /** See {@link ORIGIN_CODES}. */
  origin: number;
  /** The detector whose regions it derives from; 0 for any other label. */
  model_id: number;
  /** Who said it; 0 where nobody is named. */
  annotator_id: number;
  present: number;
  confidence: number;
  run_key: number | null;
  sequence: number;
}

export interface VectorShardTable {
  space: string;
  items: string;
  shard: string;
  file: string;
  sha256: Uint8Array;
  count: number;
  first_id: Uint8Array;
  last_id: Uint8Array;
  run_key: number | null;
}

export interface AuditTable {
  id: number;
  task_id: number;
  at_ms: number;
  seed: number;
  /** JSON. */
  design: string;
}

export interface AuditItemTable {
  audit_id: number;
  image_id: Uint8Array;
  /** Empty when the image itself was asked about. */
  region_id: Uint8Array;
  /** What the machine said, under the name of that day. */
  class_name: string;
  origin: number;
  confidence: number;
  stratum: number;
  /** JSON; null until somebody answered. */
  answer: string | null;
}

/** Bits and codes on disk: a new name gets a new number, an old one is never given again. */
export const FLAG_BITS = {
  dark: 1,
  bright: 2,
  blurred: 4,
  uniform: 8,
  tiny: 16,
  'odd-shape': 32,
  rescaled: 64,
  bands: 128,
} as const;

/** In order of precedence, which the query that counts current labels relies on. */
export const ORIGIN_CODES = {
  human: 0,
  imported: 10,
  model: 20,
  reference: 30,
  detector: 40,
  cluster: 50,
} as const satisfies Record<Origin, number>;

const ORIGIN_BY_CODE: ReadonlyMap<number, Origin> = new Map(
  Object.entries(ORIGIN_CODES).map(([origin, code]) => [code, origin as Origin]),
);

export function originOf(code: number): Origin {
  const origin = ORIGIN_BY_CODE.get(code);
  if (origin === undefined) throw new Error(`Unknown label origin ${code} in the database`);
  return origin;
}

/** The row of `class` that stands for "none of these"; never shown as a class. */
export const NONE_CLASS_ID = 0;
/** The row of `model` that labels without a detector refer to. */
export const NO_MODEL_ID = 0;
/** The row of `annotator` that labels of nobody in particular refer to. */
export const NO_ANNOTATOR_ID = 0;
