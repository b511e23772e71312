/** A trained classifier on a workspace, for commands that take one by name. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { LabelsmithError } from '../../errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { classifierInfo, openClassifier } from '../../stages/classify/classifier-file.ts';
import { type ClassifyResult, classifyIn } from '../../stages/classify/classify.ts';
import { fileNameOf, MODELS_FOLDER } from '../../stages/teach/teach.ts';
import type { Context } from '../command.ts';
import type { Output } from '../output.ts';
import { option } from '../values.ts';
import { plural } from '../words.ts';

export const CLASSIFIER = option(
  '--classifier <name>',
  'label with a classifier of teach rounds as well: its file, or the name of a task taught in this workspace',
  z.string().optional(),
);

/** The file that `--classifier` means; it is read once, so that a wrong name is told before any work. */
export async function classifierPath(name: string, workspaceDir: string): Promise<string> {
  const own = join(workspaceDir, MODELS_FOLDER, `${fileNameOf(name)}.onnx`);
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
  classifierInfo(await readFile(path), path);
  return path;
}

export async function runClassify(context: Context, workspace: Workspace, path: string): Promise<ClassifyResult> {
  const classifier = await openClassifier(path, { threads: context.global.threads, device: context.global.device });
  try {
    const run = context.runOptions();
    const result = await classifyIn(workspace, classifier, run);
    run.done();
    return result;
  } finally {
    await classifier.close();
  }
}

export function printClassified(output: Output, { task, counts }: ClassifyResult): void {
  output.line(
    `Classified ${plural(counts.classified, 'item')} (task ${task}): ${plural(counts.labelled, 'label')}, ${counts.unsure} left for people.`,
  );
}
