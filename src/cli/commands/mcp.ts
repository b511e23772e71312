import { z } from 'zod';
import { serveMcp } from '../../server/agent/serve-mcp.ts';
import { command } from '../command.ts';
import { option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';

export const mcp = command({
  name: 'mcp',
  summary: 'the workspace for an agent, over the Model Context Protocol',
  details:
    'Speaks on standard input and output, for a program that starts it. An agent can list clusters, look at contact sheets,\n' +
    'name and merge, search, choose what to label next, label, export into a new place, and undo. Every change carries the\n' +
    'agent as its actor (labelsmith corpus history, the app’s log) and can be taken back; labels count as a person’s. Nothing\n' +
    'is sent anywhere but to the program that started it. Needs the package @modelcontextprotocol/sdk.',
  options: {
    actor: option('--actor <name>', 'who the changes are by', z.string().min(1).max(100).default('agent')),
  },
  examples: [['labelsmith mcp --actor claude -w photos/.labelsmith', 'as a command in the settings of an agent']],
  run({ options: { actor }, ...context }) {
    const { global, signal, output } = context;
    const { seed, threads } = global;
    return withWorkspace(
      context,
      async (workspace) => {
        await serveMcp({ workspace, seed, threads, signal, onProblem: (text) => output.warn(text) });
        return 0;
      },
      { actor },
    );
  },
});
