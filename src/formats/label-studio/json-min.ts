/**
 * Label Studio's JSON-MIN: each control tag is a key of the task, whose value is a list of shapes, the choices, or a
 * single text. Rows of it are made the results that the full JSON has.
 */
import { type JsonObject, objectAt } from '../check.ts';

/** Keys of a row that no control tag has. */
const OTHER_KEYS = new Set([
  'id',
  'image',
  'img',
  'url',
  'annotator',
  'annotation_id',
  'created_at',
  'updated_at',
  'lead_time',
  'file',
  'split',
  'sha256',
]);
/** Tags whose text is a class and no remark. */
const CLASS_TAG = /choice|class|label|categor|tag/i;

export function resultsOfRow(row: JsonObject, where: string): JsonObject[] {
  return Object.entries(row).flatMap(([tag, value]): JsonObject[] => {
    if (OTHER_KEYS.has(tag) || value === null) return [];
    if (typeof value === 'string') return CLASS_TAG.test(tag) ? [choices(tag, [value])] : [text(tag, value)];
    if (typeof value === 'number') return [{ type: 'number', from_name: tag, value: { number: value } }];
    if (!Array.isArray(value)) {
      const given = objectAt(value, `${where}.${tag}`);
      return Array.isArray(given.choices) ? [choices(tag, given.choices)] : [];
    }
    return value.map((shape, i) => shapeResult(tag, objectAt(shape, `${where}.${tag}[${i}]`)));
  });
}

function choices(tag: string, names: readonly unknown[]): JsonObject {
  return { type: 'choices', from_name: tag, value: { choices: names } };
}

function text(tag: string, given: string): JsonObject {
  return { type: 'textarea', from_name: tag, value: { text: [given] } };
}

/** What choices, texts and ratings of a region are called beside its geometry. */
const REMARK_TYPES = ['choices', 'taxonomy', 'text', 'rating', 'number', 'datetime'] as const;

/** The key that holds the classes is the type: `rectanglelabels`. No ids: `same-region.ts` ties what is of one region. */
function shapeResult(tag: string, shape: JsonObject): JsonObject {
  const { original_width, original_height, ...value } = shape;
  const remark = REMARK_TYPES.find((key) => value[key] !== undefined);
  const type = Object.keys(shape).find((key) => /labels$/.test(key)) ?? remark ?? 'labels';
  return { from_name: tag, type: type === 'text' ? 'textarea' : type, original_width, original_height, value };
}
