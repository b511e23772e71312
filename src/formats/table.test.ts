import { formatContract } from '../../test/contracts/format.ts';
import { FORMATS } from './table.ts';

for (const format of FORMATS) formatContract(format);
