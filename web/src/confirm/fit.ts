/** How many cells stand side by side so that a whole screenful is in sight at once, as large as can be. Pure. */
export interface Fit {
  readonly columns: number;
  readonly cellPx: number;
}

export function fitOf(count: number, widthPx: number, heightPx: number): Fit {
  let best: Fit = { columns: Math.max(1, count), cellPx: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const cellPx = Math.floor(Math.min(widthPx / columns, heightPx / rows));
    if (cellPx > best.cellPx) best = { columns, cellPx };
  }
  return best;
}
