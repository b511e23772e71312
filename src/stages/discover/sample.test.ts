import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256Hex } from '../../core/ids.ts';
import { matrix } from '../../math/matrix.ts';
import { chooseSample, MAX_SAMPLE, sampleKey } from './sample.ts';

test('the sample depends on the items and the seed alone', async () => {
  const ids = Array.from({ length: 30_000 }, (_, n) => sha256Hex(`item ${n}`)).sort();
  const stream = (size: number) => ({
    async *stream() {
      for (let start = 0; start < ids.length; start += size) {
        yield { ids: ids.slice(start, start + size), vectors: matrix(new Float32Array(0), 0, 0) };
      }
    },
  });
  const chosen = await chooseSample(stream(256), [], { seed: 1 });
  assert.equal(chosen.size, MAX_SAMPLE);
  const sorted = [...chosen].sort();
  assert.deepEqual([...(await chooseSample(stream(9999), [], { seed: 1 }))].sort(), sorted);
  assert.notDeepEqual([...(await chooseSample(stream(256), [], { seed: 2 }))].sort(), sorted);
  // As many from every part as there should be, give or take five standard deviations of a binomial.
  for (let part = 0; part < 10; part++) {
    const own = ids.slice(part * 3000, (part + 1) * 3000).filter((id) => chosen.has(sampleKey(id))).length;
    assert.ok(Math.abs(own - 2000) < 5 * Math.sqrt(3000 * (2 / 3) * (1 / 3)), `${own} of part ${part}`);
  }
  assert.equal((await chooseSample(stream(256), [], { seed: 1, most: 10 })).size, 10);
});
