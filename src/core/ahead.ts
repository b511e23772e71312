/**
 * The values of a source, of which the next are asked for while those before are worked on.
 *
 * @param most values that wait at once. The first are asked for now, not when somebody begins to read.
 */
export function ahead<T>(source: AsyncIterable<T>, most: number): AsyncIterable<T> {
  const values = source[Symbol.asyncIterator]();
  const waiting: Promise<IteratorResult<T>>[] = [];
  const ask = () => {
    const next = values.next();
    // Told to whoever reads it; nobody may come to that.
    next.catch(() => undefined);
    waiting.push(next);
  };
  for (let i = 0; i < most; i++) ask();
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (let next = await waiting.shift(); next && !next.done; next = await waiting.shift()) {
          ask();
          yield next.value;
        }
      } finally {
        await values.return?.();
      }
    },
  };
}
