import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { html } from '../core/markup.ts';
import type { RunRecord } from '../store/store.ts';
import { renderReport } from './html.ts';
import type { ReportPicture } from './picture-data.ts';
import type { ReportClass, ReportData } from './report-data.ts';

const ATTACK = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;`;

/** The page's text with its own script and style cut out. */
function content(page: string): string {
  return page.replace(/<script>[\s\S]*?<\/script>/, '').replace(/<style>[\s\S]*?<\/style>/, '');
}

function picture(file: string): ReportPicture {
  return { file, width: 200, height: 100, thumbnail: { bytes: new Uint8Array([1, 2, 3]), mediaType: 'image/jpeg' } };
}

function classNamed(name: string, part: Partial<ReportClass> = {}): ReportClass {
  return {
    name,
    task: 'objects',
    images: 1,
    regions: 1,
    meanConfidence: 0.5,
    origins: { detector: 1 },
    synonyms: [],
    parent: null,
    description: null,
    typical: [],
    doubtful: [],
    ...part,
  };
}

function report(part: Partial<ReportData> = {}): ReportData {
  return {
    title: 'photos',
    generatedAt: '2026-01-02T03:04:05.678Z',
    version: '1.2.3',
    sources: [],
    totals: {
      images: 2,
      labelledImages: 1,
      regions: 1,
      paths: 2,
      duplicatePaths: 0,
      groups: 0,
      groupedImages: 0,
      quarantined: 0,
    },
    classes: [],
    tree: [],
    copies: [],
    groups: [],
    quality: [],
    quarantine: { total: 0, reasons: [], rows: [] },
    runs: [],
    gathered: [],
    pictures: new Map(),
    shapes: new Map(),
    picturesLeftOut: 0,
    ...part,
  };
}

describe('escaping', () => {
  test('text of every kind', () => {
    assert.equal(
      html`<a title="${`<b>&"'`}">${['x', 1, null, false, html`<i>`]}</a>`.text,
      '<a title="&lt;b&gt;&amp;&quot;&#39;">x1<i></a>',
    );
    assert.equal(html`${'a\u0000b\ud800c\u009fd\n'}`.text, 'a\ufffdb\ufffdc\ufffdd\n');
  });

  test('nothing a user, a file or a model names becomes markup, wherever it is shown', () => {
    const row = {
      path: ATTACK,
      sourceRoot: ATTACK,
      reason: ATTACK,
      message: ATTACK,
      byteSize: 0,
      modifiedAtMs: 0,
      stage: ATTACK,
    };
    const page = renderReport(
      report({
        title: ATTACK,
        version: ATTACK,
        sources: [ATTACK],
        classes: [
          classNamed(ATTACK, {
            task: ATTACK,
            synonyms: [ATTACK],
            parent: ATTACK,
            description: ATTACK,
            typical: [{ imageId: 'a', confidence: 0.5, regions: [{ id: 'r', box: [0, 0, 9, 9] }] }],
          }),
          classNamed('other'),
        ],
        copies: [{ imageId: 'a', count: 2, paths: [ATTACK] }],
        groups: [{ id: 'a', count: 2, kinds: ['burst'], members: ['a'] }],
        quarantine: { total: 1, reasons: [{ reason: ATTACK, count: 1 }], rows: [row] },
        runs: [
          {
            id: ATTACK,
            stage: ATTACK,
            settings: { [ATTACK]: ATTACK, nested: { deep: ATTACK } },
            modelKey: ATTACK,
            seed: 0,
            threads: 1,
            versions: { [ATTACK]: ATTACK },
            startedAtMs: 0,
            endedAtMs: 1,
            status: 'done',
            counts: { [ATTACK]: 1 },
            metrics: {},
          },
        ],
        pictures: new Map([['a', picture(ATTACK)]]),
      }),
    );
    assert.equal(page.match(/<script/g)?.length, 1);
    assert.equal(page.match(/<\/script>/g)?.length, 1);
    assert.doesNotMatch(content(page), /<img|onerror='/);
    // Tag names of the whole page are the report's own.
    const tags = new Set([...content(page).matchAll(/<([a-z!/][a-z0-9]*)/gi)].map((match) => match[1]));
    assert.ok(!tags.has('img') && !tags.has('script'), [...tags].join(' '));
    assert.ok(page.includes('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'));
  });
});

test('the curves of the newest fine-tuning are drawn, each to its own scale; runs without one are passed over', () => {
  const run = (id: string, metrics: RunRecord['metrics']): RunRecord => ({
    id,
    stage: 'teach rounds',
    settings: { task: 'class' },
    modelKey: null,
    seed: 0,
    threads: 1,
    versions: {},
    startedAtMs: 0,
    endedAtMs: 1,
    status: 'done',
    counts: {},
    metrics,
  });
  const curve = (step: string, losses: readonly (number | null)[]) => ({
    step,
    stepsAPoint: 2,
    losses,
    accuracies: [0.5, 0.75, 1],
  });
  assert.doesNotMatch(content(renderReport(report({ runs: [run('a', {})] }))), /id="training"/);
  const runs = [
    run('new', {}),
    run('middle', { fineTuning: [curve('last', [2, 1, 0.5]), curve(ATTACK, [1, null, 1])] }),
    run('old', { fineTuning: [curve('bias', [3, 3, 3])] }),
  ];
  const gate = {
    folds: 3,
    labels: 54,
    frozen: { right: 27, loss: 1.272 },
    depths: [
      { depth: 'last', kept: false, figures: { right: 26, loss: 1.3 }, why: `fewer ${ATTACK}` },
      { depth: 'all', round: 2, kept: false, figures: null, why: 'left out' },
    ],
  };
  const judged = content(
    renderReport(
      report({
        runs: [
          run('a', { fineTuning: [{ ...curve('last', [1]), round: 3, training: 2, of: 4 }], fineTuningGate: gate }),
        ],
      }),
    ),
  );
  assert.match(judged, /of 54 labels those that were right while they were held out, on the same 3 folds/);
  assert.match(judged, /<tr><th>as it is<\/th><td>27<\/td><td>1\.272<\/td>/);
  assert.match(judged, /<tr><th>last<\/th><td>26<\/td><td>1\.300<\/td><td>not kept: fewer /);
  assert.match(judged, /<tr><th>all, round 2<\/th><td>–<\/td><td>–<\/td><td>not kept: left out/);
  assert.match(judged, /<strong>last, round 3, training 2 of 4<\/strong>/);
  const page = content(renderReport(report({ runs })));
  const section = /<section id="training"[\s\S]*?<\/section>/.exec(page)?.[0] ?? '';
  assert.match(section, /class="loss-axis"><i>2\.00<\/i>[\s\S]*?class="steps-axis"><i>0<\/i><i>steps<\/i><i>6<\/i>/);
  assert.deepEqual(
    [...section.matchAll(/points="([^"]*)"/g)].map(([, points]) => points),
    [
      '0.00,0.00 50.00,20.00 100.00,30.00',
      '0.00,20.00 50.00,10.00 100.00,0.00',
      '0.00,0.00 100.00,0.00',
      '0.00,20.00 50.00,10.00 100.00,0.00',
    ],
  );
  assert.match(section, /<strong>last<\/strong>, about 6 steps: loss from 2.00 to 0.50, right from 50% to 100%/);
  assert.doesNotMatch(section, /bias|<script|<img/);
});

test('the policy forbids requests and names exactly the style and script that are there', () => {
  const page = renderReport(report({ pictures: new Map([['a', picture('a.jpg')]]) }));
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
  assert.match(policy, /^default-src &#39;none&#39;; img-src data:; /);
  for (const [tag, directive] of [
    ['style', 'style-src'],
    ['script', 'script-src'],
  ]) {
    const inside = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(inside).digest('base64');
    assert.ok(policy.includes(`${directive} &#39;sha256-${hash}&#39;`), directive);
  }
  assert.doesNotMatch(content(page), / style="| on[a-z]+="/);
  assert.doesNotMatch(page, /(src|href)="(?!#|data:image\/)/);
});

test('a picture is in the file once, however often it is shown', () => {
  const typical = [{ imageId: 'a', confidence: 0.9, regions: [] }];
  const page = renderReport(
    report({
      classes: [classNamed('cat', { typical }), classNamed('dog', { typical })],
      pictures: new Map([['a', picture('a.jpg')]]),
    }),
  );
  assert.equal(page.match(/data:image\/jpeg;base64,AQID/g)?.length, 1);
  assert.equal(page.match(/<use href="#p0"\/>/g)?.length, 2);
});

test('sections with nothing to show are left out, with their links', () => {
  const page = renderReport(report());
  for (const id of ['groups', 'quality', 'quarantine', 'runs']) assert.ok(!page.includes(`"#${id}"`), id);
  assert.match(page, /No image has a class yet/);
  assert.match(page, /50%<\/dd><dd class="small">1 of 2 images/);
});

test('the note on uncalibrated scores stands where a detector spoke', () => {
  assert.match(renderReport(report({ classes: [classNamed('cat')] })), /detector’s own score/);
  const human = classNamed('cat', { origins: { human: 1 } });
  assert.doesNotMatch(renderReport(report({ classes: [human] })), /detector’s own score/);
});

test('a class of two tasks is counted once, and its links say which task they are of', () => {
  const page = renderReport(
    report({ classes: [classNamed('cup', { task: 'class' }), classNamed('cup'), classNamed('dog')] }),
  );
  assert.match(page, /<dt>classes<\/dt><dd>2<\/dd>/);
  assert.match(page, /<span class="name">cup <small>class<\/small><\/span>/);
  assert.match(page, /<span class="name">cup <small>objects<\/small><\/span>/);
  assert.match(page, /<span class="name">dog<\/span>/);
});
