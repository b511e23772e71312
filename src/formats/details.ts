/**
 * Details of a region as a flat list of attributes, the form in which most tools have them: flags, the view, the track
 * and free attributes side by side.
 */
import type { Attributes, RegionDetails } from '../core/region-details.ts';
import { shown } from './check.ts';
import type { Reckoning } from './reckoning.ts';
import type { RotatedBox } from './rotated-box.ts';

const FLAGS = ['difficult', 'truncated', 'occluded'] as const;
const TRACK = 'track_id';

/** Free attributes first; what has a place of its own follows under its own name. A turned box is not among them. */
export function attributesOfDetails({ attributes, trackId, rotatedBox: _, ...flags }: RegionDetails): Attributes {
  return { ...attributes, ...flags, ...(trackId === undefined ? {} : { [TRACK]: trackId }) };
}

/**
 * Flags, view and track out of a flat list; the rest stays as attributes.
 * @returns null where nothing is said
 */
export function detailsOfAttributes(given: Attributes, rotatedBox: RotatedBox | null): RegionDetails | null {
  const attributes = { ...given };
  const isFlag = (name: string) =>
    typeof attributes[name] === 'boolean' || attributes[name] === 0 || attributes[name] === 1;
  const flags = FLAGS.filter(isFlag);
  const set = flags.filter((flag) => attributes[flag] === true || attributes[flag] === 1);
  for (const flag of flags) delete attributes[flag];
  const pose = typeof attributes.pose === 'string' ? attributes.pose : undefined;
  if (pose !== undefined) delete attributes.pose;
  const track = attributes[TRACK];
  const isTrack = typeof track === 'string' || typeof track === 'number';
  if (isTrack) delete attributes[TRACK];
  const details: RegionDetails = {
    ...Object.fromEntries(set.map((flag) => [flag, true])),
    ...(pose !== undefined && { pose }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
    ...(rotatedBox !== null && { rotatedBox }),
    ...(isTrack && { trackId: String(track) }),
  };
  return Object.keys(details).length === 0 ? null : details;
}

/** The value that an attribute of text stands for: a truth where it is written as one, so that it can be told from text. */
export function attributeOfText(text: string): string | boolean {
  return text === 'true' ? true : text === 'false' ? false : text;
}

/** Attributes that are being gathered. */
export type OpenAttributes = Record<string, Attributes[string]>;

/** Adds one. Where another value was said under its name before, both stay, as text, and that is told. */
export function sayAttribute(
  attributes: OpenAttributes,
  [name, value]: readonly [name: string, value: Attributes[string]],
  where: string,
  reckoning: Reckoning,
): void {
  const known = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  if (known !== undefined && known !== value) reckoning.note('attribute-twice', where, `${name}: ${known}, ${value}`);
  // `__proto__` is a name like any other.
  Object.defineProperty(attributes, name, {
    value: known === undefined || known === value ? value : `${known}, ${value}`,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** The same of a value of JSON, which is told where it is no text, number or truth. */
export function sayJsonAttribute(
  attributes: OpenAttributes,
  [name, value]: readonly [name: string, value: unknown],
  where: string,
  reckoning: Reckoning,
): void {
  const isPlain = typeof value === 'string' || typeof value === 'boolean';
  if (isPlain || (typeof value === 'number' && Number.isFinite(value)))
    sayAttribute(attributes, [name, value], where, reckoning);
  else reckoning.note('attribute-passed-over', where, shown(value));
}

/**
 * Attributes of some objects of JSON. What is empty or false says nothing; what is no text,
 * number or truth is told.
 */
export function plainAttributes(groups: readonly unknown[], where: string, reckoning: Reckoning): Attributes {
  const attributes: OpenAttributes = {};
  for (const group of groups) {
    if (typeof group !== 'object' || group === null) continue;
    for (const [name, value] of Object.entries(group)) {
      if (value === null || value === undefined || value === '' || value === false) continue;
      sayJsonAttribute(attributes, [name, value], `${where}.${name}`, reckoning);
    }
  }
  return attributes;
}
