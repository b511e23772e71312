import { z } from 'zod';
import { type Context, command } from '../command.ts';
import { wholeNumber } from '../text-values.ts';
import { argument, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';

export const search = command({
  name: 'search',
  summary: 'the images that words describe best',
  details:
    'Needs embeddings by a model that was trained with texts: labelsmith embed --model siglip2-base, or a CLIP. Two numbers\n' +
    'are printed: how many spreads an image stands out from the rest of the pile (3 and more is rare; where the first\n' +
    'is lower, it may be that nothing fits), and its cosine to the words, which is small with these models even where they fit.',
  args: { words: argument('<words...>', 'what the image shows', z.array(z.string())) },
  options: { number: option('-n, --number <n>', 'how many', wholeNumber(1).default(10)) },
  examples: [
    ['labelsmith search "a red car at night"', 'the ten that fit best'],
    ['labelsmith search forklift -n 50 --json', 'for a program'],
  ],
  run({ args, options, ...context }) {
    return printSearch(context, args.words.join(' '), options.number);
  },
});

export function printSearch(context: Context, words: string, n: number): Promise<number> {
  const { output, global } = context;
  return withWorkspace(context, async (workspace) => {
    const { searchFor } = await import('../../stages/search/search.ts');
    const result = await searchFor(workspace, words, { n, threads: global.threads });
    output.document(result);
    for (const { standsOut, similarity, path } of result.found) {
      output.line(`${standsOut.toFixed(1)}  ${similarity.toFixed(3)}  ${path}`);
    }
    return result.found.length === 0 ? 1 : 0;
  });
}
