/**
 * Results that are of one region. Label Studio ties them by `id`; where the ids are gone (JSON-MIN, tasks made by
 * scripts), results of different tags with the same geometry are of one region. Pure.
 */
import type { JsonObject } from '../check.ts';

/** Keys of a value that say where it is; all others say what it is. */
const GEOMETRY = ['x', 'y', 'width', 'height', 'radiusX', 'radiusY', 'points', 'rle'] as const;

/** Results as they came; those without an id that have a geometry get one. Two of one tag are never one region. */
export function withRegionIds(results: readonly unknown[]): readonly unknown[] {
  const regions = new Map<string, { readonly id: string; readonly tags: Set<unknown> }[]>();
  return results.map((result, i) => {
    if (!isObject(result) || (result.id !== undefined && result.id !== null && result.id !== '')) return result;
    const place = placeOf(result);
    if (place === null) return result;
    const there = regions.get(place) ?? [];
    const known = there.find(({ tags }) => !tags.has(result.from_name));
    const region = known ?? { id: `result ${i}`, tags: new Set() };
    region.tags.add(result.from_name);
    if (known === undefined) regions.set(place, [...there, region]);
    return { ...result, id: region.id };
  });
}

function placeOf({ value, to_name: of, item_index: page }: JsonObject): string | null {
  if (!isObject(value) || GEOMETRY.every((key) => value[key] === undefined)) return null;
  return JSON.stringify([of, page, value.rotation ?? 0, ...GEOMETRY.map((key) => value[key] ?? null)]);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
