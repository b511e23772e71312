import { test } from 'node:test';
import { without } from '../cli.ts';
import { KILLED_COMMANDS, killAndResume, prepareGround } from '../kill.ts';

// Every command, at many moments: test/slow/kill.test.ts.
for (const command of KILLED_COMMANDS.filter((name) => ['detect', 'export'].includes(name))) {
  test(`SIGKILL amid ${command}, then a plain re-run`, { skip: without('coco-train128') }, async (t) => {
    await killAndResume(await prepareGround(t, command, { photos: 24, formats: 'few' }), 1);
  });
}
