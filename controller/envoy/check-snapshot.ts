/**
 * The last look at a snapshot before it is served: every resource that another one names is there. A
 * route without its cluster is answered 503, a listener without its routes 404. Secrets are the
 * operator's to bring: what names one that is not there yet waits for it (`secrets.ts`).
 */
import { type ResourceReference, resourceTypes, type Snapshot } from './snapshot.js';

/** One sentence for each dangling reference, in a fixed order; empty where there is none. */
export function checkSnapshot(snapshot: Snapshot): readonly string[] {
  return resourceTypes.flatMap((type) =>
    [...snapshot[type].byName.values()].flatMap(({ name, references }) =>
      references
        .filter((reference) => isDangling(snapshot, reference))
        .map(
          (missing) => `${type} ${name} names ${missing.type} ${missing.name}, which is missing`,
        ),
    ),
  );
}

function isDangling(snapshot: Snapshot, { type, name }: ResourceReference): boolean {
  return type !== 'secret' && !snapshot[type].byName.has(name);
}
