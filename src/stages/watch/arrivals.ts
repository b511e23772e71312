/** What a feed gives, in batches: all that came while the batch before was worked on, so that a burst costs little more than one. */
import type { SourceItem } from '../../sources/source.ts';

export interface Arrival {
  readonly item: SourceItem;
  /** When it was given, in ms of the machine's time. */
  readonly atMs: number;
}

/**
 * Batches of at most `max`; an empty one when nothing came for `idleMs`. Ends with the feed, and fails with it.
 */
export async function* arrivals(
  items: AsyncIterable<SourceItem>,
  { max, idleMs }: { readonly max: number; readonly idleMs: number },
): AsyncGenerator<readonly Arrival[]> {
  const waiting: Arrival[] = [];
  let ended: { readonly error?: unknown } | undefined;
  let wakeReader = () => {};
  let wakeWriter = () => {};
  const reading = (async () => {
    for await (const item of items) {
      waiting.push({ item, atMs: Date.now() });
      wakeReader();
      while (waiting.length >= max) await new Promise<void>((wake) => (wakeWriter = wake));
    }
  })().then(
    () => ({}),
    (error: unknown) => ({ error }),
  );
  reading.then((how) => {
    ended = how;
    wakeReader();
  });
  for (;;) {
    if (waiting.length === 0 && ended === undefined) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((wake) => {
        wakeReader = wake;
        timer = setTimeout(wake, idleMs);
      });
      clearTimeout(timer);
    }
    const batch = waiting.splice(0, max);
    wakeWriter();
    if (batch.length === 0 && ended !== undefined) {
      if ('error' in ended) throw ended.error;
      return;
    }
    yield batch;
  }
}
