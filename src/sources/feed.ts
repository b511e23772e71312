/**
 * Feeds: endless sources. A folder that files keep arriving in, a camera. Beside a source (`source.ts`), which lists what
 * is there and ends, a feed gives what comes, as it comes, until it is told to stop.
 *
 * Guarantees of every feed (checked by `test/contracts/feed.ts`):
 * - An entry is given when it is whole: what is still being written is waited for.
 * - What was there at the beginning is given first, so that nothing falls between a listing and a feed. Each version of a
 *   URI is given once by one `follow`; whoever keeps a record says with `isKnown` what it has already.
 * - It is as slow as its consumer: nothing is read ahead, and nothing is dropped that lies in storage. (A camera drops
 *   frames, and says how many.)
 * - An entry's bytes can be read until the consumer asks for the next item, and as long as they lie where they are.
 *
 * What failure means: nothing that is wrong with one file, and no place that is away for a while, ends a feed; both are
 * `problem` items, each given once until it changes. A feed ends without an error when its signal is aborted, and leaves
 * nothing open. It fails only where it could never begin (`NOT_FOUND`: there is no such place).
 */
import type { SourceEntry, SourceItem } from './source.ts';

export interface FollowOptions {
  /** Ends the feed. */
  readonly signal: AbortSignal;
  /** Ends it once all that is there was given and nothing is still being written. Default: it goes on. */
  readonly untilIdle?: boolean;
  /** Whether this version was taken in earlier, by this process or another (default: none was). */
  readonly isKnown?: (
    entry: Pick<SourceEntry, 'uri' | 'path' | 'version' | 'byteSize' | 'modifiedAtMs'>,
  ) => Promise<boolean>;
  /** Told after each look whether something is still being written. */
  readonly onLook?: (isWaiting: boolean) => void;
}

export interface Feed {
  /** What the user wrote. */
  readonly spec: string;
  readonly root: string;
  follow(options: FollowOptions): AsyncIterable<SourceItem>;
}
