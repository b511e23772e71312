/** Lists of a fixed size from what comes one by one or in pages. Holds one list. */

/** The items in their order, `size` at a time; the last list may be shorter. */
export function* chunks<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** The same of what has to be waited for. */
export async function* chunksOfStream<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let chunk: T[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** The same of what comes in pages of any size, for the first `limit` items. */
export async function* chunksOfPages<T>(
  pages: AsyncIterable<Iterable<T>>,
  size: number,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<T[]> {
  let left = limit;
  let chunk: T[] = [];
  for await (const page of pages) {
    for (const item of page) {
      if (left <= 0) break;
      left--;
      chunk.push(item);
      if (chunk.length < size) continue;
      yield chunk;
      chunk = [];
    }
    if (left <= 0) break;
  }
  if (chunk.length > 0) yield chunk;
}
