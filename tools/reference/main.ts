/** `npm run docs:reference` writes the reference of the command line anew, from the table of commands. */
import { writeFileSync } from 'node:fs';
import { allCommands } from '../../src/cli/commands/table.ts';
import { referencePage } from './reference.ts';

writeFileSync('docs/reference.md', referencePage(await allCommands()));
