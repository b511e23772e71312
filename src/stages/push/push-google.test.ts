/** `push` to Google Cloud Storage, as `test/contracts/push.ts` says what is expected. */
import { pushContract } from '../../../test/contracts/push.ts';
import { GOOGLE } from '../../../test/fixtures/clouds.ts';

pushContract(GOOGLE);
