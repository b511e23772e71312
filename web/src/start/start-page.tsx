/** From a pile to a corpus, step by step; each step says what it gained. */
import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { answer, api, type Job, type JobRequest } from '../api/client.ts';
import { useClusters, useJobs, useQuality, useWorkspace } from '../api/queries.ts';
import { useWrites } from '../api/writes.ts';
import { many } from '../app/many.ts';
import { Quarantined } from '../browse/quarantined.tsx';
import { useTask, useTaskClasses, useUnconfirmed } from '../classes/use-task.ts';
import { ExportForm } from './export-form.tsx';
import { FolderChooser } from './folder-chooser.tsx';

export function StartPage() {
  const { data: workspace } = useWorkspace();
  const { task } = useTask();
  const { data: clusters = [], isPending } = useClusters(task);
  const { data: jobs = [] } = useJobs();
  const { data: measured } = useQuality(task);
  const said = useTaskClasses(task).reduce((sum, { origins }) => sum + (origins.human ?? 0), 0);
  const { run } = useWrites();
  const [detect, setDetect] = useState(false);
  const start = (json: JobRequest) => run(() => answer(api.jobs.$post({ json })));
  const busy = jobs[0]?.state === 'running';
  if (!workspace) return <main className="page" />;
  const { images, labels, sources, quarantined } = workspace;
  const of = (origin: string) => labels[origin] ?? 0;
  const named = clusters.filter(({ held, unnamed }) => held && !unnamed).length;
  /** Somebody else has said already what clusters would be named for. */
  const isImported = clusters.length === 0 && of('imported') > 0;
  const isNamed = clusters.length > 0 && named === clusters.length;
  const steps = [images > 0, isNamed, of('human') > 0, of('model') > 0, false];
  const next = steps.findIndex((done, step) => !done && !(step === 1 && isImported));
  const link = (step: number) => `button${step === next ? ' main' : ''}`;
  return (
    <main className="page start">
      <h1>From a pile of images to classes</h1>
      <p className="quiet">Everything happens on this machine. Nothing is sent anywhere.</p>
      <ol>
        <Step
          name="Choose a folder"
          done={steps[0]}
          next={next === 0}
          gained={images > 0 ? `${many(images, 'image')} from ${sources.join(', ')}` : undefined}
        >
          <Quarantined count={quarantined} />
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
          done={steps[1]}
          next={next === 1}
          gained={
            clusters.length > 0
              ? `${many(clusters.length, 'cluster')}, ${named} of them with a name that you gave or agreed to`
              : isImported
                ? 'Not needed: labels were imported. Clusters may show what else is there.'
                : undefined
          }
        >
          {isPending ? (
            <p className="quiet">…</p>
          ) : clusters.length > 0 ? (
            <Link href="/name" className={link(1)}>
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
        <ConfirmStep done={steps[2]} next={next === 2} said={said} isImported={isImported} imported={of('imported')} />
        <Step
          name="Teach from what was confirmed"
          done={steps[3]}
          next={next === 3}
          gained={of('model') > 0 ? taughtText(of('model'), measured?.accuracy ?? []) : undefined}
        >
          <div className="row">
            <button
              type="button"
              className={next === 3 ? 'main' : undefined}
              disabled={busy || of('human') + of('imported') === 0}
              onClick={() => void start({ kind: 'teach', task })}
            >
              Teach
            </button>
            <small>A model learns from what you confirmed, and labels the rest.</small>
          </div>
        </Step>
        <Step name="Review what is unsure" done={false} next={next === 4}>
          <Unsure task={task} measured={measured?.accuracy[0]} />
          <div className="row">
            <Link href="/confirm?order=uncertainty" className={link(4)}>
              By the screenful
            </Link>
            <Link href="/label" className="button">
              One by one
            </Link>
            <small>Classes in which most is likely to be wrong come first.</small>
          </div>
        </Step>
        <ExportStep
          busy={busy || images === 0}
          local={workspace.local}
          jobs={jobs}
          onStart={(request) => void start(request)}
        />
      </ol>
    </main>
  );
}

interface ConfirmStepProps extends Pick<StepProps, 'done' | 'next'> {
  readonly said: number;
  readonly isImported: boolean;
  readonly imported: number;
}

function ConfirmStep({ said, isImported, imported, ...step }: ConfirmStepProps) {
  if (isImported) {
    return (
      <Step
        {...step}
        name="Look through what was imported"
        gained={`${many(imported, 'label')} imported${said > 0 ? `, ${many(said, 'label')} by people` : ''}`}
      >
        <div className="row">
          <Link href="/browse?origin=imported" className={`button${step.next ? ' main' : ''}`}>
            Look through them
          </Link>
          <small>A double click, or Enter, opens an image with its boxes: correct what is wrong.</small>
        </div>
      </Step>
    );
  }
  return (
    <Step
      {...step}
      name="Confirm them, a screenful at a time"
      gained={said > 0 ? `${many(said, 'label')} by people` : undefined}
    >
      <div className="row">
        <Link href="/confirm" className={`button${step.next ? ' main' : ''}`}>
          Confirm
        </Link>
        <small>The surest of each class: click what is wrong, Enter for the others.</small>
      </div>
    </Step>
  );
}

/** @param accuracy sentences, the first of which is of the labels that stand */
function taughtText(labels: number, accuracy: readonly string[]): string {
  return [`${many(labels, 'label')} by the model.`, ...accuracy.slice(0, 1)].join(' ');
}

/**
 * How many of machines' labels are wrong: what was measured, else as sure as each says it is.
 *
 * @param measured a sentence
 */
function Unsure({ task, measured }: { readonly task: string; readonly measured: string | undefined }) {
  const { left, wrong } = useUnconfirmed(task);
  if (left === 0) return null;
  if (measured !== undefined) {
    return (
      <p className="hint">
        {many(left, 'label')} by machines {left === 1 ? 'is' : 'are'} not confirmed. {measured}
      </p>
    );
  }
  return (
    <p className="hint">
      {many(left, 'label')} by machines {left === 1 ? 'is' : 'are'} not confirmed; by what they say of themselves, about{' '}
      {Math.round(wrong).toLocaleString()} of them {Math.round(wrong) === 1 ? 'is' : 'are'} wrong.
    </p>
  );
}

interface ExportStepProps {
  readonly busy: boolean;
  readonly local: boolean;
  readonly jobs: readonly Job[];
  readonly onStart: (request: JobRequest) => void;
}

function ExportStep({ local, jobs, ...form }: ExportStepProps) {
  const last = jobs.find(({ request, state }) => request.kind === 'export' && state === 'done');
  return (
    <Step name="Export" done={last !== undefined} gained={last?.lines.at(-1)}>
      {local ? <ExportForm {...form} /> : <p>labelsmith export, on the machine itself.</p>}
    </Step>
  );
}

interface StepProps {
  readonly name: string;
  readonly done: boolean;
  /** What is to be done now. */
  readonly next?: boolean;
  readonly gained?: string;
  readonly children: ReactNode;
}

function Step({ name, done, next = false, gained, children }: StepProps) {
  return (
    <li className={done ? 'done' : next ? 'next' : ''} aria-current={next ? 'step' : undefined}>
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
