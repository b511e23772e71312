/**
 * The classes that one cell of a table names. Columns of several (`tags`, `labels`) part them by `;`, `|` or commas; the
 * list that pandas writes of Python's (`['a', 'b']`) and JSON's are read in any column. Blanks part nothing, since names
 * have them: that is told. Pure.
 */
import { badFile, shown } from '../check.ts';
import { textOfCell } from '../csv-table.ts';
import type { Reckoning } from '../reckoning.ts';

const SEPARATORS = [';', '|', ','] as const;

/** An element of a list: in quotes of either kind with backslashes, or bare. */
const ELEMENT = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s,'"[\]{}()][^,'"[\]{}()]*))\s*(?:,|$)/y;

export type ReadClassCell = (cell: string, where: string) => readonly string[];

/**
 * A reader of the cells of one column, without blanks at their ends; an empty one has no class.
 * @param several cells of this column hold any number of classes
 */
export function classCells(several: boolean, reckoning: Reckoning): ReadClassCell {
  let parted = false;
  return (cell, where) => {
    const listed = listIn(cell, several);
    const found = SEPARATORS.filter((separator) => cell.includes(separator));
    if (listed !== null || (several && found.length > 0)) parted = true;
    if (listed !== null) return listed;
    if (several && found.length > 1) {
      const signs = found.map((separator) => `"${separator}"`).join(' and ');
      const hint = 'Part the classes of a cell by one sign, or write a row a class.';
      throw badFile(where, `${shown(cell)} has ${signs} in it, and only one of them can part its classes`, hint);
    }
    if (several && found.length === 1) return distinct(cell.split(found[0]));
    const name = textOfCell(cell);
    if (name === '') return [];
    // Where other cells of the column have a sign, a blank is known to be of the name.
    if (several ? !parted && /\s/.test(name) : /[;|]/.test(name))
      reckoning.note('cell-as-one-class', where, shown(name));
    return [name];
  };
}

/** `['a', 'b']`, `["a"]`, `("a", "b")`, `{'a'}`; without quotes (`[a, b]`) where the column is of several. Null: no list. */
function listIn(cell: string, several: boolean): readonly string[] | null {
  const body = /^(?:\[(.*)\]|\((.*)\)|\{(.*)\})$/s
    .exec(cell)
    ?.slice(1)
    .find((part) => part !== undefined);
  if (body === undefined) return null;
  const names: string[] = [];
  ELEMENT.lastIndex = 0;
  while (ELEMENT.lastIndex < body.trimEnd().length) {
    const found = ELEMENT.exec(body);
    if (found === null) return null;
    const quoted = found[1] ?? found[2];
    if (quoted === undefined && !several) return null;
    names.push(quoted === undefined ? found[3] : quoted.replace(/\\(.)/gs, '$1'));
  }
  // An empty pair of brackets says that there is none, where the column is of several.
  return names.length > 0 || several ? distinct(names) : null;
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.trim()).filter((name) => name !== ''))];
}
