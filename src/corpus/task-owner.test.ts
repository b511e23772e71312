import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetImage, LabelValue } from '../core/dataset.ts';
import type { Origin } from '../core/labels.ts';
import { TaskOwners } from './task-owner.ts';

type Counts = Readonly<Partial<Record<Origin, number>>>;

function classOf(
  name: string,
  origins: Counts,
  { task = 'class', synonyms = [] as string[], clusteredIn = [] as string[], confirmed = false } = {},
) {
  const count = Object.values(origins).reduce((sum, n) => sum + n, 0);
  return {
    name,
    synonyms,
    clusteredIn,
    confirmed,
    counts: [{ task, items: 'images' as const, count, meanConfidence: 0.5, origins }],
  };
}

const label = (className: string, origin: Origin, task = 'class') => ({ className, origin, task, confidence: 1 });

test('who owns a task, and which labels of clusters stay out', () => {
  const cases: [string, ReturnType<typeof classOf>[], { owner: string | null; out: string[] }][] = [
    ['clusters alone', [classOf('unnamed-1', { cluster: 9 })], { owner: null, out: [] }],
    [
      'a model beside clusters',
      [classOf('unnamed-1', { cluster: 9 }), classOf('diode', { human: 2, model: 3 })],
      { owner: 'model', out: ['unnamed-1'] },
    ],
    [
      'a model beside clusters that people named',
      [classOf('chip', { cluster: 9 }, { synonyms: ['unnamed-1'] }), classOf('diode', { model: 3 })],
      { owner: 'model', out: ['chip'] },
    ],
    [
      'references beside clusters',
      [classOf('unnamed-1', { cluster: 9 }), classOf('diode', { reference: 3 })],
      { owner: 'reference', out: ['unnamed-1'] },
    ],
    [
      'people with classes of their own',
      [classOf('unnamed-1', { cluster: 9 }), classOf('diode', { human: 1 })],
      { owner: 'people', out: ['unnamed-1'] },
    ],
    [
      'imports with classes of their own, and a cluster of the same name',
      [classOf('resistor', { cluster: 9, imported: 2 }), classOf('diode', { imported: 3 })],
      { owner: 'people', out: ['resistor'] },
    ],
    [
      'people who correct clusters, once with a new class',
      [classOf('dog', { cluster: 9, human: 2 }), classOf('cat', { cluster: 9 }), classOf('fox', { human: 1 })],
      { owner: null, out: [] },
    ],
    [
      'people who confirmed every item of one cluster',
      [classOf('unnamed-1', { human: 8 }, { clusteredIn: ['class'] }), classOf('unnamed-2', { cluster: 8 })],
      { owner: null, out: [] },
    ],
    [
      'people with classes of their own, which clusters gave in another task',
      [classOf('dog', { human: 8 }, { clusteredIn: ['parts'] }), classOf('unnamed-2', { cluster: 8 })],
      { owner: 'people', out: ['unnamed-2'] },
    ],
    [
      'people who named one of the clusters and added a class',
      [
        classOf('chip', { cluster: 9 }, { synonyms: ['unnamed-1'] }),
        classOf('unnamed-2', { cluster: 4 }),
        classOf('other', { human: 1 }),
      ],
      { owner: 'people', out: ['unnamed-2'] },
    ],
    [
      'people who said of one of the clusters that it is called so, and added a class',
      [
        classOf('chip', { cluster: 9 }, { confirmed: true }),
        classOf('unnamed-2', { cluster: 4 }),
        classOf('other', { human: 1 }),
      ],
      { owner: 'people', out: ['unnamed-2'] },
    ],
    [
      'an owner of another task',
      [classOf('unnamed-1', { cluster: 9 }), classOf('diode', { model: 3 }, { task: 'parts' })],
      { owner: null, out: [] },
    ],
  ];
  for (const [name, classes, expected] of cases) {
    const owners = new TaskOwners(classes);
    assert.equal(owners.ownerOf('class'), expected.owner, name);
    const clusters = classes.filter(({ counts }) => counts.some(({ origins }) => origins.cluster));
    const out = clusters.filter((one) => owners.disowns(label(one.name, 'cluster'))).map((one) => one.name);
    assert.deepEqual(out, expected.out, name);
    for (const origin of ['human', 'imported', 'model', 'reference', 'detector'] as const) {
      assert.equal(owners.disowns(label('unnamed-1', origin)), false, `${name}: ${origin}`);
    }
  }
});

test('an image and the counts lose labels of clusters, and nothing else', () => {
  const classes = [
    classOf('unnamed-1', { cluster: 5 }),
    classOf('diode', { model: 3, cluster: 2 }),
    classOf('heap', { cluster: 4 }, { task: 'other' }),
  ];
  const owners = new TaskOwners(classes);
  const image = (labels: LabelValue[]) => ({ id: 'a', labels, regions: [] as const }) as unknown as DatasetImage;
  const counted = owners.counted(image([label('unnamed-1', 'cluster'), label('heap', 'cluster', 'other')]));
  assert.deepEqual(counted.labels, [label('heap', 'cluster', 'other')]);
  const untouched = image([label('diode', 'model')]);
  assert.equal(owners.counted(untouched), untouched);
  assert.deepEqual(owners.disowned(classes), [{ task: 'class', owner: 'model', classes: 2, labels: 7 }]);
  assert.deepEqual(new TaskOwners(classes.slice(0, 1)).disowned(classes.slice(0, 1)), []);
  assert.deepEqual(
    owners
      .countedClasses(classes)
      .map(({ name, counts }) => [name, counts.map(({ count, origins }) => [count, origins])]),
    [
      ['unnamed-1', []],
      ['diode', [[3, { model: 3 }]]],
      ['heap', [[4, { cluster: 4 }]]],
    ],
  );
});
