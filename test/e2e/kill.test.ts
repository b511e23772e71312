import { test } from 'node:test';
import { without } from '../cli.ts';
import { KILLED_COMMANDS, killAndResume, prepareGround } from '../kill.ts';

test('SIGKILL at three moments of each command, then a plain re-run', { skip: without('coco-train128') }, async (t) => {
  const ground = await prepareGround(t, 24);
  for (const command of KILLED_COMMANDS) await t.test(command, () => killAndResume(ground, command, 3));
});
