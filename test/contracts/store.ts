/**
 * The conformance suite of the store's contract (`src/store/store.ts`), run for every driver.
 *
 * `open` opens a store in a folder; `module` is the address of a module that exports the same function as `openStore`,
 * for the cases that need processes of their own.
 */
import { describe } from 'node:test';
import { detectionCases } from './store/detection.ts';
import type { OpenStore } from './store/fixtures.ts';
import { importCases } from './store/imports.ts';
import { itemCases } from './store/items.ts';
import { keptCases } from './store/kept.ts';
import { labelCases } from './store/labels.ts';
import { namesUndoneCases } from './store/names-undone.ts';
import { operationCases } from './store/operations.ts';
import { processCases } from './store/processes.ts';
import { propertyCases } from './store/properties.ts';
import { recordCases } from './store/records.ts';
import { shapeCases } from './store/shapes.ts';
import { shardCases } from './store/shards.ts';
import { stageRecordCases } from './store/stage-records.ts';
import { togetherCases } from './store/together.ts';
import { wordAboutAllCases } from './store/words-about-all.ts';

export function storeContract(name: string, open: OpenStore, module: string): void {
  describe(`store contract: ${name}`, () => {
    recordCases(open);
    labelCases(open);
    detectionCases(open);
    shapeCases(open);
    shardCases(open);
    itemCases(open);
    wordAboutAllCases(open);
    importCases(open);
    keptCases(open);
    stageRecordCases(open);
    operationCases(open);
    namesUndoneCases(open);
    propertyCases(open);
    processCases(open, module);
    togetherCases(open, module);
  });
}
