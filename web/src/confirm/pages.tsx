/**
 * A class or a cluster a screenful at a time: "these are all it, but for those that I clicked", Enter. What was clicked may be
 * named too, all at once; and a screenful that is mostly something else may be confirmed as that. What was confirmed leaves the
 * list, since a person has said it.
 */
import { useState } from 'react';
import { CellView } from '../browse/cell-view.tsx';
import { useKeys } from '../keys/keys.ts';
import { fitOf } from './fit.ts';
import { type Naming, PageBar } from './page-bar.tsx';
import { type PagesProps, useScreenful } from './use-screenful.ts';
import { useSize } from './use-size.ts';

/** Few pictures are not blown up beyond what so many would be. */
const MIN_CELLS = 24;

export function Pages(props: PagesProps) {
  const { task, className, onEnd } = props;
  const { page, cellOf, order, error, struck, named, as, kept, confirmed, told, insteadOf, ...on } =
    useScreenful(props);
  const [active, setActive] = useState(0);
  const [naming, setNaming] = useState<Naming>(null);
  const { ref, width, height } = useSize();
  const { columns, cellPx } = fitOf(Math.max(page.length, MIN_CELLS), width - 4, height - 4);
  const begin = (then: () => void) => () => {
    setActive(0);
    setNaming(null);
    then();
  };
  const accept = page.length === 0 ? onEnd : begin(on.accept);
  const skip = begin(on.next);
  const move = (step: number) => setActive(Math.min(page.length - 1, Math.max(0, active + step)));
  useKeys({
    Enter: accept,
    s: skip,
    g: () => on.nameAsProposed(),
    '/': () => setNaming(struck.size > 0 ? 'struck' : 'page'),
    Space: () => on.toggle(page[active]),
    ArrowRight: () => move(1),
    ArrowLeft: () => move(-1),
    ArrowDown: () => move(columns),
    ArrowUp: () => move(-columns),
  });
  if (page.length === 0) {
    return (
      <section className="empty">
        <p>{error?.message ?? (order.done ? `That is all of ${className}. ${confirmed} were confirmed.` : '…')}</p>
        <button type="button" onClick={onEnd}>
          Next class
        </button>
      </section>
    );
  }
  const grid = { gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gridAutoRows: `${cellPx}px` };
  return (
    <section className="pages">
      <PageBar
        task={task}
        className={className}
        as={as}
        naming={naming}
        setNaming={setNaming}
        accept={accept}
        told={told}
        struck={struck.size}
        proposed={on.proposed}
        nameAsProposed={on.nameAsProposed}
        kept={kept.length}
        nameStruck={(name) => {
          setNaming(null);
          on.nameStruck(name);
        }}
        onAs={(name) => {
          setNaming(null);
          on.setAs(name);
        }}
        onSkip={skip}
      />
      <div className="frame" ref={ref}>
        <div className="screenful" role="listbox" aria-label={as} aria-multiselectable tabIndex={0} style={grid}>
          {page.map((item, i) => (
            <CellView
              key={item.itemId}
              item={item}
              cell={cellOf.get(item.itemId)}
              instead={named.has(item.itemId) ? undefined : insteadOf(item)}
              expected={named.has(item.itemId) ? undefined : className}
              selected={false}
              done={named.has(item.itemId)}
              active={i === active}
              struck={struck.has(item.itemId)}
              onClick={() => {
                setActive(i);
                on.toggle(item);
              }}
            />
          ))}
        </div>
      </div>
    </section>
  );
}
