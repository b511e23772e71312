/** What was run and what may be: stages started and stopped, with what they said. */
import { lazy, Suspense } from 'react';
import { countedName } from '../../../src/core/count-text.ts';
import { answer, api, type Job, type JobRequest } from '../api/client.ts';
import { useJobs, useRuns } from '../api/queries.ts';
import { useWrites } from '../api/writes.ts';
import { jobName, stateText } from '../app/job-bar.tsx';
import { useTask } from '../classes/use-task.ts';

const Quality = lazy(() => import('./quality.tsx'));

export function RunsPage() {
  const { data: jobs = [] } = useJobs();
  const { data: runs = [] } = useRuns();
  const { task } = useTask();
  const { run } = useWrites();
  const busy = jobs[0]?.state === 'running';
  const stages: readonly (readonly [name: string, what: string, request: JobRequest])[] = [
    ['Find objects', 'boxes around everyday objects (detect)', { kind: 'detect' }],
    ['Look at new images', 'what clusters, search and models compare (embed)', { kind: 'embed' }],
    ['Find clusters', 'images that look alike together (discover)', { kind: 'discover', clusters: null }],
    ['Teach', 'a model learns from labels and says the rest (teach)', { kind: 'teach', task }],
  ];
  return (
    <main className="page runs">
      <h1>Runs and quality</h1>
      <div className="row">
        {stages.map(([name, what, json]) => (
          <button
            type="button"
            key={name}
            title={what}
            disabled={busy}
            onClick={() => void run(() => answer(api.jobs.$post({ json })))}
          >
            {name}
          </button>
        ))}
      </div>
      {jobs.map((job) => (
        <JobView key={job.id} job={job} />
      ))}
      <Suspense fallback={<p className="hint">…</p>}>
        <Quality task={task} />
      </Suspense>
      <h2>Runs so far</h2>
      {runs.length === 0 && <p className="hint">Nothing has run here yet.</p>}
      <table hidden={runs.length === 0}>
        <thead>
          <tr>
            <th>Stage</th>
            <th>How it ended</th>
            <th>Began</th>
            <th>Took</th>
            <th>Counts</th>
          </tr>
        </thead>
        <tbody>
          {runs.map(({ id, stage, status, startedAtMs, endedAtMs, counts }) => (
            <tr key={id}>
              <td>{stage}</td>
              <td>{status}</td>
              <td>{new Date(startedAtMs).toLocaleString()}</td>
              <td>{endedAtMs === null ? '' : `${((endedAtMs - startedAtMs) / 1000).toFixed(1)} s`}</td>
              <td>
                {Object.entries(counts)
                  .filter(([, count]) => count > 0)
                  .map(([name, count]) => countedName(name, count))
                  .join(', ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </main>
  );
}

function JobView({ job }: { readonly job: Job }) {
  return (
    <details className={`job-log ${job.state}`} open={job.state === 'running'}>
      <summary>
        {jobName(job)}: {stateText(job)}
      </summary>
      <pre>{job.lines.join('\n')}</pre>
    </details>
  );
}
