/** What is asked of a screenful, and what may be answered. */
import { Link } from 'wouter';
import { answer, api } from '../api/client.ts';
import { useWrites } from '../api/writes.ts';
import { ClassPicker } from '../classes/class-picker.tsx';
import { useTaskClasses } from '../classes/use-task.ts';

/** As clustering calls what it has no name for. */
const isUnnamed = (name: string) => /^unnamed-\d+$/.test(name);

/** What a name is typed for: what was clicked, or all of the page. */
export type Naming = 'struck' | 'page' | null;

interface PageBarProps {
  readonly task: string;
  readonly className: string;
  /** What the page is confirmed as. */
  readonly as: string;
  readonly struck: number;
  /** Of those that were clicked, such with something that they are proposed to be instead. */
  readonly proposed: number;
  readonly nameAsProposed: () => void;
  readonly kept: number;
  readonly told: string;
  readonly naming: Naming;
  readonly setNaming: (naming: Naming) => void;
  readonly nameStruck: (name: string) => void;
  readonly onAs: (name: string) => void;
  readonly accept: () => void;
  readonly onSkip: () => void;
}

export function PageBar({ task, className, as, struck, proposed, kept, told, naming, setNaming, ...on }: PageBarProps) {
  const { run } = useWrites();
  const proposals = useTaskClasses(task)
    .filter(({ name }) => name !== className)
    .slice(0, 12)
    .map(({ name, count }) => ({ name, what: `${count.toLocaleString()} here` }));
  const split = () =>
    run(
      () => answer(api.jobs.$post({ json: { kind: 'split', className, into: 2, task } })),
      `What is left of ${className} is taken apart by looks; name the parts on the page Name.`,
    );
  const cancel = () => setNaming(null);
  const hasName = !isUnnamed(className) || as !== className;
  return (
    <header className="page-bar">
      <p role="status">
        {hasName ? (
          <>
            Are these <b>{as}</b>? Click what is not.
          </>
        ) : (
          <>
            What are these? They have no name yet: type it, or <Link href="/name">name the clusters</Link> first.
          </>
        )}{' '}
        <small>{told}</small>
      </p>
      <div className="row">
        {struck > 0 ? (
          <ClassPicker
            key={`struck ${naming === 'struck'}`}
            label="Name what was clicked"
            placeholder={struck === 1 ? '/ what was clicked is…' : `/ the ${struck} clicked are…`}
            autoFocus={naming === 'struck'}
            proposals={proposals}
            onPick={on.nameStruck}
            onCancel={cancel}
          />
        ) : (
          <ClassPicker
            key={`page ${naming === 'page'}`}
            label="Most of these are another class"
            placeholder={hasName ? '/ most are something else…' : '/ they are…'}
            autoFocus={naming === 'page'}
            proposals={proposals}
            onPick={on.onAs}
            onCancel={cancel}
          />
        )}
        {proposed > 0 && (
          <button type="button" onClick={on.nameAsProposed} title="Each is what stands under it">
            <kbd>g</kbd> {proposed === 1 ? 'It is what stands under it' : `${proposed} are what stands under them`}
          </button>
        )}
        <button type="button" onClick={() => void split()} title="What is left of it becomes two clusters to name">
          Split in two
        </button>
        <button type="button" onClick={on.onSkip}>
          <kbd>s</kbd> Skip
        </button>
        <button type="button" className="main" onClick={on.accept}>
          <kbd>Enter</kbd> {kept} {hasName ? `are ${as}` : 'belong together'}
          {struck > 0 && `, ${struck} not`}
        </button>
      </div>
    </header>
  );
}
