/**
 * What an import does to the regions and labels of some images, worked out from how they are: which rows will be otherwise. It
 * says of them what `putRegions`, `putLabels`, `deleteRegionsAsHuman` and `yieldToFrozen` would do, one after the other; a property
 * test holds the two together. Pure, but for the places that it is given, which become as they will be.
 */
import type { RegionId } from '../../core/ids.ts';
import { isMachine } from '../../core/labels.ts';
import { lostImageLabels } from './derived.ts';
import { UNKNOWN } from './detection-work.ts';
import type { Dictionary } from './dictionary.ts';
import { coveredRegions, knownAmong } from './frozen-regions.ts';
import { type LabelFields, labelKeyOf } from './label-rows.ts';
import { deletedRegions, type Places } from './places.ts';
import type { RegionFields, ShapeFields } from './region-rows.ts';

export interface ChangedRegion {
  readonly region: RegionFields;
  readonly shape: ShapeFields | null;
  readonly gone: boolean;
  /** Its shapes are other than they were, too. */
  readonly whole: boolean;
}

export interface ChangedLabel {
  readonly label: LabelFields;
  readonly gone: boolean;
}

export class ImportEffects {
  /** By key. */
  readonly labels = new Map<string, ChangedLabel>();
  readonly regions = new Map<RegionId, ChangedRegion>();
  readonly #now: Places;
  readonly #dictionary: Dictionary;

  constructor(now: Places, dictionary: Dictionary) {
    this.#now = now;
    this.#dictionary = dictionary;
  }

  /** Those that a person touched stay whole where the new ones are not touched. */
  draw(drawn: readonly { readonly region: RegionFields; readonly shape: ShapeFields | null }[]): void {
    for (const { region, shape } of drawn) {
      if (!region.touched && this.#now.regions.get(region.id)?.touched === true) continue;
      this.#now.regions.set(region.id, region);
      if (shape === null) this.#now.shapes.delete(region.id);
      else this.#now.shapes.set(region.id, shape);
      this.regions.set(region.id, { region, shape, gone: false, whole: true });
    }
  }

  say(said: readonly LabelFields[]): void {
    const words = said.filter(({ origin }) => !isMachine(origin));
    const corrected = new Set(
      words.filter(({ origin, regionId }) => origin === 'human' && regionId !== '').map(({ imageId }) => imageId),
    );
    for (const label of said) this.#put(label);
    if (corrected.size > 0) this.#dropLost(corrected);
    for (const { regionId } of words) this.#touch(regionId, {});
  }

  /** A person deleted them. */
  bury(ids: readonly RegionId[]): void {
    const images = new Set(ids.flatMap((id) => this.#now.regions.get(id)?.imageId ?? []));
    for (const id of ids) this.#touch(id, { deleted: true });
    this.#dropLost(images);
  }

  /** @param kept regions that stay where they are */
  yieldToFrozen(taskId: number, frozenIou: number, kept: ReadonlySet<RegionId>): void {
    const { regions, labels } = this.#now;
    const known = knownAmong(
      { regions: regions.values(), labels: labels.values() },
      { modelId: UNKNOWN, taskId, dictionary: this.#dictionary },
    );
    const covered = new Set(coveredRegions(known, frozenIou).flatMap(({ id }) => (kept.has(id) ? [] : id)));
    if (covered.size === 0) return;
    for (const label of [...labels.values()]) if (covered.has(label.regionId)) this.#drop(label);
    for (const id of covered) {
      const region = regions.get(id);
      if (region === undefined) continue;
      this.regions.set(id, { region, shape: this.#now.shapes.get(id) ?? null, gone: true, whole: true });
      regions.delete(id);
      this.#now.shapes.delete(id);
    }
  }

  #put(label: LabelFields): void {
    const key = labelKeyOf(label);
    this.#now.labels.set(key, label);
    this.labels.set(key, { label, gone: false });
  }

  #drop(label: LabelFields): void {
    const key = labelKeyOf(label);
    this.#now.labels.delete(key);
    this.labels.set(key, { label, gone: true });
  }

  #dropLost(imageIds: ReadonlySet<string>): void {
    const labels = [...this.#now.labels.values()].filter(({ imageId }) => imageIds.has(imageId));
    for (const label of lostImageLabels({ labels, deleted: deletedRegions(this.#now) }, this.#dictionary))
      this.#drop(label);
  }

  #touch(id: RegionId, change: Partial<Pick<RegionFields, 'deleted'>>): void {
    const before = this.#now.regions.get(id);
    if (before === undefined || (before.touched && change.deleted !== true)) return;
    const region = { ...before, ...change, touched: true };
    this.#now.regions.set(id, region);
    const whole = this.regions.get(id)?.whole ?? false;
    this.regions.set(id, { region, shape: this.#now.shapes.get(id) ?? null, gone: false, whole });
  }
}
