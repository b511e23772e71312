import { z } from 'zod';
import { similarTo } from '../../stages/similar/similar.ts';
import { command } from '../command.ts';
import { wholeNumber } from '../text-values.ts';
import { argument, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';

export const similar = command({
  name: 'similar',
  summary: 'the images nearest to one image',
  details:
    'IMAGE is a path or an id of the workspace, or any other image file, which is embedded for the question alone.\n' +
    'Needs embeddings: labelsmith embed.',
  args: { image: argument('<image>', 'a path, or an id of the workspace', z.string()) },
  options: {
    number: option('-n, --number <n>', 'how many', wholeNumber(1).default(10)),
    index: option(
      '--index <kind>',
      'exact misses nothing; lsh reads few vectors, for large sets',
      z.enum(['exact', 'lsh']).default('exact'),
    ),
  },
  examples: [
    ['labelsmith similar photos/dog.jpg', 'the ten nearest'],
    ['labelsmith similar new.jpg -n 50 --index lsh', 'for a file that was never added'],
  ],
  run({ args, options, ...context }) {
    const { output } = context;
    const { threads, seed } = context.global;
    return withWorkspace(context, async (workspace) => {
      const found = await similarTo(workspace, args.image, {
        n: options.number,
        index: options.index,
        seed,
        threads,
      });
      output.document(found);
      for (const { similarity, path } of found.similar) output.line(`${similarity.toFixed(3)}  ${path}`);
      return found.similar.length === 0 ? 1 : 0;
    });
  },
});
