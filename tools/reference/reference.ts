/** The reference of the command line in Markdown, from the table of commands: what `--help` says, on one page. */
import { type Command, GLOBAL_OPTIONS } from '../../src/cli/command.ts';
import { type ArgumentTable, choicesOf, defaultOf, type OptionTable } from '../../src/cli/values.ts';

export function referencePage(commands: readonly Command[]): string {
  return [
    '# Commands',
    '',
    'What `labelsmith COMMAND --help` says, on one page; `npm run docs:reference` writes it from the table of commands.',
    '',
    commands.map(({ name }) => `[${name}](#${name.replaceAll(' ', '-')})`).join(' · '),
    '',
    ...commands.flatMap(section),
    '## Options of every command',
    '',
    'They may stand before or after the command.',
    '',
    ...optionRows(GLOBAL_OPTIONS),
    '',
  ].join('\n');
}

function section({ name, summary, details, args, options, examples, dryRun, limit }: Command): string[] {
  const notes = [dryRun ? 'Takes `--dry-run`.' : '', limit ? '`--limit N` makes it a run on a subset.' : ''].filter(
    (note) => note !== '',
  );
  return [
    `## ${name}`,
    '',
    `    labelsmith ${[name, ...Object.values(args).map(({ usage }) => usage)].join(' ')} [options]`,
    '',
    sentence(summary),
    '',
    ...(details === undefined ? [] : [...detailLines(details), '']),
    ...(notes.length > 0 ? [notes.join(' '), ''] : []),
    ...argumentRows(args),
    ...optionRows(options),
    ...(Object.keys(args).length + Object.keys(options).length > 0 ? [''] : []),
    '```',
    ...examples.map(([line, what]) => `${line}${line.includes('#') ? '' : `  # ${what}`}`),
    '```',
    '',
  ];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Paragraphs are joined; indented lines, as of a list, stay and become code. */
function detailLines(details: string): string[] {
  return details
    .replace(/(?<=\S)\n(?=\S)/g, ' ')
    .split('\n')
    .map((line) => (line.startsWith('  ') ? `  ${line}` : escaped(line)))
    .join('\n')
    .replace(/(?<=\S)\n(?= {4}\S)/, '\n\n')
    .split('\n');
}

function argumentRows(table: ArgumentTable): string[] {
  return Object.values(table).map(({ usage, description }) => `- \`${usage}\`: ${escaped(description)}`);
}

function optionRows(table: OptionTable): string[] {
  return Object.values(table).flatMap(({ flags, description, schema, defaultText, denial }) => {
    const fallback = defaultOf(schema);
    const choices = choicesOf(schema);
    const notes = [
      ...(choices ? [`one of ${choices.map((choice) => `\`${choice}\``).join(', ')}`] : []),
      ...(fallback === undefined || fallback === false ? [] : [`default \`${defaultText ?? String(fallback)}\``]),
    ];
    const text = description.replace(/\s+/g, ' ');
    const rows = [`- \`${flags}\`: ${escaped(text)}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`];
    if (denial) rows.push(`- \`${denial.flags}\`: ${escaped(denial.description)}`);
    return rows;
  });
}

/** What Markdown would take for markup. */
function escaped(text: string): string {
  return text.replace(/[<>*_]/g, '\\$&');
}
