/**
 * Which account of Azure, and by what right, as the tools of Azure name it: AZURE_STORAGE_CONNECTION_STRING, else the account
 * of AZURE_STORAGE_ACCOUNT (its address: AZURE_STORAGE_SERVICE_ENDPOINT) with AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, or
 * what az login or the identity of the machine give, which another optional package finds.
 */
import type { BlobServiceClient } from '@azure/storage-blob';
import { azureError, refused } from './azure-errors.ts';
import { optionalPackage } from './optional-package.ts';

type Sdk = typeof import('@azure/storage-blob');

/** The caller retries, not the SDK. */
const OPTIONS = { retryOptions: { maxTries: 1 } };

export async function azureService(env: NodeJS.ProcessEnv): Promise<BlobServiceClient> {
  const sdk = await optionalPackage('@azure/storage-blob', 'az:// addresses', () => import('@azure/storage-blob'));
  return withSecret(sdk, env) ?? withIdentity(sdk, env);
}

function withSecret(sdk: Sdk, env: NodeJS.ProcessEnv): BlobServiceClient | undefined {
  const { AZURE_STORAGE_CONNECTION_STRING: text, AZURE_STORAGE_ACCOUNT: account } = env;
  const { AZURE_STORAGE_KEY: key, AZURE_STORAGE_SAS_TOKEN: token } = env;
  try {
    if (text) return sdk.BlobServiceClient.fromConnectionString(text, OPTIONS);
    if (account && key) {
      return new sdk.BlobServiceClient(endpoint(env), new sdk.StorageSharedKeyCredential(account, key), OPTIONS);
    }
    if (account && token) {
      return new sdk.BlobServiceClient(`${endpoint(env)}?${token.replace(/^\?/, '')}`, undefined, OPTIONS);
    }
    return undefined;
  } catch {
    // What the SDK says of it may repeat it, so it is no cause either.
    throw refused('the connection string, key or token of Azure cannot be read');
  }
}

async function withIdentity(sdk: Sdk, env: NodeJS.ProcessEnv): Promise<BlobServiceClient> {
  if (!env.AZURE_STORAGE_ACCOUNT && !env.AZURE_STORAGE_SERVICE_ENDPOINT) throw refused('no account of Azure is named');
  const { DefaultAzureCredential } = await optionalPackage(
    '@azure/identity',
    'az:// addresses with neither key nor token',
    () => import('@azure/identity'),
  );
  try {
    return new sdk.BlobServiceClient(endpoint(env), new DefaultAzureCredential(), OPTIONS);
  } catch (error) {
    throw azureError(error, endpoint(env));
  }
}

function endpoint({
  AZURE_STORAGE_ACCOUNT: account,
  AZURE_STORAGE_SERVICE_ENDPOINT: elsewhere,
}: NodeJS.ProcessEnv): string {
  return elsewhere || `https://${account}.blob.core.windows.net`;
}
