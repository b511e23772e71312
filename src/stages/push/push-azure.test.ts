/** `push` to Azure Blob Storage, as `test/contracts/push.ts` says what is expected. */
import { pushContract } from '../../../test/contracts/push.ts';
import { AZURE } from '../../../test/fixtures/clouds.ts';

pushContract(AZURE);
