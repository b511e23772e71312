/** What stands in an empty queue's place: why there is nothing, and what may be done about it. */
import { useEffect, useState } from 'react';
import { answer, api } from '../api/client.ts';
import { useJobs } from '../api/queries.ts';
import { useWrites } from '../api/writes.ts';
import type { Queue } from './queues.ts';

interface EmptyQueueProps {
  readonly queue: Queue;
  readonly task: string;
  readonly error: Error | null;
  readonly isDone: boolean;
  /** What was asked for is there. */
  readonly onDrawn: () => void;
}

export function EmptyQueue({ queue, task, error, isDone, onDrawn }: EmptyQueueProps) {
  const { data: jobs = [] } = useJobs();
  const { run } = useWrites();
  /** The newest job when it was asked for: what comes after it is it. */
  const [asked, setAsked] = useState<number | null>(null);
  const isDrawn = asked !== null && jobs[0]?.state === 'done' && jobs[0].id > asked;
  useEffect(() => {
    if (isDrawn) onDrawn();
  }, [isDrawn, onDrawn]);
  const draw = queue.kind === 'list' ? queue.draw : undefined;
  if (!isDone && !error) return <p className="empty">…</p>;
  return (
    <section className="empty">
      <p>{error?.message ?? 'There is nothing left in this queue.'}</p>
      {draw && (
        <button
          type="button"
          className="main"
          disabled={jobs[0]?.state === 'running'}
          onClick={() => {
            setAsked(jobs[0]?.id ?? 0);
            void run(() => answer(api.jobs.$post({ json: draw.request(task) })));
          }}
        >
          {draw.name}
        </button>
      )}
    </section>
  );
}
