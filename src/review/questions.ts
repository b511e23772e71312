/**
 * Questions for people, as they can be answered: a CSV whose `class` column is empty, or a folder to sort with a page to
 * look at. `labelsmith import csv FILE --as human` and `import folders DIR --as human` take the answers back; what nobody
 * answered says nothing.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Box } from '../core/boxes.ts';
import { plural } from '../core/count-text.ts';
import type { ImageId } from '../core/ids.ts';
import { NONE_OF_THESE } from '../core/labels.ts';
import { html, Markup } from '../core/markup.ts';
import { pagePolicy } from '../core/page-policy.ts';
import { makeFolder } from '../files/make-folder.ts';
import { type OutputOptions, writeOutput } from '../files/output.ts';
import type { ProtectedPath } from '../files/place.ts';
import { ClassTreeWriter } from '../formats/class-tree.ts';
import { csvRow, fileCell, textCell } from '../formats/csv-table.ts';
import { safeComponent } from '../formats/names.ts';
import { pixel } from '../formats/numbers.ts';
import { cropRegions, thumbnailOf } from '../images/crops.ts';
import type { Question } from '../stages/teach/select-stage.ts';

export interface QuestionFile {
  readonly question: Question;
  readonly imageId: ImageId;
  /** The image's name as in exports, unique. */
  readonly file: string;
  /** Of a region, in pixels of the upright image; null for the whole image. */
  readonly box: Box | null;
}

export interface QuestionsOptions {
  readonly task: string;
  /** Classes there are already: folders to sort into. */
  readonly classNames: readonly string[];
  readonly replace: boolean;
  readonly protectedPaths: readonly ProtectedPath[];
  /** The image's original bytes; null where they cannot be read any more. */
  readonly bytes: (id: ImageId) => Promise<Uint8Array | null>;
}

const COLUMNS = ['file', 'class', 'not', 'task', 'why', 'guess'];
const REGION_COLUMNS = ['region', 'x1', 'y1', 'x2', 'y2'];
/** How much around a region is shown, as a share of its box. */
const MARGIN = 0.15;
const PAGE = 'index.html';
const SHEET = 'label.csv';

/** What the questions are written over: earlier ones that are as they were asked, or nothing. */
export function questionsOutput(
  kind: OutputOptions['kind'],
  places: Pick<OutputOptions, 'replace' | 'protectedPaths'>,
): OutputOptions {
  const { replace, protectedPaths } = places;
  const what = 'list of questions';
  if (kind === 'folder') return { kind, what, replace, protectedPaths };
  return { kind, what, signature: { begins: COLUMNS.join(',') }, replace, protectedPaths };
}

/** A CSV file with a row a question. Gives its absolute path. */
export function writeQuestionSheet(
  out: string,
  questions: readonly QuestionFile[],
  { task, replace, protectedPaths }: Omit<QuestionsOptions, 'bytes' | 'classNames'>,
): Promise<string> {
  return writeOutput(out, questionsOutput('file', { replace, protectedPaths }), (target) =>
    writeFile(target, sheet(questions, task)),
  );
}

function sheet(questions: readonly QuestionFile[], task: string): string {
  const onRegions = questions.some(({ box }) => box !== null);
  const rows = questions.map(({ file, box, question: { itemId, why, guess } }) =>
    csvRow([
      fileCell(file),
      '',
      '',
      textCell(task),
      why,
      guess === null ? '' : textCell(guess),
      ...(box ? [itemId, ...box.map((value) => String(pixel(value)))] : []),
    ]),
  );
  return [csvRow(onRegions ? [...COLUMNS, ...REGION_COLUMNS] : COLUMNS), ...rows].join('');
}

/**
 * A folder: for whole images the pictures in `_unlabelled`, an empty folder a class to move them into, the sheet, and a page that
 * shows them. Pictures are copies with their original bytes, by which `import` knows them whatever they are called; pieces
 * of pictures have no such bytes, so of regions there are the sheet and the page alone.
 */
export async function writeQuestionFolder(
  out: string,
  questions: readonly QuestionFile[],
  options: QuestionsOptions,
): Promise<{ readonly out: string; readonly unreadable: number }> {
  const { classNames, replace, protectedPaths } = options;
  let unreadable = 0;
  const path = await writeOutput(out, questionsOutput('folder', { replace, protectedPaths }), async (target) => {
    const named = [...classNames, NONE_OF_THESE];
    const tree = new ClassTreeWriter(named, null, [PAGE, SHEET]);
    const sorted = questions.every(({ box }) => box === null);
    if (sorted) {
      for (const name of [null, ...named]) await mkdir(join(target, tree.folder(name, null)));
      await tree.finish(target);
    } else await makeFolder(target);
    const shown: Markup[] = [];
    for (const [i, asked] of questions.entries()) {
      const { file, imageId } = asked;
      const bytes = await options.bytes(imageId);
      if (!bytes) {
        unreadable++;
        continue;
      }
      const name = pictureName(file, i, questions.length);
      if (sorted) await writeFile(join(target, tree.folder(null, null), name), bytes);
      shown.push(await card(asked, sorted ? name : `row ${i + 2} of ${SHEET}`, bytes));
    }
    await writeFile(join(target, SHEET), sheet(questions, options.task));
    await writeFile(join(target, PAGE), page(options.task, shown, sorted).text);
  });
  return { out: path, unreadable };
}

/** `001-name.jpg`: in the order in which they teach, and it says where it comes from. */
function pictureName(file: string, index: number, count: number): string {
  const digits = String(index + 1).padStart(String(count).length, '0');
  const extension = extname(file);
  return `${digits}-${safeComponent(basename(file, extension)).slice(0, 80)}${extension.toLowerCase()}`;
}

const WHY: Readonly<Record<Question['why'], string>> = {
  typical: 'typical of many',
  unsure: 'the model is unsure',
  audit: 'audit: drawn at random, never trained on',
};

async function card(
  { question: { why, guess }, file, box }: QuestionFile,
  name: string,
  bytes: Uint8Array,
): Promise<Markup> {
  const [piece] = box ? await cropRegions(bytes, [box], { margin: MARGIN }) : [bytes];
  const thumbnail = await thumbnailOf(piece, { longest: 240 });
  const source = `data:image/webp;base64,${Buffer.from(thumbnail.bytes).toString('base64')}`;
  return html`<li><img src="${source}" alt="${file}"><p><b>${name}</b><br>${file}<br>${WHY[why]}${guess !== null && html`<br>perhaps ${guess}`}</p></li>\n`;
}

const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; margin: 24px; color: #1a1d23; background: #f5f6f8; }
ul { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 14px; }
li { background: #fff; border-radius: 12px; padding: 10px; overflow-wrap: anywhere; }
img { width: 100%; height: 200px; object-fit: contain; }
p { margin: 8px 0 0; font-size: 13px; }
`;

function page(task: string, cards: readonly Markup[], sorted: boolean): Markup {
  const how = sorted
    ? `Move each picture from the folder _unlabelled into the folder of its class (make new ones as needed), or write the class into ${SHEET}. What is none of the classes goes into "${NONE_OF_THESE}"; a class that it surely is not stands in the column not. Then: labelsmith import folders THIS-FOLDER --as human --task ${task}, or labelsmith import csv ${SHEET} --as human.`
    : `Write the class of each into ${SHEET}; what is none of the classes is "${NONE_OF_THESE}", and a class that it surely is not stands in the column not. Then: labelsmith import csv ${SHEET} --as human.`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${pagePolicy({ style: STYLE })}">
<title>To label: ${task}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>${new Markup(STYLE)}</style></head><body>
<h1>${plural(cards.length, 'picture')} to label</h1>
<p>${how}</p>
<ul>
${cards}</ul></body></html>
`;
}
