/** The classes: how many, what they look like, what they are called, which are one, and what was done to them. */
import { useState } from 'react';
import { Link } from 'wouter';
import { answer, api, type CorpusChange as Change } from '../api/client.ts';
import { useClasses, useOperations, useTree } from '../api/queries.ts';
import { useWrites } from '../api/writes.ts';
import { many } from '../app/many.ts';
import { ClassPicker } from '../classes/class-picker.tsx';
import { useTask } from '../classes/use-task.ts';
import { historyName, historyText, historyTime } from './history-text.ts';
import { rowsOf } from './tree.ts';

export function CorpusPage() {
  const { data: nodes = [], isPending } = useTree();
  const { run } = useWrites();
  const [chosen, setChosen] = useState<string | null>(null);
  const [dragged, setDragged] = useState<string | null>(null);
  const [withEmpty, setWithEmpty] = useState(false);
  const full = nodes.filter(({ images, regions }) => images + regions > 0);
  const empty = nodes.length - full.length;
  const change = (json: Change, done: string) => run(() => answer(api.corpus.$post({ json })), done);
  const merge = async (name: string, into: string) => {
    const done = await change({ kind: 'merge', names: [name, into], into }, `${name} counts as ${into} now.`);
    // The one that was being changed is in the other now.
    if (done) setChosen((before) => (before === name ? into : before));
  };
  return (
    <main className="page corpus">
      <section>
        <h1>Classes</h1>
        {nodes.length === 0 && <p className="empty">{isPending ? '…' : 'There are no classes yet.'}</p>}
        <ul className="tree">
          {rowsOf(withEmpty ? nodes : full).map(({ node, depth }) => (
            <li
              key={node.name}
              className={dragged && dragged !== node.name ? 'target' : ''}
              data-depth={Math.min(depth, 6)}
            >
              <button
                type="button"
                draggable
                aria-pressed={node.name === chosen}
                onClick={() => setChosen(node.name)}
                onDragStart={() => setDragged(node.name)}
                onDragEnd={() => setDragged(null)}
                onDragOver={(event) => event.preventDefault()}
                onDrop={() => {
                  if (dragged && dragged !== node.name) void merge(dragged, node.name);
                  setDragged(null);
                }}
              >
                <b>{node.name}</b>
                <small>
                  {many(node.images, 'image')}
                  {node.regions > 0 && `, ${many(node.regions, 'box', 'boxes')}`}
                  {node.meanConfidence !== null && `, ${Math.round(node.meanConfidence * 100)} % sure`}
                </small>
                <span className="strip">
                  {node.exemplars.map((id) => (
                    <img key={id} src={`/api/images/${id}/thumbnail`} alt="" loading="lazy" />
                  ))}
                </span>
              </button>
            </li>
          ))}
        </ul>
        {empty > 0 && (
          <label className="choice">
            <input type="checkbox" checked={withEmpty} onChange={(event) => setWithEmpty(event.target.checked)} /> show{' '}
            {empty} without images too
          </label>
        )}
      </section>
      <aside>
        {chosen === null ? (
          <p className="hint">Choose a class to change it, or drag one onto another to make them one.</p>
        ) : (
          <OneClass key={chosen} name={chosen} change={change} merge={merge} onRenamed={setChosen} />
        )}
        <History />
      </aside>
    </main>
  );
}

interface OneClassProps {
  readonly name: string;
  readonly change: (change: Change, done: string) => Promise<boolean>;
  readonly merge: (name: string, into: string) => Promise<void>;
  readonly onRenamed: (name: string | null) => void;
}

function OneClass({ name, change, merge, onRenamed }: OneClassProps) {
  const { data: classes = [] } = useClasses();
  const { task } = useTask();
  const { run } = useWrites();
  const known = classes.find((one) => one.name === name);
  const [text, setText] = useState(name);
  /** Typed; else what is there. */
  const [typed, setTyped] = useState<string | null>(null);
  const words = typed ?? known?.description ?? '';
  const split = (into: number) =>
    run(
      () => answer(api.jobs.$post({ json: { kind: 'split', className: name, into, task } })),
      `${name} is taken apart by looks…`,
    );
  return (
    <section aria-label={name}>
      <h2>{name}</h2>
      {known?.synonyms.length ? <p className="facts">also called {known.synonyms.join(', ')}</p> : null}
      <form
        className="row"
        onSubmit={async (event) => {
          event.preventDefault();
          if (text !== name && (await change({ kind: 'rename', from: name, to: text }, `It is ${text} now.`)))
            onRenamed(text);
        }}
      >
        <input aria-label="New name" value={text} onChange={(event) => setText(event.target.value)} maxLength={200} />
        <button type="submit" disabled={text === name || text === ''}>
          Rename
        </button>
      </form>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          void change({ kind: 'describe', name, description: words === '' ? null : words }, `${name} is described.`);
        }}
      >
        <textarea
          aria-label="What it is"
          placeholder="What it is, and what does not count…"
          rows={2}
          maxLength={4000}
          value={words}
          onChange={(event) => setTyped(event.target.value)}
        />
        <button type="submit" disabled={words === (known?.description ?? '')}>
          Describe
        </button>
      </form>
      <ClassPicker label="Make it one with" placeholder="Make it one with…" onPick={(into) => void merge(name, into)} />
      <ClassPicker
        label="Another word for it"
        placeholder="Another word for it…"
        onPick={(synonym) => void change({ kind: 'alias', name, synonym }, `${synonym} means ${name}.`)}
      />
      <ClassPicker
        label="Put it under"
        placeholder="Put it under…"
        onPick={(parent) => void change({ kind: 'nest', child: name, parent }, `${name} stands under ${parent}.`)}
      />
      <div className="row">
        <button
          type="button"
          onClick={() => void change({ kind: 'nest', child: name, parent: null }, `${name} stands at the top.`)}
        >
          To the top
        </button>
        <button type="button" onClick={() => void split(2)}>
          Split in two
        </button>
        <button type="button" onClick={() => void split(3)}>
          in three
        </button>
        <Link href={`/browse?class=${encodeURIComponent(name)}`} className="button">
          Look at it
        </Link>
      </div>
    </section>
  );
}

function History() {
  const { data: operations = [] } = useOperations();
  const { undo } = useWrites();
  return (
    <section aria-label="History">
      <h2>History</h2>
      <button type="button" disabled={operations.every(({ undone }) => undone)} onClick={() => void undo()}>
        Undo the last
      </button>
      <ol className="history">
        {operations.map(({ id, atMs, name, labels, regions, undone, arguments: asked }) => (
          <li key={id} className={undone ? 'undone' : ''}>
            <b>{historyName(name)}</b> {historyText({ name, arguments: asked })}{' '}
            <small>
              {labels > 0 && `${many(labels, 'label')} `}
              {regions > 0 && `${many(regions, 'box', 'boxes')} `}
              {historyTime(atMs)}
              {undone && ', undone'}
            </small>
          </li>
        ))}
      </ol>
    </section>
  );
}
