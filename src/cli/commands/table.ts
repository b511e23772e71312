/**
 * Every command there is, in the order of the help.
 *
 * A command's modules are loaded when it is named: loading those of all took a third of a second, which a run of a few
 * images notices.
 */
import type { Command } from '../command.ts';

const BY_FIRST_WORD: Readonly<Record<string, () => Promise<readonly Command[]>>> = {
  auto: async () => [(await import('./auto.ts')).auto],
  add: async () => [(await import('./add.ts')).add],
  detect: async () => [(await import('./detect.ts')).detect],
  embed: async () => [(await import('./embed.ts')).embed],
  teach: async () => {
    const [{ select }, { train, rounds }, { errors }, { predict }, { detector }, { augment }] = await Promise.all([
      import('./teach-select.ts'),
      import('./teach-learn.ts'),
      import('./teach-errors.ts'),
      import('./teach-predict.ts'),
      import('./teach-detector.ts'),
      import('./teach-augment.ts'),
    ]);
    return [select, train, rounds, errors, predict, detector, augment];
  },
  discover: async () => [(await import('./discover.ts')).discover],
  match: async () => [(await import('./match.ts')).match],
  classify: async () => [(await import('./classify.ts')).classify],
  search: async () => [(await import('./search.ts')).search],
  similar: async () => [(await import('./similar.ts')).similar],
  export: async () => [(await import('./export.ts')).exportCommand],
  import: async () => [(await import('./import.ts')).importCommand],
  audit: async () => [(await import('./audit.ts')).audit],
  corpus: async () => {
    const [view, change, split, history, files] = await Promise.all([
      import('./corpus-view.ts'),
      import('./corpus-change.ts'),
      import('./corpus-split.ts'),
      import('./corpus-history.ts'),
      import('./corpus-files.ts'),
    ]);
    return [
      view.corpusList,
      view.corpusShow,
      change.corpusRename,
      change.corpusMerge,
      split.corpusSplit,
      change.corpusAlias,
      change.corpusNest,
      change.corpusMap,
      files.corpusNames,
      change.corpusDescribe,
      history.corpusUndo,
      history.corpusHistory,
      files.corpusExport,
      files.corpusImport,
    ];
  },
  evaluate: async () => [(await import('./evaluate.ts')).evaluate],
  capture: async () => [(await import('./capture.ts')).capture],
  watch: async () => [(await import('./watch.ts')).watch],
  review: async () => [(await import('./review.ts')).review],
  push: async () => [(await import('./push.ts')).push],
  edge: async () => (await import('./edge.ts')).edgeCommands,
  run: async () => [(await import('./run.ts')).run],
  report: async () => [(await import('./report.ts')).report],
  status: async () => [(await import('./status.ts')).status],
  forget: async () => [(await import('./forget.ts')).forget],
  mcp: async () => [(await import('./mcp.ts')).mcp],
  models: async () => (await import('./models.ts')).modelsCommands,
  worker: async () => [(await import('./worker.ts')).worker],
  workspace: async () => [(await import('./workspace.ts')).workspaceCopy],
  doctor: async () => [(await import('./doctor.ts')).doctor],
  demo: async () => [(await import('./demo.ts')).demo],
};

/** Words that are answered from the whole table. */
const ABOUT_ALL: ReadonlySet<string> = new Set(['help', '--help', '-h']);

/** Words that are answered from the program alone. */
const ABOUT_NONE: ReadonlySet<string> = new Set(['--version', '-V']);

export async function allCommands(): Promise<readonly Command[]> {
  return (await Promise.all(Object.values(BY_FIRST_WORD).map((load) => load()))).flat();
}

/**
 * The commands that a command line may mean: those that any of its words names, since options may stand before the
 * command and an option's value may be a command's name; all of them where none is named or help is wanted.
 */
export async function commandsNamedIn(argv: readonly string[]): Promise<readonly Command[]> {
  if (argv.every((word) => ABOUT_NONE.has(word)) && argv.length > 0) return [];
  const named = Object.keys(BY_FIRST_WORD).filter((word) => argv.includes(word));
  if (argv.some((word) => ABOUT_ALL.has(word))) {
    const [first = ''] = argv.filter((word) => !ABOUT_ALL.has(word));
    const load = Object.hasOwn(BY_FIRST_WORD, first) ? BY_FIRST_WORD[first] : undefined;
    return load ? load() : allCommands();
  }
  if (named.length === 0) return allCommands();
  return (await Promise.all(named.map((word) => BY_FIRST_WORD[word]?.() ?? []))).flat();
}
