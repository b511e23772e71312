/** So many at once, from a list that may never end. */

/** Does `work` for each item, at most `lanes` at once; the first failure ends the list, and is thrown when all have ended. */
export async function inLanes<T>(
  items: AsyncIterable<T> | Iterable<T>,
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  // A generator answers calls of `next` one after the other, so lanes may ask at once.
  const lane = async () => {
    while (failure === undefined) {
      const next = await iterator.next();
      if (next.done) return;
      await work(next.value);
    }
  };
  const running = Array.from({ length: lanes }, () =>
    lane().catch((error: unknown) => {
      failure ??= { error };
    }),
  );
  await Promise.all(running);
  await iterator.return?.();
  if (failure !== undefined) throw failure.error;
}
