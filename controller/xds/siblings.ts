/**
 * The streams of each proxy, where one has several: a proxy that does not use the aggregated service has
 * a stream for each type. It warms a changed cluster or listener of one stream until it has heard of the
 * endpoints and secrets again, which come on another one (xDS protocol, "Resource warming").
 */
import type { EncodedResource, ResourceType } from '../envoy/snapshot.js';
import { isLater } from './make-before-break.js';
import type { StreamState } from './stream-state.js';
import { wants } from './type-state.js';

interface Sibling {
  readonly state: StreamState;
}

export class Siblings<Stream extends Sibling> {
  private readonly byInstance = new Map<string, Set<Stream>>();

  add(instance: string, stream: Stream): void {
    const streams = this.byInstance.get(instance) ?? new Set();
    this.byInstance.set(instance, streams.add(stream));
  }

  remove(instance: string, stream: Stream): void {
    const streams = this.byInstance.get(instance);
    streams?.delete(stream);
    if (streams?.size === 0) {
      this.byInstance.delete(instance);
    }
  }

  /**
   * `stream` was sent `resources`, which are news to its proxy. Answers the streams that now have something
   * to send: those that serve what is referred to, and not what refers to it.
   */
  askForReferred(
    instance: string,
    stream: Stream,
    {
      type,
      resources,
    }: { readonly type: ResourceType; readonly resources: readonly EncodedResource[] },
  ): readonly Stream[] {
    const others = [...(this.byInstance.get(instance) ?? [])].filter(
      (each) => each !== stream && each.state.types.get(type)?.isRequested !== true,
    );
    return others.filter(({ state }) => ask(state, type, resources));
  }
}

function ask(
  { types }: StreamState,
  type: ResourceType,
  resources: readonly EncodedResource[],
): boolean {
  let isAsked = false;
  for (const reference of resources.flatMap(({ references }) => references)) {
    const referred = types.get(reference.type);
    const isWarmed = isLater(reference.type, type) && reference.type !== 'route';
    if (isWarmed && referred?.isOpen === true && wants(referred, reference.name)) {
      referred.asked.add(reference.name);
      isAsked = true;
    }
  }
  return isAsked;
}
