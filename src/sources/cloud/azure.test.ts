/** Azure Blob Storage through its client, against Azurite (`test/fixtures/azure-server.ts`). */
import { cloudContract } from '../../../test/contracts/cloud.ts';
import { AZURE } from '../../../test/fixtures/clouds.ts';

cloudContract(AZURE);
