import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelsmithError } from '../../errors.ts';
import type { WorkerEvent } from '../../jobs/fleet/worker.ts';
import { whenAnswering } from './work.ts';

/** As PostgreSQL says it while it starts. */
const starting = () => Object.assign(new Error('the database system is starting up'), { code: '57P03' });

test('what does not answer yet is asked again and told; what is wrong ends it at once', async () => {
  const events: WorkerEvent[] = [];
  const given = { signal: new AbortController().signal, onEvent: (event: WorkerEvent) => void events.push(event) };
  let asked = 0;
  const opened = await whenAnswering(
    async () => {
      if (++asked < 4) throw new LabelsmithError('NETWORK', 'The queue cannot be opened', { cause: starting() });
      return 'open';
    },
    given,
    { everyMs: 1 },
  );
  assert.deepEqual([opened, asked], ['open', 4]);
  assert.deepEqual(
    events.map((event) => ('reason' in event ? [event.kind, event.reason] : [event.kind])),
    [...Array.from({ length: 3 }, () => ['away', 'The queue cannot be opened']), ['back']],
  );
  const wrong = new LabelsmithError('WORKSPACE', 'There is no workspace');
  await assert.rejects(
    whenAnswering(() => Promise.reject(wrong), given),
    wrong,
  );
  const gone = whenAnswering(() => Promise.reject(starting()), given, { everyMs: 1, patienceMs: 20 });
  await assert.rejects(gone, /starting up/);
});

test('a worker that is told to end does not wait', async () => {
  const end = new AbortController();
  const waiting = whenAnswering(() => Promise.reject(starting()), { signal: end.signal, onEvent() {} });
  end.abort();
  await assert.rejects(waiting, /starting up/);
});
