/** Clusters one after the other: look, name, split, merge (a name that is there), or junk. */

import { useState } from 'react';
import { Link } from 'wouter';
import { answer, api, type Cluster, type CorpusChange } from '../api/client.ts';
import { useClusters } from '../api/queries.ts';
import { NONE_OF_THESE } from '../api/said.ts';
import { useWrites } from '../api/writes.ts';
import { ClassPicker } from '../classes/class-picker.tsx';
import { useTask } from '../classes/use-task.ts';
import { useKeys } from '../keys/keys.ts';
import { keyOfCluster } from './looked-at.ts';

export function NamePage() {
  const { task } = useTask();
  const { data: clusters = [], isPending } = useClusters(task);
  const [chosen, setChosen] = useState<string | null>(null);
  /** Looked at and left as they are, by {@link keyOfCluster}. */
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const isNamed = ({ held, unnamed }: Cluster) => held && !unnamed;
  const open = clusters.filter((one) => !isNamed(one) && !left.has(keyOfCluster(one)));
  const cluster = clusters.find(({ name }) => name === chosen) ?? open[0];
  const named = clusters.filter(isNamed).length;
  /** The next one comes before the word on this one is written, so that who types on types into the next one. */
  const done = (of: Cluster, written?: Promise<boolean>) => {
    const key = keyOfCluster(of);
    setLeft((before) => new Set(before).add(key));
    setChosen(null);
    const back = () => setLeft((before) => new Set([...before].filter((one) => one !== key)));
    void written?.then((isWritten) => isWritten || back());
  };
  if (clusters.length === 0) {
    return (
      <main className="page">
        <h1 className="unseen">Name clusters</h1>
        <p className="empty">
          {isPending ? '…' : 'There are no clusters yet. '}
          {!isPending && <Link href="/">Begin with a folder</Link>}
        </p>
      </main>
    );
  }
  return (
    <main className="page name">
      <h1 className="unseen">Name clusters</h1>
      <nav className="side" aria-label="Clusters">
        <p>
          {named} of {clusters.length} named
        </p>
        {clusters.map((one) => (
          <button
            type="button"
            key={one.name}
            aria-pressed={one.name === cluster?.name}
            onClick={() => setChosen(one.name)}
          >
            {isNamed(one) ? '✓ ' : ''}
            {one.unnamed ? <i>{one.name}</i> : one.name} <small>{one.items.toLocaleString()}</small>
          </button>
        ))}
      </nav>
      {cluster ? (
        <OneCluster key={cluster.name} cluster={cluster} task={task} onDone={(written) => done(cluster, written)} />
      ) : (
        <p className="empty">
          All of them were looked at. <Link href="/confirm">Confirm them page by page</Link>, or{' '}
          <Link href="/">go on with the next step</Link>.
        </p>
      )}
    </main>
  );
}

interface OneClusterProps {
  readonly cluster: Cluster;
  readonly task: string;
  /** @param written what comes of the word on it; false where it was refused, and the cluster is open again */
  readonly onDone: (written?: Promise<boolean>) => void;
}

function OneCluster({ cluster, task, onDone }: OneClusterProps) {
  const { name, unnamed, held, items, chance, exemplars, candidates, near } = cluster;
  const { run, labelAll } = useWrites();
  const [typing, setTyping] = useState(false);
  const call = (to: string) => {
    const json: CorpusChange = { kind: 'call', from: name, to };
    const told = to === name ? `${name} it is.` : `${items.toLocaleString()} images are called ${to} now.`;
    onDone(run(() => answer(api.corpus.$post({ json })), told));
  };
  /** Clustering proposed the name; by that a person agrees the cluster is theirs as by any other name, and no image is labelled. */
  const keep = () => call(name);
  const junk = () => onDone(labelAll({ task, cluster: name }, NONE_OF_THESE));
  /** Another cluster is the same thing; a name that people gave stays, else the other one's, where it has one. */
  const join = async (other: Cluster['near'][number]) => {
    const into = other.unnamed || (held && !unnamed) ? name : other.name;
    const json: CorpusChange = { kind: 'merge', names: [name, other.name], into };
    await run(() => answer(api.corpus.$post({ json })), `They are one now: ${into}.`);
  };
  const split = (into: number) =>
    run(
      () => answer(api.jobs.$post({ json: { kind: 'split', className: name, into, task } })),
      `${name} is taken apart by looks…`,
    );
  const same = () => near[0] && void join(near[0]);
  const proposals = candidates.filter((one) => one.name !== name).slice(0, 4);
  useKeys({
    Enter: () => (unnamed ? setTyping(true) : keep()),
    '/': () => setTyping(true),
    ArrowRight: () => onDone(),
    Delete: junk,
    '=': same,
    'Shift+=': same,
    2: () => void split(2),
    3: () => void split(3),
  });
  return (
    <section className="cluster">
      <header>
        <h2>
          {unnamed ? 'What is this?' : name} <small>{items.toLocaleString()} images</small>
        </h2>
        {chance !== null && chance < 0.5 && (
          <p className="hint">These may be several things: look whether to split it.</p>
        )}
        <div className="row">
          <ClassPicker
            key={String(typing)}
            label="Its name"
            placeholder={unnamed ? 'type its name…' : 'type another name…'}
            autoFocus={typing}
            typeAhead
            onPick={call}
          />
          {!unnamed && (
            <button type="button" className="main" onClick={keep}>
              <kbd>Enter</kbd> {name} is right
            </button>
          )}
          <button type="button" onClick={() => void split(2)}>
            <kbd>2</kbd> Split in two
          </button>
          <button type="button" onClick={() => void split(3)}>
            <kbd>3</kbd> in three
          </button>
          <button type="button" onClick={junk}>
            <kbd>Del</kbd> Junk
          </button>
          <button type="button" onClick={() => onDone()}>
            <kbd>→</kbd> Later
          </button>
        </div>
        {proposals.length > 0 && (
          <ul className="why" aria-label="Proposed names">
            {proposals.map((one) => (
              <li key={one.name}>
                <button type="button" onClick={() => call(one.name)}>
                  {one.name}
                </button>{' '}
                <small>
                  {Math.round(one.score * 100)} %: {one.why.join(', ')}
                </small>
              </li>
            ))}
          </ul>
        )}
        <NearClusters near={near} onJoin={(other) => void join(other)} />
      </header>
      <div className="exemplars">
        {exemplars.map((id) => (
          <img key={id} src={`/api/images/${id}/thumbnail`} alt="" />
        ))}
      </div>
    </section>
  );
}

interface NearClustersProps {
  readonly near: Cluster['near'];
  readonly onJoin: (other: Cluster['near'][number]) => void;
}

/** What may be the same thing: the pictures say it. */
function NearClusters({ near, onJoin }: NearClustersProps) {
  if (near.length === 0) return null;
  return (
    <ul className="near-clusters" aria-label="May be the same">
      {near.map((other, i) => (
        <li key={other.name}>
          {other.exemplars.map((id) => (
            <img key={id} src={`/api/images/${id}/thumbnail`} alt="" />
          ))}
          <button type="button" onClick={() => onJoin(other)}>
            {i === 0 && <kbd>=</kbd>} The same as {other.unnamed ? 'these' : other.name}
          </button>
        </li>
      ))}
    </ul>
  );
}
