/**
 * No edit is lost: the review server is killed with SIGKILL in the middle of fast labelling, 200 times, and every label that it
 * acknowledged is there after the next start. What was sent and not acknowledged may be there or not. `LABELSMITH_KILLS` takes
 * another number.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { z } from 'zod';
import { seededRandom } from '../../src/core/random.ts';
import { runCli, scratch } from '../cli.ts';
import { type RunningReview, startReviewIn } from '../review-app.ts';

const KILLS = Number(process.env.LABELSMITH_KILLS ?? 200);
/** Who label at once, each their own images. */
const PEOPLE = 4;
const IMAGES_EACH = 5;
/** The longest that a server lives, ms. */
const LIFE_MS = 400;

const CELLS = z.object({
  cells: z.array(z.object({ itemId: z.string(), labels: z.array(z.object({ className: z.string() })) })),
});

/** What was sent of an image since the last label of it that is known to be there. */
interface Sent {
  acknowledged: string | null;
  readonly since: string[];
}

function callerOf({ url }: RunningReview) {
  const { origin, searchParams } = new URL(url);
  const headers = { authorization: `Bearer ${searchParams.get('token')}`, 'content-type': 'application/json' };
  return (path: string, json: unknown) =>
    fetch(`${origin}/api${path}`, { method: 'POST', headers, body: JSON.stringify(json) });
}

test(`${KILLS} kills in the middle of labelling lose nothing that was acknowledged`, async (t) => {
  const dir = await scratch(t);
  mkdirSync(join(dir, 'pile'));
  for (let i = 0; i < PEOPLE * IMAGES_EACH; i++) {
    const background = { r: 10 * i, g: 255 - 10 * i, b: (i * 77) % 256 };
    const picture = sharp({ create: { width: 40 + i, height: 40, channels: 3, background } });
    await picture.png().toFile(join(dir, 'pile', `${i}.png`));
  }
  assert.equal((await runCli(['add', 'pile'], { cwd: dir })).code, 0);
  const random = seededRandom(Date.now());
  const sent = new Map<string, Sent>();
  let acknowledged = 0;
  let number = 0;
  let review = await startReviewIn(dir);
  const first = await callerOf(review)('/items/order', { filter: {}, order: 'id' });
  const ids =
    Buffer.from(await first.arrayBuffer())
      .toString('hex')
      .match(/.{64}/g) ?? [];
  assert.equal(ids.length, PEOPLE * IMAGES_EACH);
  for (const id of ids) sent.set(id, { acknowledged: null, since: [] });

  const label = async (call: ReturnType<typeof callerOf>, id: string) => {
    const className = `class ${++number}`;
    const of = sent.get(id);
    of?.since.push(className);
    const said = await call('/labels', { task: 'class', className, items: [{ itemId: id, imageId: id }] });
    assert.equal(said.status, 200, await said.text());
    if (of) {
      of.acknowledged = className;
      of.since.length = 0;
    }
    acknowledged++;
  };
  /** Until the server is gone. */
  const person = async (call: ReturnType<typeof callerOf>, own: readonly string[]) => {
    for (let i = 0; ; i++) {
      try {
        await label(call, own[i % own.length] ?? '');
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return;
      }
    }
  };
  const check = async () => {
    const items = ids.map((id) => ({ itemId: id, imageId: id }));
    const { cells } = CELLS.parse(await (await callerOf(review)('/items/cells', { task: 'class', items })).json());
    for (const { itemId, labels } of cells) {
      const of = sent.get(itemId);
      const there = labels[0]?.className ?? null;
      assert.ok(there === of?.acknowledged || of?.since.includes(there ?? ''), `${there}, not ${JSON.stringify(of)}`);
      if (of) of.acknowledged = there;
      of?.since.splice(0);
    }
  };

  // The task is there before the first kill, so that cells have one to ask about.
  await label(callerOf(review), ids[0] ?? '');
  for (let kill = 0; kill < KILLS; kill++) {
    const call = callerOf(review);
    const people = Array.from({ length: PEOPLE }, (_, i) =>
      person(
        call,
        ids.filter((_, n) => n % PEOPLE === i),
      ),
    );
    await sleep(random() * LIFE_MS);
    await review.end('SIGKILL');
    await Promise.all(people);
    review = await startReviewIn(dir);
    await check();
  }
  await review.end('SIGTERM');
  t.diagnostic(`${acknowledged} labels were acknowledged`);
  assert.ok(acknowledged > KILLS, `${acknowledged}`);
});
