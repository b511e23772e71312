/** Settings, the numbers of `status`, checks, and closing. A part of the store's contract (`store.ts`). */
import type { QualityFlag } from '../core/image.ts';
import type { Origin } from '../core/labels.ts';

export interface HousekeepingStore {
  getSetting(key: string): Promise<string | undefined>;
  putSetting(key: string, value: string): Promise<void>;
  /** Puts `value` (undefined: nothing) where `expected` is (undefined: nothing); false where something else is. */
  swapSetting(key: string, expected: string | undefined, value: string | undefined): Promise<boolean>;
  /** Numbers for `status`; images that are gone count as such and nowhere else. */
  summary(): Promise<StoreSummary>;
  /** Those of them that take least: of a million images a third of the time. */
  overview(): Promise<StoreOverview>;
  /** The database's own integrity and foreign-key checks; empty when all is well. */
  check(): Promise<string[]>;
  close(): Promise<void>;
}

export interface StoreOverview {
  /** Without those that are gone. */
  readonly images: number;
  /** By reason. */
  readonly quarantined: Readonly<Record<string, number>>;
  readonly regions: number;
  readonly labels: Readonly<Partial<Record<Origin, number>>>;
  readonly flags: Readonly<Partial<Record<QualityFlag, number>>>;
}

export interface StoreSummary extends StoreOverview {
  readonly goneImages: number;
  readonly paths: number;
  readonly missingPaths: number;
  readonly groups: number;
  readonly duplicatePaths: number;
  readonly similarPairs: number;
  /** Of which anything was said. */
  readonly classes: number;
  /** Of which nothing was: a detector's others, and what people only named. */
  readonly emptyClasses: number;
  readonly schemaVersion: number;
}
