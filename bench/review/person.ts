/**
 * A simulated person at the review app: 1 s to judge a screenful of 48, 0.1 s a click on an exception, 1 s to name a cluster.
 * They know the truth, and do what the pages offer, by the calls that the pages make: name every cluster by what most of its
 * examples are, confirm page by page but for what is not, teach, confirm what the model says, then label what is left
 * one by one, until 95 % are right. An action is
 * a name, a click or an Enter. The machine's own time is counted apart.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningReview } from '../../test/review-app.ts';

const PAGE = 48;
const PAGE_S = 1;
const CLICK_S = 0.1;
const NAME_S = 1;
/** To look at one image and press its key, by itself. */
const SINGLE_S = 1;
const RIGHT = 0.95;
const MACHINES = ['model', 'reference', 'detector', 'cluster'];

interface Item {
  readonly itemId: string;
  readonly imageId: string;
}

/** The page's calls. */
export function callerOf({ url }: RunningReview) {
  const { origin, searchParams } = new URL(url);
  const headers = { authorization: `Bearer ${searchParams.get('token')}`, 'content-type': 'application/json' };
  const ask = async (path: string, json?: unknown) => {
    const options = json === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(json) };
    const answer = await fetch(`${origin}/api${path}`, options);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  return {
    json: async <T>(path: string, body?: unknown) => (await (await ask(path, body)).json()) as T,
    async ids(filter: unknown, order: string): Promise<string[]> {
      const bytes = Buffer.from(await (await ask('/items/order', { filter, order })).arrayBuffer());
      return bytes.toString('hex').match(/.{64}/g) ?? [];
    },
  };
}
type Caller = ReturnType<typeof callerOf>;

async function job({ json }: Caller, request: unknown): Promise<number> {
  const began = performance.now();
  await json('/jobs', request);
  for (;;) {
    const { jobs } = await json<{ jobs: { state: string; error: unknown }[] }>('/jobs');
    if (jobs[0]?.state === 'done') return (performance.now() - began) / 1000;
    if (jobs[0]?.state !== 'running') throw new Error(JSON.stringify(jobs[0]));
    await new Promise((next) => setTimeout(next, 200));
  }
}

export async function person(caller: Caller, folder: string) {
  const { json, ids } = caller;
  const files = new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.jpg'))
      .map((file) => [join(folder, file), file.split('/')[0] ?? '']),
  );
  let machineS = await job(caller, { kind: 'auto', folder, detect: false });
  const truth = new Map<string, string>();
  for (const id of await ids({}, 'id')) {
    const { paths } = await json<{ paths: string[] }>(`/images/${id}`);
    truth.set(id, files.get(paths[0] ?? '') ?? '');
  }
  const work = { actions: 0, seconds: 0 };
  const spend = (actions: number, seconds: number) => {
    work.actions += actions;
    work.seconds += seconds;
  };
  await nameAll(caller, truth, spend);
  const rounds: { right: number; actions: number }[] = [];
  for (let round = 0; round < 2; round++) {
    await confirmAll(caller, truth, spend);
    machineS += await job(caller, { kind: 'teach', task: 'class' });
    const right = (await rightOf(caller, truth)) / truth.size;
    rounds.push({ right, actions: work.actions });
    if (right >= RIGHT) break;
  }
  const right = (await labelRest(caller, truth, spend)) / truth.size;
  return {
    images: truth.size,
    rounds,
    right,
    actions: work.actions,
    personSeconds: Math.round(work.seconds),
    itemsAnHour: Math.round((3600 * truth.size) / work.seconds),
    machineSeconds: Math.round(machineS),
    oneAtATime: { actions: truth.size, itemsAnHour: 3600 / SINGLE_S },
    actionsShare: Math.round((1000 * work.actions) / truth.size) / 1000,
  };
}

type Spend = (actions: number, seconds: number) => void;
const ref = (id: string): Item => ({ itemId: id, imageId: id });

async function nameAll({ json }: Caller, truth: ReadonlyMap<string, string>, spend: Spend): Promise<void> {
  const { clusters } = await json<{ clusters: { name: string; exemplars: string[] }[] }>('/clusters');
  for (const { name, exemplars } of clusters) {
    const votes = Map.groupBy(exemplars, (id) => truth.get(id) ?? '');
    const [to = name] = [...votes].sort((a, b) => b[1].length - a[1].length).map(([one]) => one);
    spend(1, NAME_S);
    if (to === name) continue;
    const { classes } = await json<{ classes: { name: string }[] }>('/classes');
    const known = classes.some((one) => one.name === to);
    await json('/corpus', known ? { kind: 'merge', names: [name, to], into: to } : { kind: 'rename', from: name, to });
  }
}

/** Every class, a screenful at a time, the surest first. */
async function confirmAll({ json, ids }: Caller, truth: ReadonlyMap<string, string>, spend: Spend): Promise<void> {
  const { classes } = await json<{ classes: { name: string }[] }>('/classes');
  for (const { name } of classes) {
    const filter = { task: 'class', className: name, origins: MACHINES };
    const all = await ids(filter, 'confidence');
    for (let at = 0; at < all.length; at += PAGE) {
      const page = all.slice(at, at + PAGE);
      const exceptions = page.filter((id) => truth.get(id) !== name);
      const items = page.filter((id) => truth.get(id) === name);
      spend(1 + exceptions.length, PAGE_S + CLICK_S * exceptions.length);
      await json('/labels/confirm', {
        ...{ task: 'class', className: name },
        ...{ items: items.map(ref), exceptions: exceptions.map(ref) },
      });
    }
  }
}

/** What has no label by now, one at a time, until enough are right. Gives how many are. */
async function labelRest({ json, ids }: Caller, truth: ReadonlyMap<string, string>, spend: Spend): Promise<number> {
  let right = await rightOf({ json, ids }, truth);
  for (const id of await ids({ task: 'class', state: 'unlabelled' }, 'id')) {
    if (right >= RIGHT * truth.size) break;
    await json('/labels', { task: 'class', className: truth.get(id), items: [ref(id)] });
    spend(1, SINGLE_S);
    right++;
  }
  return right;
}

async function rightOf({ json }: Caller, truth: ReadonlyMap<string, string>): Promise<number> {
  const all = [...truth.keys()];
  let right = 0;
  for (let at = 0; at < all.length; at += 500) {
    const page = all.slice(at, at + 500);
    const asked = { task: 'class', items: page.map(ref) };
    const { cells } = await json<{ cells: { itemId: string; labels: { className: string }[] }[] }>(
      '/items/cells',
      asked,
    );
    right += cells.filter(({ itemId, labels }) => labels[0]?.className === truth.get(itemId)).length;
  }
  return right;
}
