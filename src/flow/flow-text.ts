/**
 * The text of `labelsmith.yaml` as data, with the place of each part of it: what is wrong is told by line and column.
 * `${NAME}` in a value is what the environment has under this name (`$${` is a plain `${`), so that addresses with
 * credentials need not stand in the file.
 */
import { basename } from 'node:path';
import { type Document, isMap, isNode, isPair, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { LabelsmithError } from '../errors.ts';

export interface FlowProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

type Path = readonly PropertyKey[];

export class FlowText {
  readonly #file: string;
  readonly #document: Document;
  readonly #lines = new LineCounter();
  readonly #problems: FlowProblem[] = [];

  constructor(text: string, file: string, env: Readonly<Record<string, string | undefined>>) {
    this.#file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
    for (const { pos, message } of this.#document.errors) this.#at(pos[0], plainYaml(message));
    this.refuseProblems();
    this.#fillIn(env);
  }

  /** Plain data. */
  get data(): unknown {
    return this.#document.toJS({ maxAliasCount: 100 }) ?? {};
  }

  /** Notes what is wrong with a part; {@link refuseProblems} tells of all. @param key one of the part's own, to stand at it */
  problem(path: Path, message: string, key?: string): void {
    this.#at(this.#offsetOf(path, key), message);
  }

  /** Fails with all that was noted, in the order of the file. */
  refuseProblems(): void {
    const [first] = this.#problems;
    if (first === undefined) return;
    const problems = this.#problems.sort((a, b) => a.line - b.line || a.column - b.column);
    const shown = problems.map(({ line, column, message }) => `${basename(this.#file)}:${line}:${column}: ${message}`);
    throw new LabelsmithError('USAGE', shown.join('\n'), {
      hint: 'docs/flow.md says what a flow may hold; labelsmith run --schema prints the schema for editors.',
      details: { file: this.#file, problems },
    });
  }

  #at(offset: number, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.#problems.push({ line: Math.max(1, line), column: Math.max(1, col), message });
  }

  /** Of the part itself; where it is missing, of what it is missing in. */
  #offsetOf(path: Path, key?: string): number {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? this.#document.contents : this.#document.getIn(path.slice(0, length), true);
      if (!isNode(node)) continue;
      if (key !== undefined && length === path.length) {
        const keyNode = keyNodeIn(node, key);
        if (keyNode?.range) return keyNode.range[0];
      }
      // A part that is missing or unknown is looked for at the name of what it belongs to.
      const own = length < path.length || isMap(node) ? this.#keyOf(path.slice(0, length)) : undefined;
      const range = (own ?? node).range;
      if (range) return range[0];
    }
    return 0;
  }

  #keyOf(path: Path): Node | undefined {
    const last = path.at(-1);
    const parent = path.length < 2 ? this.#document.contents : this.#document.getIn(path.slice(0, -1), true);
    return typeof last === 'string' && isNode(parent) ? keyNodeIn(parent, last) : undefined;
  }

  #fillIn(env: Readonly<Record<string, string | undefined>>): void {
    visit(this.#document, {
      Scalar: (key, node) => {
        if (key === 'key' || typeof node.value !== 'string') return;
        node.value = node.value.replace(/(\$?)\$\{(\w+)\}/g, (whole, escaped: string, name: string) => {
          if (escaped !== '') return whole.slice(1);
          const value = env[name];
          if (value === undefined) this.#at(node.range?.[0] ?? 0, `the environment has no variable ${name}`);
          return value ?? '';
        });
      },
    });
    this.refuseProblems();
  }
}

function keyNodeIn(node: Node, key: string): Node | undefined {
  if (!isMap(node)) return undefined;
  for (const pair of node.items) {
    if (isPair(pair) && isNode(pair.key) && String(pair.key) === key) return pair.key;
  }
  return undefined;
}

/** A sentence that does not shout, as ours. */
function plainYaml(message: string): string {
  const text = (message.split('\n')[0] ?? '').trim();
  return `this is no YAML: ${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
