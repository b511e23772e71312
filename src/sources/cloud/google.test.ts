/** Google Cloud Storage through its client, against the server of `test/fixtures/google-server.ts`; never against Google. */
import { cloudContract } from '../../../test/contracts/cloud.ts';
import { GOOGLE } from '../../../test/fixtures/clouds.ts';

cloudContract(GOOGLE);
