/**
 * The conformance suite of the feed's contract (`src/sources/feed.ts`), run for every kind of feed. It waits for real
 * time to pass, with a kind whose times are short.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Feed, FollowOptions } from '../../src/sources/feed.ts';
import { inTemporaryFolder } from './source.ts';

export interface FeedPlace {
  readonly feed: Feed;
  /** Puts a file there, half of it first and the rest after the pause in ms. */
  put(name: string, content: string, pauseMs?: number): Promise<void>;
  remove(name: string): Promise<void>;
  /** Makes the whole place go away for a while, and come back. */
  away(): Promise<void>;
  back(): Promise<void>;
}

export interface FeedKind {
  readonly name: string;
  open(folder: string): Promise<FeedPlace>;
  /** Longest time in ms that a pause of a writer may take and still be one writing. */
  readonly settleMs: number;
}

/** Follows a feed in the background; `until` waits for a number of items, and fails when they do not come. */
function following(feed: Feed, options: Omit<FollowOptions, 'signal'> = {}) {
  const stop = new AbortController();
  const given: string[] = [];
  const done = (async () => {
    for await (const item of feed.follow({ signal: stop.signal, ...options })) {
      if (item.kind === 'problem') given.push(`problem ${item.problem.reason}`);
      else given.push(`${item.entry.path.split('/').at(-1)}: ${Buffer.from(await item.entry.read(1000))}`);
    }
  })();
  return {
    given,
    async until(count: number) {
      for (let waited = 0; given.length < count; waited++) {
        assert.ok(waited < 400, `waited for ${count} items, have ${JSON.stringify(given)}`);
        await sleep(25);
      }
    },
    async stop() {
      stop.abort();
      await done;
      return given;
    },
  };
}

export function feedContract(kind: FeedKind): void {
  const inFeed = (work: (place: FeedPlace) => Promise<void>) =>
    inTemporaryFolder(async (folder) => work(await kind.open(folder)));
  const longMs = 20 * kind.settleMs;

  describe(`feed contract: ${kind.name}`, { concurrency: true }, () => {
    test('what is there comes first, then what arrives; each version once', () =>
      inFeed(async (place) => {
        await place.put('a.jpg', 'one');
        const follow = following(place.feed);
        await follow.until(1);
        await place.put('b.jpg', 'two');
        await follow.until(2);
        await place.put('a.jpg', 'one, longer');
        await follow.until(3);
        await sleep(longMs);
        assert.deepEqual(await follow.stop(), ['a.jpg: one', 'b.jpg: two', 'a.jpg: one, longer']);
      }));

    test('what is still being written is waited for', () =>
      inFeed(async (place) => {
        const follow = following(place.feed);
        for (let i = 0; i < 5; i++) await place.put(`${i}.jpg`, `whole ${i}`, kind.settleMs / 2);
        await follow.until(5);
        assert.deepEqual(
          await follow.stop(),
          [0, 1, 2, 3, 4].map((i) => `${i}.jpg: whole ${i}`),
        );
      }));

    test('what is known is not given', () =>
      inFeed(async (place) => {
        await place.put('a.jpg', 'one');
        await place.put('b.jpg', 'two');
        const follow = following(place.feed, { isKnown: async ({ path }) => path.endsWith('a.jpg') });
        await follow.until(1);
        await sleep(longMs);
        assert.deepEqual(await follow.stop(), ['b.jpg: two']);
      }));

    test('a file that goes and comes again is new', () =>
      inFeed(async (place) => {
        await place.put('a.jpg', 'one');
        const follow = following(place.feed);
        await follow.until(1);
        await place.remove('a.jpg');
        await sleep(longMs);
        await place.put('a.jpg', 'one');
        await follow.until(2);
        assert.deepEqual(await follow.stop(), ['a.jpg: one', 'a.jpg: one']);
      }));

    test('a place that is away is told once and waited for', () =>
      inFeed(async (place) => {
        await place.put('a.jpg', 'one');
        const follow = following(place.feed);
        await follow.until(1);
        await place.away();
        await follow.until(2);
        await sleep(longMs);
        await place.back();
        await place.put('b.jpg', 'two');
        await follow.until(3);
        assert.deepEqual(await follow.stop(), ['a.jpg: one', 'problem missing', 'b.jpg: two']);
      }));

    test('it ends when it is told to, and can be left and followed anew', () =>
      inFeed(async (place) => {
        const never = following(place.feed);
        await sleep(kind.settleMs);
        assert.deepEqual(await never.stop(), []);
        await place.put('a.jpg', 'one');
        const { signal } = new AbortController();
        for (let i = 0; i < 2; i++) {
          for await (const item of place.feed.follow({ signal })) {
            assert.equal(item.kind, 'entry');
            break;
          }
        }
        for await (const _ of place.feed.follow({ signal: AbortSignal.abort() })) assert.fail('it was stopped before');
      }));
  });
}
