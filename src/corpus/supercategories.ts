/**
 * The levels between the top and a class that people find useful: WordNet's own chains run through ten and more, from
 * `car` by `self-propelled vehicle` to `entity`. COCO's classes stand under COCO's supercategories (Lin et al., Microsoft
 * COCO, ECCV 2014), which agree with everyday use where WordNet does not (its `bus` is no `vehicle`); everything else
 * goes under the heading of the nearest synset above it that is listed here, or at the top.
 */

export interface Heading {
  readonly name: string;
  /** The synset whose definition it shows; null where none says what the heading means. */
  readonly synset: string | null;
  /** Synsets below which WordNet puts what belongs here. */
  readonly above: readonly string[];
  /** Names of COCO's that belong here. */
  readonly coco: readonly string[];
}

export const HEADINGS: readonly Heading[] = [
  { name: 'person', synset: 'person.n.01', above: ['person.n.01', 'hominid.n.01'], coco: [] },
  {
    name: 'vehicle',
    synset: 'vehicle.n.01',
    above: ['vehicle.n.01', 'conveyance.n.03'],
    coco: ['bicycle', 'car', 'motorcycle', 'airplane', 'bus', 'train', 'truck', 'boat'],
  },
  {
    name: 'outdoor',
    synset: null,
    above: [],
    coco: ['traffic light', 'fire hydrant', 'stop sign', 'parking meter', 'bench'],
  },
  {
    name: 'animal',
    synset: 'animal.n.01',
    above: ['animal.n.01'],
    coco: ['bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe'],
  },
  {
    name: 'accessory',
    synset: null,
    above: ['baggage.n.01'],
    coco: ['backpack', 'umbrella', 'handbag', 'tie', 'suitcase'],
  },
  {
    name: 'sports',
    synset: 'sports_equipment.n.01',
    above: ['sports_equipment.n.01', 'game_equipment.n.01', 'sports_implement.n.01'],
    coco: [
      'frisbee',
      'skis',
      'snowboard',
      'sports ball',
      'kite',
      'baseball bat',
      'baseball glove',
      'skateboard',
      'surfboard',
      'tennis racket',
    ],
  },
  {
    name: 'kitchen',
    synset: 'kitchenware.n.01',
    above: ['kitchenware.n.01', 'tableware.n.01', 'kitchen_utensil.n.01'],
    coco: ['bottle', 'wine glass', 'cup', 'fork', 'knife', 'spoon', 'bowl'],
  },
  {
    name: 'food',
    synset: 'food.n.02',
    above: ['food.n.01', 'food.n.02'],
    coco: ['banana', 'apple', 'sandwich', 'orange', 'broccoli', 'carrot', 'hot dog', 'pizza', 'donut', 'cake'],
  },
  {
    name: 'furniture',
    synset: 'furniture.n.01',
    above: ['furniture.n.01'],
    coco: ['chair', 'couch', 'potted plant', 'bed', 'dining table', 'toilet'],
  },
  {
    name: 'electronic',
    synset: 'electronic_equipment.n.01',
    above: ['electronic_equipment.n.01', 'electronic_device.n.01', 'computer.n.01'],
    coco: ['tv', 'laptop', 'mouse', 'remote', 'keyboard', 'cell phone'],
  },
  {
    name: 'appliance',
    synset: 'home_appliance.n.01',
    above: ['home_appliance.n.01'],
    coco: ['microwave', 'oven', 'toaster', 'sink', 'refrigerator'],
  },
  {
    name: 'indoor',
    synset: null,
    above: [],
    coco: ['book', 'clock', 'vase', 'scissors', 'teddy bear', 'hair drier', 'toothbrush'],
  },
  { name: 'plant', synset: 'plant.n.02', above: ['plant.n.02'], coco: [] },
  { name: 'clothing', synset: 'clothing.n.01', above: ['clothing.n.01', 'footwear.n.01'], coco: [] },
  { name: 'building', synset: 'building.n.01', above: ['building.n.01'], coco: [] },
  {
    name: 'musical instrument',
    synset: 'musical_instrument.n.01',
    above: ['musical_instrument.n.01'],
    coco: [],
  },
  { name: 'tool', synset: 'tool.n.01', above: ['tool.n.01'], coco: [] },
  { name: 'toy', synset: 'plaything.n.01', above: ['plaything.n.01'], coco: [] },
  { name: 'container', synset: 'container.n.01', above: ['container.n.01'], coco: [] },
];

export const HEADING_BY_SYNSET: ReadonlyMap<string, Heading> = new Map(
  HEADINGS.flatMap((heading) => heading.above.map((key) => [key, heading] as const)),
);

export const HEADING_BY_COCO_NAME: ReadonlyMap<string, Heading> = new Map(
  HEADINGS.flatMap((heading) => heading.coco.map((name) => [name, heading] as const)),
);
