/** What a cell shows once a person has said something of it: what the server would say, until it is asked again. Pure. */
import { type Label, NONE_OF_THESE, type TaskRule } from '../../../src/core/labels.ts';
import type { Cell } from './client.ts';

export { NONE_OF_THESE };

export interface Said {
  readonly task: string;
  readonly className: string;
  readonly present: boolean;
}

/** @param rule default `single`, of which the server corrects what a cell of another task shows */
export function saidOfCell(cell: Cell, { task, className, present }: Said, rule: TaskRule = 'single'): Cell {
  const others = cell.labels.filter((label) => label.className !== className);
  if (className === NONE_OF_THESE) return { ...cell, labels: [], rejected: [NONE_OF_THESE] };
  if (!present) return { ...cell, labels: others, rejected: [...new Set([...cell.rejected, className])] };
  const by: Pick<Label, 'origin' | 'confidence'> = { origin: 'human', confidence: 1 };
  const said = { ...by, task, className, present, runId: null, annotator: null };
  const rejected = cell.rejected.filter((name) => name !== className && name !== NONE_OF_THESE);
  return { ...cell, labels: rule === 'single' ? [said] : [said, ...others], rejected };
}
