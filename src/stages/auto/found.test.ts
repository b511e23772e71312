import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Origin } from '../../core/labels.ts';
import type { ClassRecord } from '../../store/store.ts';
import { ownClasses } from './found.ts';

function classOf(name: string, task: string, origins: Partial<Record<Origin, number>>): ClassRecord {
  const count = Object.values(origins).reduce((sum, n) => sum + n, 0);
  const counts = [{ task, items: 'images' as const, count, meanConfidence: 0.9, origins }];
  return { name, synonyms: [], parent: null, description: null, synset: null, counts };
}

test("the user's own classes, most labels first, without clusters; neither objects nor clusters alone are anybody's own", async () => {
  const classes = [
    classOf('unnamed-1', 'class', { cluster: 30 }),
    classOf('diode', 'class', { model: 4 }),
    classOf('resistor', 'class', { human: 2, model: 7 }),
    classOf('heap', 'other', { cluster: 9 }),
    classOf('dog', 'objects', { detector: 5, human: 1 }),
  ];
  assert.deepEqual(await ownClasses({ classes: async () => classes }), [
    {
      task: 'class',
      owner: 'model',
      classes: [
        { name: 'resistor', labels: 9, meanConfidence: 0.9 },
        { name: 'diode', labels: 4, meanConfidence: 0.9 },
      ],
    },
  ]);
});
