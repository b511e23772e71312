/** How a command says that it begins again, since images or vectors that it was at were taken away. */
import type { Output } from '../output.ts';

export function noteAgain(output: Output): void {
  output.note(
    'Images or vectors were taken away or made anew meanwhile (forget, embed): beginning again with those that there are now.',
  );
}
