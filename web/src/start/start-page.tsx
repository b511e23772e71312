/** From a pile to a corpus, step by step; each step says what it gained. */
import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { answer, api, type JobRequest } from '../api/client.ts';
import { useClusters, useJobs, useWorkspace } from '../api/queries.ts';
import { useWrites } from '../api/writes.ts';
import { useTask } from '../classes/use-task.ts';
import { ExportForm } from './export-form.tsx';
import { FolderChooser } from './folder-chooser.tsx';

export function StartPage() {
  const { data: workspace } = useWorkspace();
  const { task } = useTask();
  const { data: clusters = [] } = useClusters(task);
  const { data: jobs = [] } = useJobs();
  const { run } = useWrites();
  const [detect, setDetect] = useState(false);
  const start = (json: JobRequest) => run(() => answer(api.jobs.$post({ json })));
  const busy = jobs[0]?.state === 'running';
  if (!workspace) return <main className="page" />;
  const { images, labels, sources, quarantined } = workspace;
  const of = (origin: string) => labels[origin] ?? 0;
  const named = clusters.filter(({ held }) => held).length;
  return (
    <main className="page start">
      <h1>From a pile of images to classes</h1>
      <p className="quiet">Everything happens on this machine. Nothing is sent anywhere.</p>
      <ol>
        <Step
          name="Choose a folder"
          done={images > 0}
          gained={
            images > 0
              ? `${images.toLocaleString()} images from ${sources.join(', ')}${quarantined > 0 ? `; ${quarantined} could not be read` : ''}`
              : undefined
          }
        >
          {workspace.local ? (
            <details open={images === 0}>
              <summary>{images > 0 ? 'Add another folder' : 'Which one?'}</summary>
              <label>
                <input type="checkbox" checked={detect} onChange={(event) => setDetect(event.target.checked)} /> find
                everyday objects in them too (people, vehicles, animals, things)
              </label>
              <FolderChooser onChoose={(folder) => void start({ kind: 'auto', folder, detect })} />
            </details>
          ) : (
            <p>Folders are added on the machine itself: labelsmith add FOLDER.</p>
          )}
        </Step>
        <Step
          name="Name the clusters"
          done={clusters.length > 0 && named === clusters.length}
          gained={clusters.length > 0 ? `${named} of ${clusters.length} clusters have a person's name` : undefined}
        >
          {clusters.length > 0 ? (
            <Link href="/name" className="button">
              Name them
            </Link>
          ) : (
            <button
              type="button"
              disabled={busy || images === 0}
              onClick={() => void start({ kind: 'discover', clusters: null })}
            >
              Find clusters
            </button>
          )}
        </Step>
        <Step
          name="Confirm them, a screenful at a time"
          done={of('human') > 0}
          gained={of('human') > 0 ? `${of('human').toLocaleString()} labels by people` : undefined}
        >
          <Link href="/confirm" className="button">
            Confirm
          </Link>
        </Step>
        <Step
          name="Teach from what was confirmed"
          done={of('model') > 0}
          gained={of('model') > 0 ? `${of('model').toLocaleString()} labels by the model` : undefined}
        >
          <button
            type="button"
            disabled={busy || of('human') + of('imported') === 0}
            onClick={() => void start({ kind: 'teach', task })}
          >
            Teach
          </button>
        </Step>
        <Step name="Review what is unsure" done={false}>
          <Link href="/label" className="button">
            Review
          </Link>
        </Step>
        <Step name="Export" done={false}>
          {workspace.local ? (
            <ExportForm {...{ busy, task }} onStart={(request) => void start(request)} />
          ) : (
            <p>labelsmith export, on the machine itself.</p>
          )}
        </Step>
      </ol>
    </main>
  );
}

interface StepProps {
  readonly name: string;
  readonly done: boolean;
  readonly gained?: string;
  readonly children: ReactNode;
}

function Step({ name, done, gained, children }: StepProps) {
  return (
    <li className={done ? 'done' : ''}>
      <h2>
        {name}{' '}
        {done && (
          <span role="img" aria-label="done">
            ✓
          </span>
        )}
      </h2>
      {gained && <p className="gained">{gained}</p>}
      {children}
    </li>
  );
}
