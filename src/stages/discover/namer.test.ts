/** A server of this machine in the place of a vision model: what it is sent, and what becomes of its answers. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { folderBlobs } from '../../blobs/folder-blobs.ts';
import { foldClassName } from '../../core/class-name.ts';
import { LabelsmithError } from '../../errors.ts';
import { askForClasses, askNamer, namerFrom } from './namer.ts';
import { forgetAnswers } from './namer-request.ts';
import { nearestClusters } from './typical.ts';

const SHEET = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9);
const ASKED = { beside: false, shown: 9, known: new Map([[foldClassName('Sea lion'), 'Sea lion']]) };

async function serving(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

const saying = (content: string): RequestListener => {
  return (request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content } }] }));
  };
};

test('the model is sent one picture and the question, and the key to its own address', async (t) => {
  let seen = '';
  let authorization: string | undefined;
  let path: string | undefined;
  const url = await serving(t, (request, response) => {
    path = request.url;
    authorization = request.headers.authorization;
    request.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
    });
    request.on('end', () =>
      saying('{"name": "Leopard", "definition": "A spotted cat.", "one_thing": true}')(request, response),
    );
  });
  const candidate = await askNamer(SHEET, ASKED, { url, model: 'eyes', apiKey: 'k' });
  assert.equal(path, '/v1/chat/completions');
  assert.equal(authorization, 'Bearer k');
  assert.ok(
    seen.includes(`data:image/jpeg;base64,${Buffer.from(SHEET).toString('base64')}`) && seen.includes('"model":"eyes"'),
  );
  assert.equal(candidate?.name, 'leopard', 'as WordNet writes it');
  assert.ok((candidate?.score ?? 0) > 0.35, 'enough to name');
  const [evidence] = candidate?.evidence ?? [];
  assert.deepEqual([evidence?.source, evidence?.by, evidence?.told], ['namer', 'eyes', 'A spotted cat.']);
});

test('a cluster beside its neighbours is asked about so that it is told apart from them', async (t) => {
  let seen = '';
  const url = await serving(t, (request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
    });
    request.on('end', () => saying('{"name": "leopard", "one_thing": true}')(request, response));
  });
  await askNamer(SHEET, { ...ASKED, beside: true }, { url, model: 'm' });
  assert.match(seen, /green frame at the left.*told apart/);
  assert.equal(seen.match(/image_url":\{/g)?.length, 1, 'one picture a question');
});

test('classes that are proposed are names, once each as the corpus writes them; what is none is left out', async (t) => {
  const classes = [
    { name: 'SEA LION', definition: 'A large\n seal.' },
    { name: 'Leopard.' },
    { name: 'a very long name of six words', definition: '' },
    { name: '<script>' },
  ];
  const url = await serving(t, saying(`Here: ${JSON.stringify({ classes })} Enjoy!`));
  assert.deepEqual(await askForClasses(SHEET, ASKED.known, { url, model: 'm' }), [
    { name: 'Sea lion', definition: 'A large seal.' },
    { name: 'leopard', definition: '' },
  ]);
  const odd = await serving(t, saying('{"classes": "leopard"}'));
  assert.deepEqual(await askForClasses(SHEET, ASKED.known, { url: odd, model: 'm' }), []);
});

test('neighbours of a cluster are those whose means are nearest, and never itself', () => {
  const data = Float32Array.of(1, 0, 0.9, 0.1, 0, 1, -1, 0, 0.8, 0.3);
  const clusters = Int32Array.of(0, 1, 2, 3, -1);
  assert.deepEqual(nearestClusters({ clusters }, { data, rows: 5, columns: 2 }, 4, 2), [
    [1, 2],
    [0, 2],
    [1, 0],
    [2, 1],
  ]);
});

test('answers in fences are read, names of the corpus are taken as they are, mixed clusters get no name', async (t) => {
  const fenced = await serving(t, saying('Sure!\n```json\n{"name": "sea  lion.", "one_thing": true}\n```'));
  assert.equal((await askNamer(SHEET, ASKED, { url: fenced, model: 'm' }))?.name, 'Sea lion');
  const mixed = await serving(t, saying('{"name": "animal", "definition": "", "one_thing": false}'));
  assert.ok(((await askNamer(SHEET, ASKED, { url: mixed, model: 'm' }))?.score ?? 1) < 0.35);
});

test('a model that thinks aloud, leaves a field out or writes true as a word is understood', async (t) => {
  const thinking =
    '<think>{is it} a seal? {"name": 1}</think>{"name": "leopard", "definition": null, "one_thing": "true"}';
  const url = await serving(t, saying(thinking));
  const found = await askNamer(SHEET, ASKED, { url, model: 'm' });
  assert.equal(found?.name, 'leopard');
  assert.ok((found?.score ?? 0) > 0.35);
});

test('a server that is overloaded is waited for, and one that wants the other name for the number of tokens gets it', async (t) => {
  const bodies: string[] = [];
  const url = await serving(t, (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      bodies.push(body);
      if (bodies.length === 1) return void response.writeHead(429, { 'retry-after': '0' }).end('slow down');
      // As OpenAI's API refuses it for models that think.
      if (bodies.length === 2) {
        return void response
          .writeHead(400)
          .end("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.");
      }
      saying('{"name": "leopard", "one_thing": true}')(request, response);
    });
  });
  const found = await askNamer(SHEET, ASKED, { url, model: 'm', backoffMs: 1 });
  assert.equal(found?.name, 'leopard');
  assert.equal(bodies.length, 3);
  assert.match(bodies[2] ?? '', /"max_completion_tokens":4300/);
  assert.doesNotMatch(bodies[2] ?? '', /max_tokens|temperature/);
  const busy = await serving(t, (_, response) => void response.writeHead(503).end('later'));
  await assert.rejects(askNamer(SHEET, ASKED, { url: busy, model: 'm', backoffMs: 1 }), /answered 503: later/);
});

test('answers are kept until they are forgotten, so that a run that was broken off asks for the rest', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'labelsmith-namer-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const answers = folderBlobs(folder);
  let asked = 0;
  const url = await serving(t, (request, response) => {
    asked++;
    saying('{"name": "leopard", "one_thing": true}')(request, response);
  });
  const options = { url, model: 'm', answers };
  const other = Uint8Array.of(...SHEET, 0);
  for (const sheet of [SHEET, other, SHEET]) assert.equal((await askNamer(sheet, ASKED, options))?.name, 'leopard');
  assert.equal(asked, 2);
  await askNamer(SHEET, ASKED, { ...options, model: 'another' });
  await askNamer(SHEET, { ...ASKED, beside: true }, options);
  assert.equal(asked, 4, 'another model and another question are others');
  await forgetAnswers(answers);
  await askNamer(SHEET, ASKED, options);
  assert.equal(asked, 5);
  const silent = await serving(t, () => undefined);
  await assert.rejects(askNamer(SHEET, ASKED, { ...options, url: silent, timeoutMs: 50 }), (error: unknown) => {
    return error instanceof LabelsmithError && /--namer-timeout.*so far are kept/.test(error.hint ?? '');
  });
});

for (const [what, content] of [
  ['no JSON', 'I see several leopards.'],
  ['broken JSON', '{"name": "leopard", '],
  ['a sentence as a name', '{"name": "this is a picture of several leopards in trees", "one_thing": true}'],
  ['markup', '{"name": "<b>leopard</b>", "one_thing": true}'],
  ['no name', '{"name": "", "one_thing": true}'],
  ['a number', '{"name": "42", "one_thing": true}'],
] as const) {
  test(`an answer that is none names nothing: ${what}`, async (t) => {
    const url = await serving(t, saying(content));
    const told: string[] = [];
    const onNoName = (answer: string) => void told.push(answer);
    assert.equal(await askNamer(SHEET, ASKED, { url, model: 'm', onNoName }), null);
    assert.deepEqual(told, [content]);
  });
}

test('what cannot be the name of a class is an answer without one, and ends nothing', async (t) => {
  for (const name of ['(none of these)', '(none of these).', '\\ud800a', 'a\\ud800.']) {
    const told: string[] = [];
    const url = await serving(t, saying(`{"name": "${name}", "one_thing": true}`));
    const options = { url, model: 'm', onNoName: (text: string) => told.push(text) };
    assert.equal(await askNamer(SHEET, ASKED, options), null, name);
    assert.equal(told.length, 1, name);
  }
  const url = await serving(t, saying('{"classes": [{"name": "(none of these)"}, {"name": "leopard"}]}'));
  const proposed = await askForClasses(SHEET, ASKED.known, { url, model: 'm' });
  assert.deepEqual(
    proposed.map(({ name }) => name),
    ['leopard'],
  );
});

test('a server that refuses, redirects, is silent or not there is told with what to do', async (t) => {
  const failing = async (url: string, word: string, timeoutMs = 10_000) => {
    await assert.rejects(askNamer(SHEET, ASKED, { url, model: 'm', timeoutMs }), (error: unknown) => {
      return (
        error instanceof LabelsmithError && error.code === 'NETWORK' && error.message.includes(word) && !!error.hint
      );
    });
  };
  await failing(await serving(t, (_, response) => void response.writeHead(404).end('no such model')), 'no such model');
  await failing(
    await serving(t, (_, response) => void response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end()),
    'cannot be reached',
  );
  await failing(await serving(t, () => undefined), 'no answer within', 100);
  await failing('http://127.0.0.1:9/v1', 'cannot be reached');
  assert.throws(() => namerFrom('localhost:11434', 'm', undefined), /no address/);
  assert.throws(() => namerFrom('http://localhost:11434/v1', undefined, undefined), /--namer-model/);
});
