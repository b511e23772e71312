/** A trained classifier on a workspace, by its file or by the task that it was taught for here. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LabelsmithError } from '../../errors.ts';
import { readWholeFile } from '../../files/whole-file.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { fileNameOf, MODELS_FOLDER } from '../teach/teach.ts';
import { classifierInfo, openClassifier } from './classifier-file.ts';
import { type ClassifyOptions, type ClassifyResult, classifyIn } from './classify.ts';

/** The file that a name means; it is read once, so that a wrong name is told before any work. */
export async function classifierPath(workspaceDir: string, name: string): Promise<string> {
  const own = taughtClassifier(workspaceDir, name);
  const path = [resolve(name), own].find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new LabelsmithError(
      'NOT_FOUND',
      `There is no classifier ${JSON.stringify(name)}: no such file, and no ${own}.`,
      {
        hint: 'Give the .onnx file that teach rounds wrote, or the name of a task that was taught in this workspace.',
      },
    );
  }
  classifierInfo(await readWholeFile(path), path);
  return path;
}

/** Where `teach rounds` of this task writes its classifier. */
export function taughtClassifier(workspaceDir: string, task: string): string {
  return join(workspaceDir, MODELS_FOLDER, `${fileNameOf(task)}.onnx`);
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
