/** An operation of the history as a person says it. Pure. */
import { NONE_OF_THESE } from '../api/said.ts';
import { many } from '../app/many.ts';

export interface ToldOperation {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** `split` for all its ways. */
export function historyName(name: string): string {
  return name.startsWith('split') ? 'split' : name;
}

/** The time of day; with its date where that is another day than `now`'s. */
export function historyTime(atMs: number, now = new Date()): string {
  const at = new Date(atMs);
  return at.toDateString() === now.toDateString() ? at.toLocaleTimeString() : at.toLocaleString();
}

export function historyText({ name, arguments: asked }: ToldOperation): string {
  const text = (key: string) => (typeof asked[key] === 'string' ? asked[key] : '');
  const count = (key: string) => (typeof asked[key] === 'number' ? asked[key] : 0);
  const className = text('class') || text('className');
  switch (name) {
    case 'label':
      if (className === NONE_OF_THESE) return 'none of these';
      return className === '' ? 'several classes' : `${asked.present === false ? 'not ' : ''}${className}`;
    case 'confirm': {
      const exceptions = count('exceptions');
      return `${className}: ${many(count('items'), 'item')}${exceptions > 0 ? `, ${exceptions} not` : ''}`;
    }
    case 'rename':
      return text('from') === text('to') ? `${text('to')}, confirmed` : `${text('from')} to ${text('to')}`;
    case 'merge': {
      const names = Array.isArray(asked.names) ? asked.names.filter((one) => one !== asked.into) : [];
      return `${names.join(', ')} into ${text('into')}`;
    }
    case 'split':
    case 'split-into':
      return `${text('name')}: ${many(count('items'), 'item')}`;
    case 'split-by-task':
      return `${text('name')} by the task ${text('by')}`;
    case 'unmerge':
      return `${text('merged')} from ${text('name')} again`;
    case 'describe':
      return text('name');
    case 'nest':
      return text('parent') === '' ? `${text('child')} to the top` : `${text('child')} under ${text('parent')}`;
    case 'alias':
      return `${text('synonym')} means ${text('name')}`;
    case 'audit answer': {
      const { answer } = asked;
      const right = typeof answer === 'object' && answer !== null && 'right' in answer && answer.right === true;
      return right ? `it is ${className}` : `it is not ${className}`;
    }
    default:
      return Object.values(asked)
        .filter((value) => typeof value === 'string' || typeof value === 'number')
        .join(', ');
  }
}
