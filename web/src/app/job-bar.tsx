/** What is under way, or how the last thing ended: for a while where it ended well, else until it is closed. */
import { useEffect, useState } from 'react';
import { answer, api, type Job } from '../api/client.ts';
import { useWrites } from '../api/writes.ts';

const NAMES: Readonly<Record<Job['request']['kind'], string>> = {
  auto: 'Looking at the folder',
  add: 'Adding images',
  detect: 'Finding objects',
  embed: 'Looking at images',
  discover: 'Finding clusters',
  teach: 'Learning from labels',
  split: 'Splitting a class',
  select: 'Choosing what to ask',
  audit: 'Drawing what to check',
  export: 'Exporting',
};

/** What ended well is shown so long; the page Runs keeps what it said. */
const SHOWN_MS = 12_000;

export function jobName(job: Job): string {
  return NAMES[job.request.kind];
}

export function JobBar({ job }: { readonly job: Job | undefined }) {
  const [closed, setClosed] = useState(0);
  const { run } = useWrites();
  const doneId = job?.state === 'done' ? job.id : undefined;
  useEffect(() => {
    if (doneId === undefined) return undefined;
    const timer = setTimeout(() => setClosed(doneId), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [doneId]);
  if (!job || job.id === closed) return null;
  const { progress } = job;
  const share = progress?.total ? progress.done / progress.total : undefined;
  return (
    <section className={`job ${job.state}`} aria-label="Under way">
      <strong>{jobName(job)}</strong>
      {job.state === 'running' && <progress aria-label={jobName(job)} max={1} value={share} />}
      <span>{stateText(job)}</span>
      {job.state === 'running' ? (
        <button
          type="button"
          onClick={() => void run(() => answer(api.jobs[':id'].stop.$post({ param: { id: String(job.id) } })))}
        >
          Stop
        </button>
      ) : (
        <button type="button" onClick={() => setClosed(job.id)}>
          Close
        </button>
      )}
    </section>
  );
}

export function stateText({ state, progress, error, lines }: Job): string {
  if (error) return `${error.message} ${error.hint ?? ''}`;
  if (state === 'running' && progress) {
    const of = progress.total === undefined ? '' : ` of ${progress.total.toLocaleString()}`;
    const left = progress.remainingMs === undefined ? '' : `, ${Math.ceil(progress.remainingMs / 1000)} s left`;
    return `${progress.stage}: ${progress.done.toLocaleString()}${of}${left}`;
  }
  const end = {
    running: 'It begins…',
    done: 'Done.',
    failed: 'It failed.',
    stopped: 'It was stopped; nothing is lost.',
  };
  const said = state === 'done' ? (lines.at(-1) ?? '') : '';
  return `${end[state]} ${said.slice(0, 1).toUpperCase()}${said.slice(1)}`.trim();
}
