/** `1 file`, `2 files`; `many` where the plural is no `s`: `plural(2, 'proxy', 'proxies')`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
