/**
 * Writes that wait a moment for more of the same, such as presses of a key that move a box. What comes after them in the history,
 * and undo, which is of the newest, brings them forward.
 */
const waiting = new Set<() => void>();

/** @returns takes it back: it was written, or is not wanted any more */
export function holdBack(write: () => void): () => void {
  waiting.add(write);
  return () => waiting.delete(write);
}

export function bringForward(): void {
  for (const write of [...waiting]) write();
}
