import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReference } from '../fetch/reference.ts';
import { MODEL_ENTRY } from './bundle.ts';
import { CATALOGUE } from './catalogue.ts';

test('every model of the catalogue has pinned sources and a licence that permits use', () => {
  const ids = CATALOGUE.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const entry of CATALOGUE) {
    const { id, licence, source } = entry;
    assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(['MIT', 'Apache-2.0', 'BSD-3-Clause'].includes(licence), `${id}: ${licence}`);
    assert.deepEqual(MODEL_ENTRY.parse(entry), entry);
    for (const { reference, otherPlaces = [], sha256 } of source.files) {
      for (const place of [reference, ...otherPlaces]) assert.notEqual(parseReference(place).kind, 'file');
      assert.match(sha256 ?? '', /^[0-9a-f]{64}$/, reference);
    }
  }
});
