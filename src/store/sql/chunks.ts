/** Long lists in look-ups. */

/** Look-ups by list are cut into these sizes, the last one filled up, so that few statements have to be compiled. */
const LIST_SIZES = [1, 8, 64, 512] as const;

/** The list in chunks of few sizes; the last chunk repeats its last entry up to the next size. */
export function* chunks<T>(list: readonly T[]): Generator<readonly T[]> {
  const most = LIST_SIZES[LIST_SIZES.length - 1];
  for (let start = 0; start < list.length; start += most) {
    const chunk = list.slice(start, start + most);
    const size = LIST_SIZES.find((s) => s >= chunk.length) ?? most;
    while (chunk.length < size) chunk.push(chunk[chunk.length - 1]);
    yield chunk;
  }
}
