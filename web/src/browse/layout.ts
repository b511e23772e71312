/** Where cells of one size stand in a grid of any number of them, and how far a bounded scroller is for that. Pure. */

/** Below the limit of every browser, at device pixel ratio 2 too. */
export const MAX_SCROLL_PX = 8_000_000;

export interface Layout {
  readonly columns: number;
  /** Columns share the width, so that nothing is left beside them. */
  readonly columnPx: number;
  readonly rows: number;
  readonly totalPx: number;
  /** Height of what is scrolled. */
  readonly scrollPx: number;
}

export function layoutOf(count: number, widthPx: number, cellPx: number): Layout {
  const columns = Math.max(1, Math.floor(widthPx / cellPx));
  const rows = Math.ceil(count / columns);
  const totalPx = rows * cellPx;
  const columnPx = Math.max(cellPx, Math.floor(widthPx / columns));
  return { columns, columnPx, rows, totalPx, scrollPx: Math.min(totalPx, MAX_SCROLL_PX) };
}

/** Where the content's top stands, in content pixels, for a position of the scroller. */
export function contentTop({ totalPx, scrollPx }: Layout, scrollTop: number, heightPx: number): number {
  const most = scrollPx - heightPx;
  return most <= 0 ? 0 : (Math.min(scrollTop, most) / most) * (totalPx - heightPx);
}

export function scrollTopFor({ totalPx, scrollPx }: Layout, top: number, heightPx: number): number {
  const most = totalPx - heightPx;
  return most <= 0 ? 0 : (Math.min(Math.max(top, 0), most) / most) * (scrollPx - heightPx);
}

/** A rectangle in the content, in its pixels. */
export interface Band {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Places that it touches, in order. */
export function placesInBand(
  { columns, columnPx, rows }: Layout,
  { left, right, top, bottom }: Band,
  { count, cellPx }: { readonly count: number; readonly cellPx: number },
): number[] {
  const within = (value: number, most: number) => Math.min(Math.max(Math.floor(value), 0), most - 1);
  const places: number[] = [];
  if (count === 0 || bottom < 0 || right < 0 || left >= columns * columnPx || top >= rows * cellPx) return places;
  for (let row = within(top / cellPx, rows); row <= within(bottom / cellPx, rows); row++) {
    for (let column = within(left / columnPx, columns); column <= within(right / columnPx, columns); column++) {
      const place = row * columns + column;
      if (place < count) places.push(place);
    }
  }
  return places;
}
