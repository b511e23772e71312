import assert from 'node:assert/strict';
import { test } from 'node:test';
import { disownedText, silencedText } from './disowned.ts';

const OF = { owner: 'people', classes: 1, labels: 1200 } as const;

test('labels of clusters that do not count are told with the command that writes them, as one would type it', () => {
  assert.equal(
    disownedText({ task: 'class', ...OF, owner: 'model', classes: 2 }),
    'Not counted: 1,200 labels of 2 clusters, since a model labels the task class (labelsmith export FORMAT OUT --task class --origin cluster writes them).',
  );
  assert.match(
    silencedText({ task: 'my parts', ...OF }),
    /^From now on 1,200 labels of 1 cluster in the task my parts stay out .*\. Clusters that you name count again, and labelsmith export FORMAT OUT --task 'my parts' --origin cluster writes all\.$/,
  );
});
