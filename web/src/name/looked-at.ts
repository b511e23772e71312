/**
 * By what a cluster is known on the page where they are looked at: by what stands for it, and not by its name alone, since numbers of
 * clusters that have no name are given again to others when clusters are made anew.
 */
import type { Cluster } from '../api/client.ts';

export function keyOfCluster({ name, exemplars }: Pick<Cluster, 'name' | 'exemplars'>): string {
  return [name, ...exemplars].join('\n');
}
