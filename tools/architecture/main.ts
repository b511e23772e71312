/** `npm run docs:architecture` draws the picture of the architecture anew, from the imports as they are. */
import { writeFileSync } from 'node:fs';
import { drawHouse } from './draw.ts';
import { ROOMS, roomImports, sources } from './layout.ts';

writeFileSync('docs/architecture.svg', drawHouse(ROOMS, roomImports(sources())));
