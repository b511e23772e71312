/** Which images of a view an export goes over, in order of id; what of clusters does not count is taken off them. */
import type { DatasetImage } from '../../core/dataset.ts';
import type { Origin } from '../../core/labels.ts';
import { countedImages, type TaskOwners } from '../../corpus/task-owner.ts';
import type { DatasetQuery, DatasetView, ImageRange, Store } from '../../store/store.ts';
import { type Background, lookedAt } from './background.ts';

export interface SelectionOf {
  readonly store: Pick<Store, 'candidatesOf' | 'labelsOf'>;
  readonly view: Pick<DatasetView, 'read' | 'namesDigest'>;
  readonly query: DatasetQuery;
  readonly owners: TaskOwners;
  readonly background: Background;
  /** Whose looking counts, see `background.ts`. */
  readonly detectors: readonly string[];
  readonly task: string | undefined;
  readonly origins: readonly Origin[] | undefined;
}

export class Selection {
  readonly #of: SelectionOf;
  /** Images that the query gave. */
  seen = 0;
  /** Left out of them, with no label and looked at by nobody. */
  notLookedAt = 0;

  constructor(of: SelectionOf) {
    this.#of = of;
  }

  /** @param onImage told of each as the record has it, before anything is left out */
  images(range?: ImageRange, onImage: (image: DatasetImage) => void = () => {}): AsyncIterable<DatasetImage> {
    const { view, query, owners, background } = this.#of;
    const given = async function* (selection: Selection) {
      for await (const image of view.read({ ...query, range })) {
        selection.seen++;
        onImage(image);
        yield image;
      }
    };
    const counted = countedImages(owners, given(this));
    return background === 'labelled' ? lookedAt(this.#of, counted, () => this.notLookedAt++) : counted;
  }
}
