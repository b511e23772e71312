/** One item of a grid: its picture, what holds of it, how sure that is and who said it. */
import { type Cell, type ItemRef, thumbnailUrl } from '../api/client.ts';

export interface CellViewProps {
  readonly item: ItemRef | undefined;
  readonly cell: Cell | undefined;
  readonly selected: boolean;
  readonly active?: boolean;
  /** An exception of a page to confirm. */
  readonly struck?: boolean;
  /** Named by a person on this page. */
  readonly done?: boolean;
  /** The class that all around it have, which is not said at each. */
  readonly expected?: string;
  /** What it may be instead, which is not said of it; empty: nothing is known, and the line is there. */
  readonly instead?: string;
  readonly onClick?: (event: {
    readonly shiftKey: boolean;
    readonly ctrlKey: boolean;
    readonly metaKey: boolean;
  }) => void;
  readonly onOpen?: () => void;
}

/** Its middle alone says little of what it shows. */
function isLong({ naturalWidth, naturalHeight }: HTMLImageElement): boolean {
  return Math.max(naturalWidth, naturalHeight) > LONG * Math.min(naturalWidth, naturalHeight);
}
const LONG = 2.2;

export const SAID_BY: Readonly<Record<Cell['labels'][number]['origin'], string>> = {
  human: 'a person',
  imported: 'an import',
  model: 'the model',
  reference: 'references',
  detector: 'the detector',
  cluster: 'its cluster',
};

export function CellView({ item, cell, selected, active, onClick, onOpen, ...on }: CellViewProps) {
  const { struck, done, expected, instead } = on;
  if (!item) return <div className="cell waiting" aria-hidden />;
  const [label] = cell?.labels ?? [];
  const state = `${selected ? ' selected' : ''}${active ? ' active' : ''}${struck ? ' struck' : ''}${done ? ' done' : ''}`;
  const [refused] = cell?.rejected ?? [];
  const said = label?.className ?? (refused === undefined ? undefined : `not ${refused}`);
  const quiet = expected !== undefined && (label === undefined || label.className === expected);
  const other = !quiet || !instead ? '' : struck ? `${instead}?` : `or ${instead}`;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid has the keys.
    <div
      className={`cell${state}`}
      role="option"
      tabIndex={-1}
      aria-label={`${said ?? 'no label'} ${cell?.file ?? ''} ${struck ? 'not this ' : ''}${other}`.trim()}
      aria-selected={selected || struck === true}
      onClick={onClick}
      onDoubleClick={onOpen}
    >
      <img
        src={thumbnailUrl(item)}
        alt={cell?.file ?? ''}
        loading="eager"
        decoding="async"
        draggable={false}
        onLoad={({ currentTarget }) => currentTarget.classList.toggle('whole', isLong(currentTarget))}
      />
      {struck && <span className="mark">not this</span>}{' '}
      {quiet && instead !== undefined && (
        <p className="instead">
          <span>{other || '\u00a0'}</span>
        </p>
      )}
      {!quiet && (
        <p className={label ? `by-${label.origin}` : 'none'}>
          <span title={label && `${label.className}, by ${SAID_BY[label.origin]}`}>{said ?? ' '}</span>
          {label && label.origin !== 'human' && <small>{Math.round(label.confidence * 100)} %</small>}
          {label?.origin === 'human' && <small title="a person said it">✓</small>}
          {cell && cell.labels.length > 1 && <small>+{cell.labels.length - 1}</small>}
        </p>
      )}
    </div>
  );
}
