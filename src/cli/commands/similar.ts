import { z } from 'zod';
import { LabelsmithError } from '../../errors.ts';
import { similarTo } from '../../stages/similar/similar.ts';
import { command } from '../command.ts';
import { wholeNumber } from '../text-values.ts';
import { argument, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';
import { printSearch } from './search.ts';

export const similar = command({
  name: 'similar',
  summary: 'the images nearest to one image',
  details:
    'IMAGE is a path or an id of the workspace, or any other image file, which is embedded for the question alone.\n' +
    'Needs embeddings: labelsmith embed.',
  args: { image: argument('[image]', 'a path, or an id of the workspace', z.string().optional()) },
  options: {
    text: option('--text <words>', 'in place of an image: what it shows, in words', z.string().optional()),
    number: option('-n, --number <n>', 'how many', wholeNumber(1).default(10)),
    index: option(
      '--index <kind>',
      'exact misses nothing; lsh reads few vectors, for large sets',
      z.enum(['exact', 'lsh']).default('exact'),
    ),
  },
  examples: [
    ['labelsmith similar photos/dog.jpg', 'the ten nearest'],
    ['labelsmith similar --text "a red car at night"', 'in words, where the embedder knows them; as search'],
    ['labelsmith similar new.jpg -n 50 --index lsh', 'for a file that was never added'],
  ],
  run({ args, options, ...context }) {
    const { output } = context;
    const { threads, seed } = context.global;
    const { text } = options;
    const { image } = args;
    if (text !== undefined) {
      if (image !== undefined) throw new LabelsmithError('USAGE', 'Give an image or --text, not both.');
      return printSearch(context, text, options.number);
    }
    if (image === undefined) {
      throw new LabelsmithError('USAGE', 'Nothing is asked for.', { hint: 'Name an image, or give --text "words".' });
    }
    return withWorkspace(context, async (workspace) => {
      const found = await similarTo(workspace, image, {
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
