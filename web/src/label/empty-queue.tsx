/** What stands in an empty queue's place: why there is nothing, and what may be done about it. */
import { answer, api } from '../api/client.ts';
import { useJobs } from '../api/queries.ts';
import { useWrites } from '../api/writes.ts';
import type { Queue } from './queues.ts';

interface EmptyQueueProps {
  readonly queue: Queue;
  readonly task: string;
  readonly error: Error | null;
  readonly isDone: boolean;
}

export function EmptyQueue({ queue, task, error, isDone }: EmptyQueueProps) {
  const { data: jobs = [] } = useJobs();
  const { run } = useWrites();
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
            void run(() => answer(api.jobs.$post({ json: draw.request(task) })), 'When it has chosen, begin anew.');
          }}
        >
          {draw.name}
        </button>
      )}
    </section>
  );
}
