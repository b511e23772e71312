/** Everything there is, as a grid: filtered, ordered, selected, labelled. */

import { useCallback, useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { Cell, ItemRef } from '../api/client.ts';
import { useCount, useOrder, useSearchKinds } from '../api/queries.ts';
import { NONE_OF_THESE } from '../api/said.ts';
import { useWrites } from '../api/writes.ts';
import { many } from '../app/many.ts';
import { ClassPicker } from '../classes/class-picker.tsx';
import { useTask, useTaskClasses } from '../classes/use-task.ts';
import { DetailView } from '../detail/detail-view.tsx';
import { useKeys } from '../keys/keys.ts';
import { CellView } from './cell-view.tsx';
import { Filters, useView } from './filters.tsx';
import { Grid, type GridHandle } from './grid.tsx';
import { SearchBar, Sought } from './search-bar.tsx';
import { type Selection, useSelection } from './selection.ts';
import { GRID_BLOCK, useBlocks } from './use-blocks.ts';
import { useDrop } from './use-drop.ts';
import { useSearch } from './use-search.ts';

const CELL_PX = 168;

export function BrowsePage() {
  const { filter, order: wanted } = useView();
  const { task, items: kind } = useTask();
  const { search, order, error, count, told, again } = useShown();
  const [range, setRange] = useState({ from: 0, to: 0 });
  const cells = useBlocks({ task, order, ...range, block: GRID_BLOCK });
  const { selection, choose, band, clear, reset, selectAll } = useSelection();
  const [opened, setOpened] = useState<number | null>(null);
  const grid = useRef<GridHandle>(null);
  const onRange = useCallback((from: number, to: number) => setRange({ from, to }), []);
  const key = JSON.stringify({ filter, wanted, asked: search.asked });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was selected in another view is not meant in this one.
  useEffect(() => {
    reset();
  }, [key]);

  const move = (step: number, how: 'move' | 'range') => {
    const place = Math.min(count - 1, Math.max(0, selection.active + (selection.active < 0 ? 1 : step)));
    choose(place, how);
    grid.current?.reveal(place);
  };
  const columns = () => grid.current?.columns ?? 1;
  useKeys(
    {
      ArrowRight: () => move(1, 'move'),
      ArrowLeft: () => move(-1, 'move'),
      ArrowDown: () => move(columns(), 'move'),
      ArrowUp: () => move(-columns(), 'move'),
      'Shift+ArrowRight': () => move(1, 'range'),
      'Shift+ArrowLeft': () => move(-1, 'range'),
      'Shift+ArrowDown': () => move(columns(), 'range'),
      'Shift+ArrowUp': () => move(-columns(), 'range'),
      Home: () => move(-count, 'move'),
      End: () => move(count, 'move'),
      Space: () => selection.active >= 0 && choose(selection.active, 'toggle'),
      Enter: () => selection.active >= 0 && setOpened(selection.active),
      '$mod+a': selectAll,
      Escape: clear,
    },
    opened === null,
  );
  const itemOf = (place: number) => order.at(place);
  return (
    <main className="page browse">
      <h1 className="unseen">Browse</h1>
      {search.asked ? <Sought {...search} asked={search.asked} /> : <Filters />}
      <div className="counted">
        <span role="status">{error ? error.message : told}</span>
        <button type="button" onClick={selectAll} disabled={count === 0}>
          Select all that match
        </button>
        {!search.asked && (
          <button type="button" onClick={again}>
            Look again
          </button>
        )}
        {!search.asked && kind === 'images' && <SearchBar {...search} />}
      </div>
      <DropHere onFile={search.byPicture} enabled={kind === 'images'} />
      {count === 0 && order.done && !error ? (
        <p className="empty">
          {search.asked
            ? 'Nothing was found.'
            : 'Nothing here matches. Take a filter away, or add images on the page Start.'}
        </p>
      ) : (
        <Grid
          count={count}
          onRange={onRange}
          cellPx={CELL_PX}
          label="Items"
          handle={grid}
          onBand={band}
          cell={(place) => {
            const item = itemOf(place);
            return (
              <CellView
                item={item}
                cell={item && cells.get(item.itemId)}
                selected={selection.all || selection.places.has(place)}
                active={selection.active === place}
                onClick={({ shiftKey, ctrlKey, metaKey }) =>
                  choose(place, shiftKey ? 'range' : ctrlKey || metaKey ? 'toggle' : 'one')
                }
                onOpen={() => setOpened(place)}
              />
            );
          }}
        />
      )}
      {(selection.all || selection.places.size > 0) && (
        <SelectionBar
          all={selection.all && !search.asked ? count : null}
          items={placesOf(selection, search.asked ? count : 0)
            .map(itemOf)
            .filter((item) => item !== undefined)}
          task={task}
          filter={filter}
          cells={cells}
          clear={clear}
        />
      )}
      {opened !== null && itemOf(opened) && (
        <DetailView
          item={itemOf(opened) as ItemRef}
          task={task}
          onClose={() => setOpened(null)}
          onStep={(step) => setOpened(Math.min(count - 1, Math.max(0, opened + step)))}
        />
      )}
    </main>
  );
}

/** What the grid is of: what was searched for, or everything that matches. */
function useShown() {
  const { filter, order: wanted } = useView();
  const [round, setRound] = useState(0);
  const search = useSearch();
  const all = useOrder(filter, wanted, round, search.asked === null);
  const { order, error } = search.asked ? search : all;
  const counted = useCount(filter);
  const isWhole = order.done || search.asked !== null;
  const count = isWhole ? order.loaded : Math.max(counted.count ?? 0, order.loaded);
  const about = isWhole || counted.exact ? '' : 'about ';
  const sofar = isWhole || order.loaded === 0 ? '' : ` (${order.loaded.toLocaleString()} here so far)`;
  const told = `${about}${many(count, 'item')}${sofar}`;
  return { search, order, error, count, told, again: () => setRound(round + 1) };
}

function DropHere({ onFile, enabled }: { readonly onFile: (file: File) => void; readonly enabled: boolean }) {
  const { pictures } = useSearchKinds();
  const isOver = useDrop(onFile, enabled && pictures);
  return isOver ? <p className="drop">Drop it to see what looks like it</p> : null;
}

/** What was found is a list, so all of it are places. */
function placesOf({ all, places }: Selection, found: number): number[] {
  return all ? Array.from({ length: found }, (_, place) => place) : [...places];
}

interface SelectionBarProps {
  /** How many match, where all of them are meant. */
  readonly all: number | null;
  readonly items: readonly ItemRef[];
  readonly task: string;
  readonly filter: ReturnType<typeof useView>['filter'];
  readonly cells: ReadonlyMap<string, Cell>;
  readonly clear: () => void;
}

function SelectionBar({ all, items, task, filter, cells, clear }: SelectionBarProps) {
  const { label, labelAll } = useWrites();
  const [typing, setTyping] = useState(0);
  useKeys({ l: () => setTyping(typing + 1) });
  const proposals = useTaskClasses(task).map(({ name, count }) => ({ name, what: `${count} here` }));
  const said = async (className: string, present = true) => {
    if (all !== null) await labelAll({ ...filter, task }, className, present);
    else {
      const seen = items.map((item) => ({ ...item, revision: cells.get(item.itemId)?.revision }));
      if (!(await label(task, className, seen, present))) return;
    }
    clear();
  };
  const held = [...new Set(items.flatMap(({ itemId }) => cells.get(itemId)?.labels[0]?.className ?? []))];
  const [first] = items;
  const reject = filter.className ?? (held.length === 1 ? held[0] : undefined);
  return (
    <section className="selection" aria-label="What is selected">
      <strong>
        {all === null ? `${items.length.toLocaleString()} selected` : `All ${all.toLocaleString()} that match`}
      </strong>
      <ClassPicker
        key={typing}
        label="Label them"
        placeholder="l Label them…"
        autoFocus={typing > 0}
        proposals={proposals}
        onPick={(name) => void said(name)}
      />
      {reject !== undefined && (
        <button type="button" onClick={() => void said(reject, false)}>
          Not {reject}
        </button>
      )}
      <button type="button" onClick={() => void said(NONE_OF_THESE)}>
        None of these
      </button>
      {first && items.length === 1 && first.itemId === first.imageId && (
        <Link className="button" href={`/browse?like=${first.imageId}`}>
          What looks like it
        </Link>
      )}
      <button type="button" onClick={clear}>
        Select nothing
      </button>
    </section>
  );
}
