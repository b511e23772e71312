/** The process in which a stage that the page started runs: see `jobs.ts`. It ends with what it was started for. */
import { isInterruption, LabelsmithError, messageOf } from '../errors.ts';
import { openWorkspace } from '../jobs/workspace.ts';
import { createModels } from '../models/models.ts';
import type { JobMessage, JobOrder } from './job-request.ts';
import { runJob } from './run-job.ts';

const stopping = new AbortController();
const stop = () => stopping.abort(new LabelsmithError('INTERRUPTED', 'it was stopped'));
process.on('SIGTERM', stop);
// Ctrl-C in the terminal of the server reaches its children too.
process.on('SIGINT', stop);
process.on('disconnect', stop);

/** Progress goes to the page so many ms apart. */
const PROGRESS_MS = 200;

process.once('message', async (message) => {
  const { dir, seed, threads, request } = message as JobOrder;
  let toldMs = 0;
  try {
    const models = createModels({
      signal: stopping.signal,
      onConvert: (id) => tell({ kind: 'line', text: `Preparing ${id} (once)` }),
      onNotice: (text) => tell({ kind: 'line', text }),
    });
    const workspace = await openWorkspace(dir, { create: true, models });
    try {
      const result = await runJob(workspace, request, {
        seed,
        threads,
        signal: stopping.signal,
        onLine: (text) => tell({ kind: 'line', text }),
        onProgress(progress) {
          if (performance.now() - toldMs < PROGRESS_MS && progress.done !== progress.total) return;
          toldMs = performance.now();
          tell({ kind: 'progress', progress });
        },
      });
      tell({ kind: 'done', interrupted: stopping.signal.aborted, result });
    } finally {
      await workspace.close();
    }
  } catch (error) {
    const hint = error instanceof LabelsmithError ? error.hint : undefined;
    if (isInterruption(error)) tell({ kind: 'done', interrupted: true, result: null });
    else tell({ kind: 'failed', message: messageOf(error), hint });
  }
  process.disconnect?.();
});

function tell(message: JobMessage): void {
  if (process.connected) process.send?.(message);
}
