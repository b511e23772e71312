/**
 * What the demo's photographs show, written down by looking at them: the answers of which any sound model gives most. None
 * of it was taken from a model that is checked.
 */

export interface KnownPhotograph {
  /** Its file's name, as `fetchPhotographs` writes it. */
  readonly file: string;
  /** Names of ImageNet's classes (the first of their synonyms) that a good classifier has among its first five. */
  readonly classes: readonly string[];
  /** Large things in it, of COCO's classes: x1, y1, x2, y2 as shares of the width and the height. */
  readonly objects: readonly { readonly name: string; readonly box: readonly [number, number, number, number] }[];
}

/** Two sheets of paper and two meals: what is alike among them is known too. */
export const ALIKE: readonly (readonly [string, string])[] = [
  ['meal_1.jpg', 'meal_2.jpg'],
  ['report_1.jpg', 'report_2.jpg'],
];

const ON_PAPER = ['menu', 'envelope', 'web site', 'crossword puzzle', 'binder', 'book jacket'];

export const KNOWN_PHOTOGRAPHS: readonly KnownPhotograph[] = [
  { file: 'meal_1.jpg', classes: ['plate', 'restaurant', 'dining table', 'hot pot'], objects: [] },
  {
    file: 'meal_2.jpg',
    classes: ['plate', 'restaurant', 'dining table', 'meat loaf', 'espresso'],
    objects: [
      { name: 'dining table', box: [0, 0.47, 1, 1] },
      { name: 'cup', box: [0.73, 0.5, 0.895, 0.59] },
      { name: 'bowl', box: [0.236, 0.542, 0.367, 0.603] },
    ],
  },
  { file: 'other_1.jpg', classes: ['china cabinet', 'plate rack', 'plate'], objects: [] },
  {
    file: 'other_2.jpg',
    classes: ['cab', 'traffic light', 'streetcar', 'trolleybus'],
    objects: [
      { name: 'car', box: [0.627, 0.568, 0.984, 0.818] },
      { name: 'bus', box: [0.82, 0.4, 1, 0.615] },
      { name: 'person', box: [0.466, 0.706, 0.665, 1] },
      { name: 'person', box: [0.255, 0.705, 0.443, 1] },
    ],
  },
  { file: 'report_1.jpg', classes: ON_PAPER, objects: [] },
  { file: 'report_2.jpg', classes: ON_PAPER, objects: [] },
];
