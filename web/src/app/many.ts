/** A number with what it counts: "1 label", "1,200 labels". */
export function many(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString()} ${count === 1 ? one : several}`;
}
