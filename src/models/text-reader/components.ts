/** Connected components of a thresholded map, each as its outermost pixels. */

/** A point, x to the right, y down. */
export type Point = readonly [x: number, y: number];

/**
 * What lies above `threshold`, with neighbours on the eight sides, in the order of their first pixels row by row. Of each the first
 * and the last pixel of every row: its convex hull is that of all its pixels. One pass, with a stack; O(pixels).
 *
 * @param map shape [rows, columns]
 */
export function componentsAbove(
  map: Float32Array,
  { rows, columns, threshold }: { readonly rows: number; readonly columns: number; readonly threshold: number },
): Point[][] {
  const seen = new Uint8Array(rows * columns);
  const found: Point[][] = [];
  for (let start = 0; start < map.length; start++) {
    if (seen[start] === 1 || !(map[start] > threshold)) continue;
    const ends = new Map<number, [first: number, last: number]>();
    const stack = [start];
    seen[start] = 1;
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const y = Math.floor(at / columns);
      const x = at - y * columns;
      const row = ends.get(y);
      if (!row) ends.set(y, [x, x]);
      else if (x < row[0]) row[0] = x;
      else if (x > row[1]) row[1] = x;
      for (let dy = Math.max(0, y - 1); dy <= Math.min(rows - 1, y + 1); dy++) {
        for (let dx = Math.max(0, x - 1); dx <= Math.min(columns - 1, x + 1); dx++) {
          const next = dy * columns + dx;
          if (seen[next] === 1 || !(map[next] > threshold)) continue;
          seen[next] = 1;
          stack.push(next);
        }
      }
    }
    found.push(
      [...ends].flatMap(([y, [first, last]]): Point[] =>
        first === last
          ? [[first, y]]
          : [
              [first, y],
              [last, y],
            ],
      ),
    );
  }
  return found;
}
