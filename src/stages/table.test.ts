import { stageContract } from '../../test/contracts/stage.ts';
import { STAGES } from './table.ts';

stageContract(STAGES);
