/** A thousand generated label sets through every format. */
import { FORMATS } from '../../src/formats/table.ts';
import { formatContract } from '../contracts/format.ts';

for (const format of FORMATS) formatContract(format, 1000);
