/** `capture` against a real RTSP server, which freezes, changes its picture's size, dies, and is there again. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { inTemporaryFolder } from '../../../test/contracts/source.ts';
import { startRtspCamera, withoutRtsp } from '../../../test/fixtures/rtsp-camera.ts';
import { cameraSpecs } from './camera-spec.ts';
import { capture } from './capture.ts';
import type { CameraHealth } from './run-camera.ts';

const withoutFfmpeg = spawnSync('ffmpeg', ['-version']).error ? 'no ffmpeg here (apt-get install ffmpeg)' : false;

test(
  'an RTSP camera that freezes, changes its size and dies is used again each time, and every frame is whole',
  {
    skip: withoutRtsp || withoutFfmpeg,
    timeout: 300_000,
  },
  () =>
    inTemporaryFolder(async (to) => {
      const camera = await startRtspCamera();
      const stop = new AbortController();
      const notices: string[] = [];
      let health: CameraHealth | undefined;
      try {
        const running = capture(await cameraSpecs([`yard=${camera.url}`], '/'), {
          to,
          rule: {},
          silenceMs: 3000,
          backoff: { baseMs: 50, maxMs: 500 },
          signal: stop.signal,
          onNotice: (text) => notices.push(text),
          onHealth([now]) {
            health = now;
          },
        });
        running.catch(() => {});
        const frames = () =>
          readdirSync(to, { recursive: true, encoding: 'utf8' })
            .filter((name) => name.endsWith('.jpg'))
            .sort();
        /** Waits for five frames more, whatever the load of this machine is. */
        const more = async (what: string) => {
          const before = frames().length;
          for (let waited = 0; frames().length < before + 5; waited++) {
            assert.ok(waited < 1200, `${what}: ${JSON.stringify(health)} ${notices.join('; ')}`);
            await sleep(50);
          }
        };
        const silent = async (what: string, happens: () => unknown) => {
          // Counted before it happens: the notice may come while the camera's process still ends.
          const before = notices.length;
          await happens();
          for (let waited = 0; notices.length === before; waited++) {
            assert.ok(waited < 1200, what);
            await sleep(50);
          }
        };
        await more('it begins');
        await silent('a frozen camera is noticed', () => camera.freeze());
        camera.go();
        await more('it goes again');
        camera.size(200, 104);
        await more('another size');
        await silent('a dead camera is noticed', () => camera.die());
        await camera.start();
        await more('it is there again');
        stop.abort();
        const result = await running;
        const sizes = new Set<string>();
        for (const name of frames()) {
          const { width, height } = await sharp(join(to, name)).metadata();
          await sharp(join(to, name)).stats();
          sizes.add(`${width}x${height}`);
        }
        assert.deepEqual([...sizes].sort(), ['160x120', '200x104']);
        assert.ok((result.cameras[0]?.reconnects ?? 0) >= 3, JSON.stringify(result.cameras));
      } finally {
        stop.abort();
        await camera.close();
      }
    }),
);
