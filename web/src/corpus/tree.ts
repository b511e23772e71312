/** Classes with what stands below each, in order of name. */
export interface TreeClass {
  readonly name: string;
  readonly parent: string | null;
}

export function rowsOf<T extends TreeClass>(nodes: readonly T[]): { readonly node: T; readonly depth: number }[] {
  const below = Map.groupBy(nodes, ({ parent }) => parent);
  const rows: { node: T; depth: number }[] = [];
  const seen = new Set<string>();
  const visit = (parent: string | null, depth: number) => {
    for (const node of (below.get(parent) ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (seen.has(node.name)) continue;
      seen.add(node.name);
      rows.push({ node, depth });
      visit(node.name, depth + 1);
    }
  };
  visit(null, 0);
  return rows;
}
