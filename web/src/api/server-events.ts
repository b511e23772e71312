/**
 * What the server tells by itself, over one connection for all tabs: the tab that has the lock listens and passes it on. When it
 * goes, the next one listens.
 */
import { locks } from './turns.ts';

const NAMES = ['changed', 'job'] as const;

export interface Told {
  /** `lost`: nobody listens any more. */
  readonly name: (typeof NAMES)[number] | 'lost';
  /** JSON. */
  readonly data: string;
}

/** Ends by itself once it was told `lost`. @returns ends it */
export function listen(hear: (told: Told) => void): () => void {
  const leaving = new AbortController();
  const { signal } = leaving;
  if (!locks) {
    void listenHere(signal, hear);
    return () => leaving.abort();
  }
  const channel = new BroadcastChannel('labelsmith-events');
  signal.addEventListener('abort', () => channel.close());
  const told = (one: Told) => {
    if (one.name === 'lost') leaving.abort();
    hear(one);
  };
  channel.addEventListener('message', ({ data }: MessageEvent<Told>) => told(data));
  const pass = (one: Told) => {
    channel.postMessage(one);
    told(one);
  };
  void inLine(locks, signal, (waited) => {
    // What was written while nobody listened.
    return listenHere(signal, pass, waited ? () => pass({ name: 'changed', data: '' }) : undefined);
  });
  return () => leaving.abort();
}

/** @param work when it is this tab's turn; whether that was at once is told */
async function inLine(manager: LockManager, signal: AbortSignal, work: (waited: boolean) => Promise<void>) {
  const name = 'labelsmith-events';
  const free = await manager.request(name, { ifAvailable: true }, async (lock) => {
    if (lock) await work(false);
    return lock !== null;
  });
  // Whoever leaves the line is told that it was left.
  if (!free) await manager.request(name, { signal }, () => work(true)).catch(() => undefined);
}

/** Until the connection is lost, or this is left. */
function listenHere(signal: AbortSignal, hear: (told: Told) => void, onOpen?: () => void): Promise<void> {
  return new Promise((end) => {
    if (signal.aborted) return end();
    const events = new EventSource('/api/events');
    const leave = () => {
      events.close();
      end();
    };
    signal.addEventListener('abort', leave);
    if (onOpen) events.addEventListener('open', onOpen);
    for (const name of NAMES) events.addEventListener(name, ({ data }) => hear({ name, data: String(data) }));
    events.addEventListener('error', () => {
      leave();
      if (!signal.aborted) hear({ name: 'lost', data: '' });
    });
  });
}
