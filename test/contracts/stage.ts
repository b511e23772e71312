/**
 * What every stage must do, whichever engine runs it: its settings and shards survive JSON, another process that opens the
 * workspace for itself does a shard like this one, and what is in the workspace after it is the same, byte for byte.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { localEngine } from '../../src/jobs/local-engine.ts';
import type { StageEntry } from '../../src/jobs/stage-worker.ts';
import { childEngine } from './stage/child-engine.ts';
import { everyStage, type Ground, prepare } from './stage/every-stage.ts';

/** @param stages all there are: each has to be run */
export function stageContract(stages: readonly StageEntry[]): void {
  describe('stages', () => {
    let ground: Ground;
    before(async () => {
      ground = await prepare();
    });
    after(() => rm(ground.dir, { recursive: true }));

    it('give the same through an engine that does every shard in another process', async () => {
      const here = await everyStage(ground, { name: 'here' }, localEngine());
      using engine = childEngine(ground.cacheDir);
      const there = await everyStage(ground, { name: 'there' }, engine);
      assert.deepEqual([...engine.shardsOf.keys()].sort(), stages.map(({ name }) => name).sort());
      for (const [stage, shards] of engine.shardsOf) assert.ok(shards > 0, `${stage} had no shard`);
      for (const [what, content] of here) assert.equal(there.get(what), content, what);
      // Each stage left something to compare.
      const expected = {
        objects: /keypoints.*mask|mask.*keypoints/,
        class: /cluster/,
        centres: /cluster/,
        doubts: /name/,
        like: /reference/,
        colour: /model/,
        alike: /near-duplicate/,
      };
      for (const [task, sign] of Object.entries(expected)) assert.match(here.get(task) ?? '', sign);
    });
  });
}
