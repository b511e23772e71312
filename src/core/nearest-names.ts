/** What was meant by a name that nobody knows. */

/**
 * The known names that are most like one, best first: by edits (Levenshtein 1966, as Wagner and Fischer compute it, O(length²)
 * a name), letters' case aside; a name that holds the other counts as one edit away. Names more than a third
 * of whose letters differ are not like it, and names with no letter in common never are.
 */
export function nearestNames(name: string, known: Iterable<string>, most = 3): string[] {
  const wanted = name.toLowerCase();
  return [...new Set(known)]
    .map((one) => {
      const other = one.toLowerCase();
      const held = wanted.length > 2 && (other.includes(wanted) || wanted.includes(other));
      return { one, edits: held ? 1 : editsBetween(wanted, other) };
    })
    .filter(({ one, edits }) => {
      const longer = Math.max(name.length, one.length);
      return edits <= Math.max(1, longer / 3) && edits < Math.max(1, longer);
    })
    .sort((a, b) => a.edits - b.edits || (a.one < b.one ? -1 : 1))
    .slice(0, most)
    .map(({ one }) => one);
}

/**
 * The known name that one was meant to be, if it is off by a slip: letters' case, one edit from 4 letters on, two from 9
 * on (`Resistors`, `resistor`). Null where none is; of several the nearest, then the first by name.
 */
export function slipOf(name: string, known: Iterable<string>): string | null {
  const wanted = name.toLowerCase();
  let best: { readonly one: string; readonly edits: number } | null = null;
  for (const one of known) {
    const other = one.toLowerCase();
    const allowed = Math.min(wanted.length, other.length) < 4 ? 0 : Math.min(wanted.length, other.length) < 9 ? 1 : 2;
    if (one === name || Math.abs(other.length - wanted.length) > allowed) continue;
    const edits = editsBetween(wanted, other);
    if (edits <= allowed && (best === null || edits < best.edits || (edits === best.edits && one < best.one)))
      best = { one, edits };
  }
  return best?.one ?? null;
}

function editsBetween(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = before[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, before[j] + 1, row[j - 1] + 1));
    }
    before = row;
  }
  return before[b.length];
}
