/** The comments inside a definition, so that those which find no place in the result can be told of. */
import type { FieldPath } from '../mesh/document.js';
import type { Place, SourceNode } from './source.js';

export interface Comment {
  /** Lines without their `#`. */
  readonly text: string;
  /** Of what it stands at. */
  readonly place: Place;
  readonly path: FieldPath;
}

export function commentsOf(node: SourceNode, path: FieldPath): readonly Comment[] {
  const { place, after } = node;
  const own = after === undefined ? [] : [{ text: after, place, path }];
  const parts =
    node.kind === 'map'
      ? node.entries.map(({ key, before, node: child }) => ({ part: key, before, child }))
      : node.kind === 'list'
        ? node.items.map(({ before, node: child }, part) => ({ part, before, child }))
        : [];
  const below = parts.flatMap(({ part, before, child }) => {
    const at = [...path, part];
    const above = before === undefined ? [] : [{ text: before, place: child.place, path: at }];
    return [...above, ...commentsOf(child, at)];
  });
  return [...own, ...below];
}
