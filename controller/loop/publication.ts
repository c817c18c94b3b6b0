/**
 * From the state to what each proxy is served. Lazy: a snapshot is made when a proxy asks for it. Cheap:
 * proxies in the same position of every rollout share one effective mesh, and an effective mesh whose
 * positions did not change is the very object of the publication before, so nothing is made anew. One
 * that is new is a patch of one that is known (`roots.ts`), and made anew is what the patch concerns.
 */
import { forgetOldest } from '../base/forget-oldest.js';
import { shortHash } from '../base/hash.js';
import { memo } from '../base/memo.js';
import { checkSnapshot } from '../envoy/check-snapshot.js';
import { missingSecrets, type Secrets, withSecrets } from '../envoy/secrets.js';
import type { ProxyIdentity, Snapshot } from '../envoy/snapshot.js';
import { snapshotIn } from '../envoy/translate.js';
import type { Mesh } from '../mesh/model.js';
import type { PatchedMesh } from '../mesh/patched-mesh.js';
import { envelopeProblems } from '../rollout/envelope.js';
import { effectiveChanges, positionOf } from '../rollout/mix.js';
import { type Announced, servedKey } from './announced.js';
import type { Logger, Publication } from './ports.js';
import { Roots } from './roots.js';
import { runningRollouts } from './running.js';
import { SaidLately } from './said-lately.js';
import type { LoopState, MeshState } from './state.js';

const endpointsKey = memo((announced: Announced) => shortHash(servedKey(announced)));

/** Effective meshes by applied mesh, and by announced endpoints and the positions of its rollouts. */
type MeshCache = Map<Mesh, Map<string, PatchedMesh>>;

/** More proxies than one replica has. They choose the addresses that tell them apart, so there must be an end. */
const lastGoodMax = 10_000;

/** Proxies choose their ids and the secrets that they name are many; who is forgotten is spoken of again. */
const spokenOfMax = 10_000;

interface Caches {
  readonly current: MeshCache;
  readonly previous: MeshCache;
}

export class PublicationFactory {
  private cache: MeshCache = new Map();
  private readonly roots = new Roots();
  /**
   * The newest consistent snapshot by node id and listener addresses: what a bug of ours falls back to.
   * Those that changed last, at most `lastGoodMax`.
   */
  private readonly lastGood = new Map<string, Snapshot>();
  /** Secrets that a node waits for. */
  private readonly missing = new SaidLately(spokenOfMax);
  /** Effective meshes that must not be served. */
  private readonly broken = new WeakSet<PatchedMesh>();

  /** `mix` says what is served of what is on its way. */
  constructor(
    private readonly logger: Logger,
    private readonly mix = effectiveChanges,
  ) {}

  /** The publication of `state`; call it once for each new generation. */
  create(state: LoopState): Publication {
    const caches = { current: new Map(), previous: this.cache };
    this.cache = caches.current;
    this.roots.begin();
    return {
      generation: state.generation,
      snapshotFor: (proxy) => {
        const name = proxy.resource?.mesh;
        const mesh = name === undefined ? undefined : state.durable.meshes.get(name);
        if (name === undefined || mesh === undefined) {
          return undefined;
        }
        const effective = this.effective(state, mesh, proxy, caches);
        const made = this.broken.has(effective) ? 'broken' : snapshotIn(effective, proxy);
        const snapshot = this.checked(proxy, made);
        return snapshot && this.complete(proxy, snapshot, state.secrets);
      },
    };
  }

  private effective(
    { durable }: LoopState,
    { applied }: MeshState,
    proxy: ProxyIdentity,
    { current, previous }: Caches,
  ): PatchedMesh {
    const rollouts = runningRollouts(durable, applied.name);
    const positions = rollouts.map((rollout) => [rollout.id, positionOf(rollout, proxy.instance)]);
    const key = JSON.stringify([endpointsKey(durable.announced), positions]);
    const known = current.get(applied)?.get(key) ?? previous.get(applied)?.get(key);
    const changes = known === undefined ? this.mix(rollouts, proxy.instance) : [];
    const mesh = known ?? this.roots.patch(applied, durable.announced, changes);
    const problems = envelopeProblems(rollouts, changes);
    if (problems.length > 0) {
      // Weights that no rollout asks for are not served: their proxies keep what they had.
      this.broken.add(mesh);
      this.logger.error('invariant.violated', { invariant: 'H1', message: problems.join('; ') });
    }
    const byKey = current.get(applied) ?? new Map<string, PatchedMesh>();
    current.set(applied, byKey.set(key, mesh));
    return mesh;
  }

  /** With the secrets that it names. A proxy that waits for one is spoken of once. */
  private complete({ nodeId }: ProxyIdentity, snapshot: Snapshot, secrets: Secrets): Snapshot {
    const whole = withSecrets(snapshot, secrets);
    for (const { name, use } of missingSecrets(whole)) {
      if (this.missing.isNew(JSON.stringify([nodeId, use, name]))) {
        this.logger.warn('certificates.missing', { node: nodeId, name, use });
      }
    }
    return whole;
  }

  /**
   * No snapshot with a dangling reference leaves the process: Envoy would answer 503 for it. That one
   * could be made is a bug of ours, so the proxy keeps what it had and the log says so.
   */
  private checked(
    proxy: ProxyIdentity,
    snapshot: Snapshot | 'broken' | undefined,
  ): Snapshot | undefined {
    const key = JSON.stringify([proxy.nodeId, proxy.ingress, proxy.egress, proxy.kind]);
    if (snapshot === 'broken') {
      return this.lastGood.get(key);
    }
    if (snapshot === undefined || snapshot === this.lastGood.get(key)) {
      return snapshot;
    }
    const dangling = checkSnapshot(snapshot);
    if (dangling.length > 0) {
      this.logger.error('snapshot.inconsistent', { node: proxy.nodeId, dangling });
      return this.lastGood.get(key);
    }
    this.lastGood.delete(key);
    this.lastGood.set(key, snapshot);
    forgetOldest(this.lastGood, lastGoodMax);
    return snapshot;
  }
}
