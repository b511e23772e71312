/** What a billion images take, from what was measured in this run: sizes, hours and where more machines bring nothing more. */
import { rounded } from '../process.ts';

export interface Measured {
  /** Images a second that one core does. */
  readonly perCore: { readonly detect: number; readonly embed: number };
  /** Images a second that one command commits. */
  readonly commits: { readonly add: number; readonly detect: number; readonly assign: number };
  readonly recordBytesAnImage: number;
  readonly vectorBytesAnImage: number;
}

const IMAGES = 1e9;
/** Of a core's hour, to be replaced by one's own: about what clouds take for machines that may be taken away. */
const PRICE = 0.02;

export function billion({ perCore, commits, recordBytesAnImage, vectorBytesAnImage }: Measured) {
  const hours = (perSecond: number) => Math.round(IMAGES / perSecond / 3600);
  const coreHours = { detect: hours(perCore.detect), embed: hours(perCore.embed) };
  return {
    images: IMAGES,
    coreHours,
    costAtPriceOfACoreHour: { price: PRICE, sum: Math.round((coreHours.detect + coreHours.embed) * PRICE) },
    /** Of one command that commits one shard after the other: no number of machines is quicker. */
    commitHours: { add: hours(commits.add), detect: hours(commits.detect), assign: hours(commits.assign) },
    coresThatOneDetectKeepsBusy: Math.round(commits.detect / perCore.detect),
    recordTerabytes: rounded((IMAGES * recordBytesAnImage) / 1e12, 1),
    vectorTerabytes: rounded((IMAGES * vectorBytesAnImage) / 1e12, 2),
  };
}
