import { vectorStoreContract } from '../../test/contracts/vectors.ts';
import { blobVectorStore } from './blob-vectors.ts';
import { folderBlobs } from './folder-blobs.ts';

vectorStoreContract('blobs', (folder) => blobVectorStore(folderBlobs(folder), folder), { prunesHalves: false });
