/** A running controller, asked over its API: ready, in touch with Git, and what its Envoys say. */
import type { ProxyView } from '../api/proxy-view.js';
import type { StatusView } from '../api/view.js';
import { clockCheck } from './machine.js';
import { attempt, type Check, failure, ok, warning } from './result.js';

/** What the API answered, and when. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The header; null: it has none. */
  readonly date: string | null;
}

/** Asks the controller; throws where it does not answer. */
export type Ask = (path: string) => Promise<Answer>;

/** The line of Envoy that everything is tested with. */
const testedEnvoy = '1.40';

/** `server` is its address, for people. */
export async function controllerChecks(server: string, ask: Ask): Promise<readonly Check[]> {
  const fromMs = Date.now();
  const reached = await attempt(
    'controller',
    'Is `headgate serve` running? Name it with --server; before set-up, use --pre.',
    async () => {
      await ask('/livez');
      return ok('controller', server);
    },
  );
  if (reached.result !== 'ok') {
    return [reached];
  }
  const live = await ask('/livez');
  const period = { fromMs, toMs: Date.now() };
  const hint = 'Give a token in HEADGATE_TOKEN_FILE; `headgate token` makes one.';
  const status = await attempt('status', hint, async () => {
    const view = readJson<StatusView>(await ask('/api/v1/status'));
    return { ...ok('status', ''), view } as Check & { readonly view: StatusView };
  });
  return [
    reached,
    await readyCheck(ask),
    clockCheck('the controller', live.date, period),
    ...('view' in status ? statusChecks(status.view as StatusView) : [status]),
    ...(await attemptProxies(ask, hint)),
  ];
}

async function readyCheck(ask: Ask): Promise<Check> {
  const { status, text } = await ask('/readyz?verbose');
  const failed = [...text.matchAll(/^\[-\](\w+)/gm)].map(([, name]) => name);
  return status === 200
    ? ok('ready', 'every check of readiness passes')
    : failure('ready', failed.join(', '), 'See docs/operations/runbooks.md#headgatenotready.');
}

function statusChecks({ source, revision, meshes, held }: StatusView): readonly Check[] {
  const { state, error } = source;
  const git =
    error === undefined
      ? ok('Git', state === 'ok' ? `answers, last at ${source.lastSuccessAt}` : state)
      : failure(
          'Git',
          `${error.message} (${error.code})`,
          'What was served stays served; see docs/git.md.',
        );
  const commit =
    revision.error === undefined
      ? ok('newest commit', revision.attempted?.slice(0, 12) ?? 'none yet')
      : failure('newest commit', revision.error, 'Correct or revert it; nothing of it is applied.');
  const behind = meshes.filter(({ sync }) => sync === 'held' || sync === 'pending');
  const sync =
    behind.length === 0
      ? ok('meshes', meshes.map(({ name, sync: how }) => `${name} ${how}`).join(', ') || 'none yet')
      : warning(
          'meshes',
          behind.map(({ name, sync: how }) => `${name} ${how}`).join(', '),
          `${held.length} changes are held: \`headgate status\` says why.`,
        );
  return [git, commit, sync];
}

async function attemptProxies(ask: Ask, hint: string): Promise<readonly Check[]> {
  let proxies: readonly ProxyView[] = [];
  const asked = await attempt('proxies', hint, async () => {
    proxies = readJson<readonly ProxyView[]>(await ask('/api/v1/proxies'));
    return ok('proxies', `${proxies.length} connected`);
  });
  if (asked.result !== 'ok') {
    return [asked];
  }
  const inState = (state: string) => proxies.filter((proxy) => proxy.state === state);
  const rejected = inState('rejected');
  const stale = inState('stale');
  const states =
    rejected.length > 0
      ? failure(
          'proxies',
          `${rejected.length} of ${proxies.length} refuse something: ${namesOf(rejected)}`,
          'headgate proxies ID --diff',
        )
      : stale.length > 0
        ? warning(
            'proxies',
            `${stale.length} of ${proxies.length} are behind: ${namesOf(stale)}`,
            'headgate proxies ID',
          )
        : asked;
  return [states, versionsCheck(proxies)];
}

function versionsCheck(proxies: readonly ProxyView[]): Check {
  const versions = new Map<string, number>();
  for (const { userAgent } of proxies) {
    versions.set(userAgent || 'unknown', (versions.get(userAgent || 'unknown') ?? 0) + 1);
  }
  const text = [...versions].map(([version, count]) => `${version} (${count})`).join(', ');
  const others = [...versions.keys()].filter(
    (version) => version.startsWith('envoy ') && !version.startsWith(`envoy ${testedEnvoy}.`),
  );
  return others.length === 0
    ? ok('versions', text || 'no proxy is connected')
    : warning(
        'versions',
        text,
        `Headgate is tested with Envoy ${testedEnvoy}; others work as far as they take what they are sent.`,
      );
}

function namesOf(proxies: readonly ProxyView[]): string {
  const shown = proxies.slice(0, 3).map(({ id, node }) => `${id} of ${node}`);
  return [...shown, ...(proxies.length > 3 ? ['…'] : [])].join(', ');
}

function readJson<T>({ status, text }: Answer): T {
  const body: unknown = JSON.parse(text);
  if (status !== 200) {
    const { error } = body as { error?: { message?: string } };
    throw new Error(error?.message ?? `the controller answered ${status}`);
  }
  return body as T;
}
