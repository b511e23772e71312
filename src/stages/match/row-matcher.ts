/** What the stage `match` needs to know of whatever it matches with: pictures or words. */
import type { ItemId } from '../../core/ids.ts';
import type { Matrix } from '../../math/matrix.ts';
import type { Matched } from './prototypes.ts';

export interface RowMatcher {
  readonly classNames: readonly string[];
  /** @param rows as the model gives them, shape [ids, columns]; they may be changed */
  matchRows(ids: readonly ItemId[], rows: Matrix): Promise<Matched[]>;
}
