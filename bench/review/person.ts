/**
 * A simulated person at the review app: 1 s to judge a screenful of 48, 0.1 s a click on an exception, 1 s to name something.
 * They know the truth, and do what the pages offer, by the calls that the pages make: name every cluster by what most of its
 * examples are; confirm the surer half of each class, a screenful at most; teach; then confirm the least sure of those classes
 * in which most is likely to be wrong; and label what is left one by one, until 95 % are right. On a screenful, exceptions
 * that are what the page proposes for them instead are named so by one key, several others of one class are named at once, and
 * a screenful that is mostly something else is confirmed as that. An action is a name, a click, a key or an Enter. The
 * machine's own time is counted apart. Files have no names that say what they show.
 *
 * Counted twice: to the end of the screenful after which enough are right, which only a benchmark knows; and by whole rounds,
 * as a person works who learns of it from what Teach says.
 */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom, shuffled } from '../../src/core/random.ts';
import type { RunningReview } from '../../test/review-app.ts';
import { rounded } from '../process.ts';

const PAGE = 48;
const PAGE_S = 1;
const CLICK_S = 0.1;
const NAME_S = 1;
/** To look at one image and press its key, by itself. */
const SINGLE_S = 1;
const RIGHT = 0.95;
/** Rounds of teaching and screenfuls. */
const ROUNDS = 4;
/** Classes that are looked at again a round. */
const CLASSES_A_ROUND = 4;
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

/** Copies that are named by number, in an order that says nothing. Gives the class of each file. */
export function copyUnnamed(set: string, folder: string): Map<string, string> {
  mkdirSync(folder);
  const files = readdirSync(set, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.jpg'));
  const order = shuffled(files.sort(), seededRandom(7));
  return new Map(
    order.map((file, number) => {
      const to = join(folder, `${String(number).padStart(5, '0')}.jpg`);
      copyFileSync(join(set, file), to);
      return [to, file.split('/')[0] ?? ''];
    }),
  );
}

export async function person(caller: Caller, folder: string, files: ReadonlyMap<string, string>) {
  const { json, ids } = caller;
  let machineS = await job(caller, { kind: 'auto', folder, detect: false });
  const truth = new Map<string, string>();
  for (const id of await ids({}, 'id')) {
    const { paths } = await json<{ paths: string[] }>(`/images/${id}`);
    truth.set(id, files.get(paths[0] ?? '') ?? '');
  }
  const work = { actions: 0, seconds: 0 };
  /** When enough were right for the first time. */
  let reached: { readonly actions: number; readonly seconds: number } | undefined;
  const spend = (actions: number, seconds: number) => {
    work.actions += actions;
    work.seconds += seconds;
  };
  const sight: Sight = { caller, truth, spend };
  const steps: { step: string; right: number; actions: number }[] = [];
  const told = async (step: string) => {
    const right = (await rightOf(caller, truth)) / truth.size;
    steps.push({ step, right: rounded(right, 4), actions: work.actions });
    process.stderr.write(`  ${JSON.stringify(steps.at(-1))}\n`);
    return right;
  };
  await nameAll(caller, truth, spend);
  await told('named');
  for (const { name } of await toConfirm(caller)) await screenful(sight, name, 'confidence');
  await told('the surer half confirmed');
  for (let round = 0; round < ROUNDS; round++) {
    machineS += await job(caller, { kind: 'teach', task: 'class' });
    if ((await told('taught')) >= RIGHT) break;
    for (const { name } of (await toConfirm(caller)).slice(0, CLASSES_A_ROUND)) {
      await screenful(sight, name, 'uncertainty');
      if ((await rightOf(caller, truth)) >= RIGHT * truth.size) reached ??= { ...work };
    }
    if ((await told('the least sure confirmed')) >= RIGHT) break;
  }
  const right = (await labelRest(caller, truth, spend)) / truth.size;
  const counted = ({ actions, seconds }: typeof work) => ({
    actions,
    actionsShare: rounded(actions / truth.size, 3),
    personSeconds: Math.round(seconds),
    itemsAnHour: Math.round((3600 * truth.size) / seconds),
  });
  return {
    images: truth.size,
    steps,
    right: rounded(right, 4),
    toTheScreenful: counted(reached ?? work),
    byWholeRounds: counted(work),
    machineSeconds: Math.round(machineS),
    oneAtATime: { actions: truth.size, itemsAnHour: 3600 / SINGLE_S },
  };
}

interface Sight {
  readonly caller: Caller;
  readonly truth: ReadonlyMap<string, string>;
  readonly spend: Spend;
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
    await json('/corpus', { kind: 'call', from: name, to });
  }
}

interface ClassCounts {
  readonly task: string;
  readonly count: number;
  readonly meanConfidence: number;
  readonly origins: Readonly<Record<string, number | undefined>>;
}

/** As the page Confirm lists them: those first in which most is likely to be wrong. */
async function toConfirm({ json }: Caller): Promise<{ name: string; wrong: number }[]> {
  const { classes } = await json<{ classes: { name: string; counts: ClassCounts[] }[] }>('/classes');
  return classes
    .flatMap(({ name, counts }) => {
      const own = counts.find(({ task }) => task === 'class');
      const left = MACHINES.reduce((sum, origin) => sum + (own?.origins[origin] ?? 0), 0);
      return own && left > 0 ? [{ name, wrong: own.count * (1 - own.meanConfidence) }] : [];
    })
    .sort((a, b) => b.wrong - a.wrong || (a.name < b.name ? -1 : 1));
}

/** One page of the page Confirm: of a class that is begun with the surer half, else the least sure. */
async function screenful({ caller, truth, spend }: Sight, name: string, order: string): Promise<void> {
  const { json, ids } = caller;
  const all = await ids({ task: 'class', className: name, origins: MACHINES }, order);
  const page = all.slice(0, order === 'confidence' ? Math.min(PAGE, Math.ceil(all.length / 2)) : PAGE);
  if (page.length === 0) return;
  const groups = [...Map.groupBy(page, (id) => truth.get(id) ?? '')].sort((a, b) => b[1].length - a[1].length);
  const own = groups.find(([of]) => of === name)?.[1].length ?? 0;
  const [[main, most]] = groups;
  // A name more, and fewer clicks.
  const as = most.length > own + 1 ? main : name;
  spend(as === name ? 1 : 2, PAGE_S + (as === name ? 0 : NAME_S));
  const proposed = await proposedFor({ caller, as, name, page });
  const exceptions = page.filter((id) => truth.get(id) !== as);
  spend(exceptions.length, CLICK_S * exceptions.length);
  const asProposed = exceptions.filter((id) => proposed.get(id) === truth.get(id));
  const rest = exceptions.filter((id) => asProposed.length < 2 || !asProposed.includes(id));
  if (asProposed.length > 1) {
    spend(1, CLICK_S);
    const each = asProposed.map((id) => ({ ...ref(id), className: truth.get(id) }));
    await json('/labels', { task: 'class', className: each[0]?.className, items: each });
  }
  const not: string[] = [];
  for (const [of, found] of Map.groupBy(rest, (id) => truth.get(id) ?? '')) {
    if (found.length === 1) not.push(...found.filter(() => of !== name));
    else {
      spend(1, NAME_S);
      await json('/labels', { task: 'class', className: of, items: found.map(ref) });
    }
  }
  const items = page.filter((id) => truth.get(id) === as).map(ref);
  await json('/labels/confirm', { task: 'class', className: name, as, items, exceptions: not.map(ref) });
}

interface PageOf {
  readonly caller: Caller;
  readonly as: string;
  readonly name: string;
  readonly page: readonly string[];
}

/** What stands under each as what it may be instead: neither the page's class nor what the page is confirmed as. */
async function proposedFor({ caller: { json }, as, name, page }: PageOf): Promise<Map<string, string | undefined>> {
  const asked = { task: 'class', className: name, items: page.map(ref) };
  const { items } = await json<{ items: { itemId: string; classes: { className: string }[] }[] }>(
    '/items/alternatives',
    asked,
  );
  return new Map(
    items.map(({ itemId, classes }) => [itemId, classes.find(({ className }) => className !== as)?.className]),
  );
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
