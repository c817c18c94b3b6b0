/**
 * The routes behind the dashboard's pages: a mesh as a graph, a resource with its words in Git, the curves
 * of a rollout, what a revision changed, what a proxy was sent. Whoever may read may read them.
 */
import type { Express, Request } from 'express';
import { OpError } from '../base/op-error.js';
import { onlyRepository, type Revision } from '../base/revision.js';
import type { ProxyResource, Store } from '../loop/ports.js';
import type { ResourceKind } from '../mesh/model.js';
import type { Origin } from '../mesh/origins.js';
import { viewRevision } from './history-view.js';
import { viewMesh } from './mesh-view.js';
import { viewProxyConfig } from './proxy-config-view.js';
import { get, shown } from './request.js';
import { viewResource } from './resource-view.js';
import { diffFiles, type RevisionDiffView, viewRevisionChanges } from './revision-view.js';
import type { RolloutHistory } from './rollout-history.js';
import { HttpError } from './safety.js';
import type { Moment } from './view.js';

export interface BrowseOptions {
  readonly moment: () => Moment;
  readonly history: Store['history'];
  readonly rolloutHistory: RolloutHistory;
  /** What the proxy of that id was sent; undefined where it is not connected. */
  readonly proxyResources: (id: string) => readonly ProxyResource[] | undefined;
  readonly revisions: RevisionFiles;
}

/** Files of revisions, as far as they are at hand. */
export interface RevisionFiles {
  newest(id: string, repository: string): Revision | undefined;
  find(id: string, repository: string): Promise<Revision | undefined>;
}

const kinds: readonly ResourceKind[] = [
  'Mesh',
  'VirtualNode',
  'VirtualService',
  'VirtualRouter',
  'VirtualGateway',
  'GatewayRoute',
  'RolloutPolicy',
];

/** Revisions that are looked through for one that is asked for by its id. */
const revisionsSearched = 500;

export function addBrowseRoutes(app: Express, options: BrowseOptions): void {
  const { moment, rolloutHistory } = options;
  get(app, '/api/v1/meshes/:mesh', (request, response) => {
    const view = viewMesh(String(request.params.mesh), moment());
    response.json(view ?? missing('mesh', request.params.mesh));
  });
  get(app, '/api/v1/meshes/:mesh/:kind/:name', (request, response) => {
    response.json(findResourceView(request, options));
  });
  get(app, '/api/v1/rollouts/:id/history', (request, response) => {
    const id = String(request.params.id);
    const isKnown = moment().state.durable.rollouts.has(id);
    response.json(isKnown ? rolloutHistory.view(id) : missing('rollout', id));
  });
  get(app, '/api/v1/proxies/:id/config', (request, response) => {
    const resources = options.proxyResources(String(request.params.id));
    response.json(resources ? viewProxyConfig(resources) : missing('proxy', request.params.id));
  });
  get(app, '/api/v1/revisions/:id/diff', async (request, response) => {
    response.json(await revisionDiff(String(request.params.id), options));
  });
}

function missing(what: string, name: unknown): never {
  throw new HttpError(404, `unknown-${what}`, `there is no ${what} ${shown(name)}`);
}

function findResourceView(request: Request, { moment, revisions }: BrowseOptions) {
  const { mesh, kind, name } = request.params;
  const known = kinds.find((one) => one === kind);
  const { state, proxies } = moment();
  const textOf = ({ file: path, repository = onlyRepository }: Origin, commit: string) => {
    const files = revisions.newest(commit, repository)?.files ?? [];
    const file = files.find((one) => one.path === path);
    return file && Buffer.from(file.bytes).toString('utf8');
  };
  const ref = known && { mesh: String(mesh), kind: known, name: String(name) };
  return (ref && viewResource(ref, { state, proxies, textOf })) ?? missing('resource', name);
}

async function revisionDiff(
  id: string,
  { moment, history, revisions }: BrowseOptions,
): Promise<RevisionDiffView> {
  const entries = (await history({ kind: 'revision', limit: revisionsSearched })).map(viewRevision);
  const index = entries.findIndex((entry) => entry.id === id);
  const revision = entries[index] ?? missing('revision', id);
  // A branch may be set back, so the same commit can come twice in a row of others.
  const { repository = onlyRepository } = revision;
  const previous =
    entries
      .slice(index + 1)
      .find((entry) => entry.id !== id && entry.repository === revision.repository)?.id ?? null;
  const isFirst = previous === null && entries.length < revisionsSearched;
  const [before, after] = await Promise.all([
    previous === null ? undefined : findFiles(previous, repository, revisions),
    findFiles(id, repository, revisions),
  ]);
  const isKnown = after !== undefined && (isFirst || before !== undefined);
  return {
    revision,
    previous,
    changes: viewRevisionChanges(moment().state, id),
    files: isKnown ? diffFiles(before, after) : null,
  };
}

/** A Git server that does not answer, or has forgotten the commit, leaves only the words out. */
async function findFiles(
  id: string,
  repository: string,
  revisions: RevisionFiles,
): Promise<Revision | undefined> {
  try {
    return await revisions.find(id, repository);
  } catch (error) {
    if (error instanceof OpError) {
      return undefined;
    }
    throw error;
  }
}
