/** The process in which a model of the hub is looked at and tried: see `bounded-take-in.ts`. */
import type { Listing } from '../../fetch/hub-listing.ts';
import { answerOnce } from '../../threads/answer.ts';
import { entryOfListing, type TakeInOptions } from './take-in.ts';

export interface TakeInTask {
  readonly listing: Listing;
  readonly options: TakeInOptions;
}

answerOnce((task) => {
  const { listing, options } = task as TakeInTask;
  return entryOfListing(listing, options);
});
