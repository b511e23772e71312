import { test } from 'node:test';
import { without } from '../cli.ts';
import { type KilledCommand, killAndResume, prepareGround } from '../kill.ts';

/** Enough photographs that each command takes some seconds, most of them in its shards. */
const PHOTOGRAPHS: Readonly<Record<KilledCommand, number>> = {
  add: 800,
  detect: 96,
  embed: 256,
  discover: 256,
  match: 256,
  export: 128,
};

for (const [command, photos] of Object.entries(PHOTOGRAPHS)) {
  test(`SIGKILL at 20 moments of ${command}, then a plain re-run`, { skip: without('coco-train128') }, async (t) => {
    await killAndResume(await prepareGround(t, command as KilledCommand, { photos, formats: 'all' }), 20);
  });
}
