/** Every command there is. */
import type { CommandSpec } from '../command.ts';
import { add } from './add.ts';
import { audit } from './audit.ts';
import { auto } from './auto.ts';
import { corpusCommands } from './corpus.ts';
import { demo } from './demo.ts';
import { detect } from './detect.ts';
import { discover } from './discover.ts';
import { doctor } from './doctor.ts';
import { embed } from './embed.ts';
import { evaluate } from './evaluate.ts';
import { exportCommand } from './export.ts';
import { importCommand } from './import.ts';
import { match } from './match.ts';
import { modelsCommands } from './models.ts';
import { report } from './report.ts';
import { similar } from './similar.ts';
import { status } from './status.ts';
import { teachCommands } from './teach.ts';

export const COMMANDS: readonly CommandSpec[] = [
  auto,
  add,
  detect,
  embed,
  ...teachCommands,
  discover,
  match,
  similar,
  exportCommand,
  importCommand,
  audit,
  ...corpusCommands,
  evaluate,
  report,
  status,
  ...modelsCommands,
  doctor,
  demo,
];
