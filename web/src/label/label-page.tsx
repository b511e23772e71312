/** One item after the other: a key a class, and on to the next. */

import { useState } from 'react';
import type { Cell, ItemRef } from '../api/client.ts';
import { NONE_OF_THESE } from '../api/said.ts';
import { useWrites } from '../api/writes.ts';
import { SAID_BY } from '../browse/cell-view.tsx';
import { useBlocks } from '../browse/use-blocks.ts';
import { ClassPicker } from '../classes/class-picker.tsx';
import { useTask, useTaskClasses } from '../classes/use-task.ts';
import { useKeys } from '../keys/keys.ts';
import { EmptyQueue } from './empty-queue.tsx';
import { QUEUES, type Queue } from './queues.ts';
import { type Queued, useQueue } from './use-queue.ts';

const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0'];
/** Shown and made ready ahead. */
const AHEAD = 8;
/** Items whose labels are asked for at once. */
const BLOCK = 48;

export function LabelPage() {
  const { task, items } = useTask();
  const [queue, setQueue] = useState<Queue>(QUEUES[0]);
  const [round, setRound] = useState(0);
  const [place, setPlace] = useState(0);
  const [said, setSaid] = useState<ReadonlyMap<string, string>>(new Map());
  const [typing, setTyping] = useState(false);
  const { order, error, saidAt } = useQueue({ queue, task, items, round });
  const ahead: ItemRef[] = [];
  for (let i = place; i < place + AHEAD; i++) {
    const item = order.at(i);
    if (item) ahead.push(item);
  }
  const cells = useBlocks({ task, order, from: place, to: place + AHEAD, block: BLOCK });
  const [item] = ahead;
  const why = saidAt(place);
  // An item may be asked about several times, each of another class.
  const asked = `${item?.itemId} ${why?.claim?.className ?? ''}`;
  const cell = item && cells.get(item.itemId);
  const keys = useTaskClasses(task).slice(0, DIGITS.length);
  const { label, answerAudit } = useWrites();

  const say = (className: string, present = true) => {
    setTyping(false);
    if (!item) return;
    setSaid(new Map(said).set(asked, present ? className : `not ${className}`));
    const claim = why?.claim;
    if (claim) {
      const right = present && className === claim.className;
      const trueClass = present && !right ? className : null;
      const ref = { itemId: item.itemId, imageId: item.imageId };
      void answerAudit({ task, ...ref, ...claim, right, trueClass });
    } else void label(task, className, [{ ...item, revision: cell?.revision }], present);
    setPlace(place + 1);
  };
  const guess = why?.guess ?? null;
  // An audit measures what people say by themselves.
  const isBlind = queue.key === 'audit';
  const claimed = why?.claim?.className;
  const held = isBlind ? undefined : (claimed ?? cell?.labels[0]?.className ?? guess ?? undefined);
  useKeys({
    ...Object.fromEntries(DIGITS.map((digit, i) => [digit, () => keys[i] && say(keys[i].name)])),
    Enter: () => held && say(held),
    g: () => guess && say(guess),
    x: () => held && say(held, false),
    n: () => say(NONE_OF_THESE),
    s: () => setPlace(place + 1),
    ArrowRight: () => setPlace(place + 1),
    ArrowLeft: () => setPlace(Math.max(0, place - 1)),
    '/': () => setTyping(true),
  });
  const start = (key: string) => {
    setQueue(QUEUES.find((one) => one.key === key) ?? QUEUES[0]);
    setPlace(0);
    setRound(round + 1);
  };
  return (
    <main className="page label">
      <h1 className="unseen">Label</h1>
      <div className="row">
        {QUEUES.map(({ key, name, what }) => (
          <button type="button" key={key} title={what} aria-pressed={queue.key === key} onClick={() => start(key)}>
            {name}
          </button>
        ))}
        <span role="status">
          {order.loaded === 0 && order.done ? 0 : Math.min(place + 1, order.loaded)} of {order.loaded.toLocaleString()}
        </span>
        <button type="button" className="end" onClick={() => start(queue.key ?? '')}>
          Begin anew
        </button>
      </div>
      {item ? (
        <OneItem item={item} cell={cell} isBlind={isBlind} said={said.get(asked)} why={why} />
      ) : (
        <EmptyQueue
          key={`${queue.key} ${round}`}
          queue={queue}
          task={task}
          error={error}
          isDone={order.done}
          onDrawn={() => start(queue.key ?? '')}
        />
      )}
      <div className="classes" role="toolbar" aria-label="Classes">
        {keys.map(({ name }, i) => (
          <button type="button" key={name} onClick={() => say(name)} aria-pressed={name === held}>
            <kbd>{DIGITS[i]}</kbd> {name}
          </button>
        ))}
        <button type="button" disabled={!held} onClick={() => held && say(held, false)}>
          <kbd>x</kbd> not {held ?? 'this'}
        </button>
        <button type="button" onClick={() => say(NONE_OF_THESE)}>
          <kbd>n</kbd> none of these
        </button>
        <button type="button" onClick={() => setPlace(place + 1)}>
          <kbd>s</kbd> skip
        </button>
        <ClassPicker
          key={String(typing)}
          label="Any other class"
          placeholder="/ any other class…"
          autoFocus={typing}
          onPick={(name) => say(name)}
          onCancel={() => setTyping(false)}
        />
      </div>
      {ahead.slice(1).map((next) => (
        <link key={next.itemId} rel="preload" as="image" href={pictureOf(next)} />
      ))}
    </main>
  );
}

function pictureOf({ itemId, imageId }: ItemRef): string {
  return itemId === imageId
    ? `/api/images/${imageId}/picture?longest=1024`
    : `/api/images/${imageId}/thumbnail?region=${itemId}`;
}

interface OneItemProps {
  readonly item: ItemRef;
  readonly cell: Cell | undefined;
  readonly said?: string;
  readonly why?: Queued;
  readonly isBlind: boolean;
}

function OneItem({ item, cell, said, why, isBlind }: OneItemProps) {
  const label = isBlind ? undefined : cell?.labels[0];
  return (
    <figure>
      <img src={pictureOf(item)} alt={cell?.file ?? ''} />
      <figcaption>
        {said ? (
          <b>You said: {said}</b>
        ) : label ? (
          <>
            <b>{label.className}</b> by {SAID_BY[label.origin]}
            {label.origin !== 'human' && `, ${Math.round(label.confidence * 100)} % sure`}. <kbd>Enter</kbd> says it is
            right.
          </>
        ) : (
          !why && 'Nobody has said anything of it.'
        )}{' '}
        {why && (
          <span>
            Here because: {why.why}.
            {why.guess !== null && why.guess !== label?.className && (
              <>
                {' '}
                <kbd>g</kbd> says <b>{why.guess}</b>.
              </>
            )}
          </span>
        )}{' '}
        <small>{cell?.file}</small>
      </figcaption>
    </figure>
  );
}
