/** A trained classifier on a workspace, by its file or by the task that it was taught for here. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { LabelsmithError } from '../../errors.ts';
import { readWholeFile } from '../../files/whole-file.ts';
import { classifierFile, isShared, taughtFile, taughtPath } from '../../jobs/taught-files.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { classifierInfo, openClassifier } from './classifier-file.ts';
import { type ClassifyOptions, type ClassifyResult, classifyIn } from './classify.ts';

/** The file that a name means; it is read once, so that a wrong name is told before any work. */
export async function classifierPath(workspace: Workspace, name: string): Promise<string> {
  const given = resolve(name);
  const path = existsSync(given) ? given : await taughtClassifier(workspace, name);
  if (path === undefined) throw noClassifierOf(workspace, name);
  classifierInfo(await readWholeFile(path), path);
  return path;
}

/** Where the classifier is that `teach rounds` of this task made, or with `TASK.base` that of `teach train`; undefined where none is. */
export async function taughtClassifier(workspace: Workspace, task: string): Promise<string | undefined> {
  for (const file of classifierFiles(task)) {
    const path = await taughtFile(workspace, file);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** The files that a classifier's name may mean: `TASK` or `TASK.base`. */
export function classifierFiles(name: string): readonly string[] {
  const [, trained] = /^(.+)\.base$/.exec(name) ?? [];
  return [classifierFile(name), ...(trained === undefined ? [] : [classifierFile(trained, { base: true })])];
}

function noClassifierOf(workspace: Workspace, name: string): LabelsmithError {
  const own = isShared(workspace)
    ? `none of a task of that name in ${workspace.name}`
    : `no ${taughtPath(workspace, classifierFile(name))}`;
  return new LabelsmithError('NOT_FOUND', `There is no classifier ${JSON.stringify(name)}: no such file, and ${own}.`, {
    hint: 'Give the .onnx file that teach rounds wrote, or the name of a task that was taught in this workspace.',
  });
}

export async function classifyWith(workspace: Workspace, path: string, run: ClassifyOptions): Promise<ClassifyResult> {
  const { threads, device } = run;
  const classifier = await openClassifier(path, { threads, device });
  try {
    return await classifyIn(workspace, classifier, run);
  } finally {
    await classifier.close();
  }
}
