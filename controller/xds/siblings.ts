/**
 * The streams of each proxy, where one has several: a proxy that does not use the aggregated service has
 * a stream for each type. It warms a changed cluster or listener of one stream until it has heard of the
 * endpoints and secrets again, which come on another one (xDS protocol, "Resource warming").
 */
import { SetMap } from '../base/set-map.js';
import type { EncodedResource, ResourceReference, ResourceType } from '../envoy/snapshot.js';
import { isLater } from './make-before-break.js';
import type { StreamState } from './stream-state.js';
import { wants } from './type-state.js';

/** What one response had in it. */
export interface Sent {
  readonly type: ResourceType;
  readonly resources: readonly EncodedResource[];
}

interface Sibling {
  readonly state: StreamState;
}

export class Siblings<Stream extends Sibling> {
  private readonly byInstance = new SetMap<string, Stream>();

  add(instance: string, stream: Stream): void {
    this.byInstance.add(instance, stream);
  }

  remove(instance: string, stream: Stream): void {
    this.byInstance.remove(instance, stream);
  }

  /**
   * `stream` was sent `resources`, which are news to its proxy. Answers the streams that now have something
   * to send: those that serve what is referred to and that `stream` does not ask for, and not what refers to it.
   */
  askForReferred(instance: string, stream: Stream, { type, resources }: Sent): readonly Stream[] {
    const streams = this.byInstance.under(instance);
    if (streams.size <= 1) {
      return [];
    }
    const warmed = resources
      .flatMap(({ references }) => references)
      .filter((each) => isWarmedBy(type, each) && !isRequested(stream, each.type));
    return warmed.length === 0
      ? []
      : [...streams].filter(
          (each) => each !== stream && !isRequested(each, type) && ask(each.state, warmed),
        );
  }
}

function isRequested({ state }: Sibling, type: ResourceType): boolean {
  return state.types.get(type)?.isRequested === true;
}

function isWarmedBy(type: ResourceType, referred: ResourceReference): boolean {
  return isLater(referred.type, type) && referred.type !== 'route';
}

/** True where the stream has something to send for it. */
function ask({ types }: StreamState, warmed: readonly ResourceReference[]): boolean {
  let isAsked = false;
  for (const { type, name } of warmed) {
    const referred = types.get(type);
    if (referred?.isOpen === true && wants(referred, name)) {
      referred.asked.add(name);
      isAsked = true;
    }
  }
  return isAsked;
}
