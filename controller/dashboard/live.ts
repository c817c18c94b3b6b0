/**
 * All that the page knows of the controller, kept up to date by one stream of server-sent events. The
 * stream goes on after the last event that was seen; where it is gone, what is shown is marked as old.
 * A page in the background gives its connection back, since a browser has few for one host.
 */
import { computed, effect, signal } from '@preact/signals';
import type { MeshGraphView } from '../api/mesh-view.ts';
import type { ProxyView } from '../api/proxy-view.ts';
import type { RolloutView } from '../api/rollout-view.ts';
import type { StatusView } from '../api/view.ts';
import { getJson, loadSession, session } from './api.ts';

/** `stale`: the stream is gone, and what is shown may be old. */
export const connection = signal<'connecting' | 'live' | 'stale'>('connecting');
/** When the last event came, milliseconds since 1970. */
export const heardAtMs = signal(Date.now());
export const status = signal<StatusView | undefined>(undefined);
/** By id. Undefined until the list has come. */
export const rolloutsById = signal<ReadonlyMap<string, RolloutView> | undefined>(undefined);
export const proxiesById = signal<ReadonlyMap<string, ProxyView> | undefined>(undefined);
export const graph = signal<MeshGraphView | null | undefined>(undefined);
/** The mesh whose graph is looked at. */
export const watchedMesh = signal<string | undefined>(undefined);
/** Rises with every event: what is not in the stream is asked for again when it does. */
export const news = signal(0);
/** The time, once a second: for ages and countdowns. */
export const nowMs = signal(Date.now());

/** Newest first, as the API lists them. */
export const rollouts = computed(() =>
  [...(rolloutsById.value?.values() ?? [])].sort(
    (left, right) =>
      right.startedAt.localeCompare(left.startedAt) || numberOf(right) - numberOf(left),
  ),
);

/** Rollouts that have not ended, each as it was last told of: the status tells only which there are. */
export const running = computed(() =>
  (status.value?.rollouts ?? []).map((view) => rolloutsById.value?.get(view.id) ?? view),
);

/** What a person must decide: rollouts that wait, and changes that are held. */
export const waiting = computed(() =>
  running.value.filter(({ phase }) => phase === 'WaitingForApproval' || phase === 'Paused'),
);
export const waitingCount = computed(() => waiting.value.length + (status.value?.held.length ?? 0));

/** The held change that a resource is part of; undefined where it is part of none. */
export function heldChangeOf(resource: {
  readonly mesh: string;
  readonly kind: string;
  readonly name: string;
}): StatusView['held'][number] | undefined {
  const { mesh, kind, name } = resource;
  return status.value?.held.find(
    (held) =>
      held.mesh === mesh &&
      rolloutsById.value
        ?.get(held.rollout)
        ?.changes.some((change) => change.kind === kind && change.name === name),
  );
}

function numberOf({ id }: RolloutView): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}

/** How long a page in the background keeps its stream. */
const hiddenMs = 60_000;

/** Retries after a connection that was refused for good, which a browser does not do by itself. */
const retryMs = 2000;

let source: EventSource | undefined;
let lastEventId = '';
let hideTimer: ReturnType<typeof setTimeout> | undefined;
let retryTimer: ReturnType<typeof setTimeout> | undefined;

export function startLive(): void {
  setInterval(() => {
    nowMs.value = Date.now();
  }, 1000);
  const isSignedIn = computed(() => session.value?.role !== undefined);
  effect(() => {
    const mesh = watchedMesh.value;
    close();
    if (isSignedIn.value) {
      open(mesh);
    }
  });
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hideTimer);
    if (document.hidden) {
      hideTimer = setTimeout(close, hiddenMs);
    } else if (source === undefined && session.value?.role !== undefined) {
      open(watchedMesh.peek());
    }
  });
}

function close(): void {
  clearTimeout(retryTimer);
  source?.close();
  source = undefined;
}

function open(mesh: string | undefined): void {
  // A page that becomes visible comes before the retry that it no longer needs.
  close();
  const query = new URLSearchParams();
  if (lastEventId !== '') {
    query.set('lastEventId', lastEventId);
  }
  if (mesh !== undefined) {
    query.set('mesh', mesh);
  }
  const opened = new EventSource(`/api/v1/events?${query}`);
  source = opened;
  opened.addEventListener('open', () => {
    connection.value = 'live';
    heardAtMs.value = Date.now();
    void loadLists();
  });
  opened.addEventListener('error', () => {
    if (source !== opened) {
      return;
    }
    connection.value = 'stale';
    if (opened.readyState === EventSource.CLOSED) {
      close();
      retryTimer = setTimeout(() => open(watchedMesh.peek()), retryMs);
      // Perhaps the session has ended, and the sign-in is what to show.
      void loadSession().catch(() => undefined);
    }
  });
  listen<StatusView>(opened, 'status', (view) => {
    status.value = view;
    if (rolloutsById.value !== undefined) {
      rolloutsById.value = merged(rolloutsById.value, view.rollouts);
    }
  });
  listen<RolloutView>(opened, 'rollout', (view) => {
    rolloutsById.value = merged(rolloutsById.value ?? new Map(), [view]);
  });
  listen<ProxyView>(opened, 'proxy', (view) => {
    proxiesById.value = merged(proxiesById.value ?? new Map(), [view]);
  });
  listen<{ id: string }>(opened, 'proxyGone', ({ id }) => {
    const left = new Map(proxiesById.value);
    left.delete(id);
    proxiesById.value = left;
  });
  listen<MeshGraphView | null>(opened, 'mesh', (view) => {
    graph.value = view;
  });
}

function listen<T>(from: EventSource, type: string, take: (view: T) => void): void {
  from.addEventListener(type, (event) => {
    lastEventId = event.lastEventId || lastEventId;
    heardAtMs.value = Date.now();
    take(JSON.parse(event.data) as T);
    if (type !== 'mesh') {
      news.value += 1;
    }
  });
}

/** Ended rollouts and proxies are not in the status that a stream begins with. */
async function loadLists(): Promise<void> {
  try {
    const [allRollouts, allProxies] = await Promise.all([
      getJson<readonly RolloutView[]>('/api/v1/rollouts'),
      getJson<readonly ProxyView[]>('/api/v1/proxies'),
    ]);
    rolloutsById.value = merged(new Map(), allRollouts);
    proxiesById.value = merged(new Map(), allProxies);
  } catch {
    // The stream says that the controller is gone, and comes back to this when it has come back.
  }
}

function merged<T extends { readonly id: string }>(
  known: ReadonlyMap<string, T>,
  views: readonly T[],
): ReadonlyMap<string, T> {
  return new Map([...known, ...views.map((view) => [view.id, view] as const)]);
}
