/**
 * `headgate explain KIND/NAME`: where a resource of a running controller stands in Git, whether what is served
 * is what Git asks for, and what stands between.
 */
import type { ResourceView } from '../api/resource-view.js';
import type { RolloutView } from '../api/rollout-view.js';
import type { ErrorView, StatusView } from '../api/view.js';
import { nearestName } from '../base/nearest-name.js';
import { printable } from '../base/printable.js';
import { getJson, getText } from './client.js';
import { CliError, type Io, usageExitCode } from './io.js';
import {
  type OutputFormat,
  paintState,
  renderData,
  renderFields,
  renderTable,
  showCommit,
  showPercent,
} from './print.js';

interface ResourceName {
  /** Undefined: it is looked for in every mesh. */
  readonly mesh?: string;
  readonly kind: string;
  readonly name: string;
}

/** `what` is `KIND/NAME` or `MESH/KIND/NAME`; kinds are found whatever their case. */
export async function explainResource(
  what: string,
  { server, output }: { readonly server: string; readonly output: OutputFormat },
  io: Io,
): Promise<string> {
  const wanted = await readName(what);
  const status = await getJson<StatusView>(server, '/api/v1/status');
  const resource = await findResource(server, wanted, status);
  if (output !== 'table') {
    return renderData(resource, output);
  }
  const rollouts = await Promise.all(
    resource.rollouts.map((id) =>
      getJson<RolloutView>(server, `/api/v1/rollouts/${encodeURIComponent(id)}`),
    ),
  );
  return render(resource, { rollouts, status }, io);
}

async function readName(what: string): Promise<ResourceName> {
  const { knownKinds } = await import('../decode/validate.js');
  const parts = what.split('/');
  const [mesh, word = '', name = ''] = parts.length === 2 ? [undefined, ...parts] : parts;
  const kind = knownKinds.find((one) => one.toLowerCase() === word.toLowerCase());
  if (parts.length > 3 || name === '' || mesh === '') {
    throw new CliError(`${what} is not of the form KIND/NAME or MESH/KIND/NAME`, usageExitCode);
  }
  if (kind === undefined) {
    const nearest = nearestName(word, knownKinds);
    const hint = nearest ? `did you mean ${nearest}?` : `known are ${knownKinds.join(', ')}`;
    throw new CliError(`${word || 'nothing'} is no kind; ${hint}`, usageExitCode);
  }
  return { mesh, kind, name };
}

async function findResource(
  server: string,
  { mesh, kind, name }: ResourceName,
  status: StatusView,
): Promise<ResourceView> {
  const meshes = mesh === undefined ? status.meshes.map((one) => one.name) : [mesh];
  const found: ResourceView[] = [];
  for (const one of meshes) {
    const path = ['api/v1/meshes', one, kind, name].map(encodePart).join('/');
    const answer = await getText(server, `/${path}`);
    if (answer.status === 200) {
      found.push(JSON.parse(answer.text) as ResourceView);
    } else if (answer.status !== 404) {
      throw new CliError(refusalOf(answer));
    }
  }
  const [first, second] = found;
  if (first === undefined) {
    const where = mesh === undefined ? 'any mesh' : `mesh ${mesh}`;
    throw new CliError(
      `there is no ${kind} ${name} in ${where}${await hint(server, kind, name, meshes)}`,
    );
  }
  if (second !== undefined) {
    const names = found.map((one) => `${one.mesh}/${kind}/${name}`).join(', ');
    throw new CliError(`several meshes have ${kind}/${name}; say which: ${names}`, usageExitCode);
  }
  return first;
}

/** The path's beginning is as it is; what a person named may hold anything. */
function encodePart(part: string, index: number): string {
  return index === 0 ? part : encodeURIComponent(part);
}

function refusalOf({ status, text }: { readonly status: number; readonly text: string }): string {
  try {
    return printable((JSON.parse(text) as ErrorView).error.message);
  } catch {
    return `the controller answered ${status}`;
  }
}

/** Names of the mesh's graph that are near; policies and the mesh itself are not in it. */
async function hint(
  server: string,
  kind: string,
  name: string,
  meshes: readonly string[],
): Promise<string> {
  const names: string[] = [];
  for (const mesh of meshes) {
    const answer = await getText(server, `/api/v1/meshes/${encodeURIComponent(mesh)}`);
    const { vertices = [] } = (answer.status === 200 ? JSON.parse(answer.text) : {}) as {
      readonly vertices?: readonly { readonly id: string }[];
    };
    for (const { id } of vertices) {
      const [, ofKind, ...rest] = id.split('/');
      if (ofKind === kind) {
        names.push(rest.join('/'));
      }
    }
  }
  const nearest = nearestName(name, names);
  return nearest === undefined ? '' : `; did you mean ${kind}/${nearest}?`;
}

const syncMeaning: Readonly<Record<ResourceView['sync'], string>> = {
  synced: 'what is served is what Git asks for',
  new: 'Git asks for it, and it is not served in full yet',
  changed: 'Git asks for a change that is not served in full yet',
  removed: 'Git no longer has it, and it is not removed in full yet',
};

interface Around {
  readonly rollouts: readonly RolloutView[];
  readonly status: StatusView;
}

function render(resource: ResourceView, { rollouts, status }: Around, io: Io): string {
  const { mesh, kind, name, sync, source, fields } = resource;
  const sections = [
    renderFields([
      [kind, name],
      ['Mesh', mesh],
      ['Source', sourceText(source)],
      ['Commit', commitText(source, status)],
      ['State', { ...paintState(sync, io.outStyle), text: `${sync}: ${syncMeaning[sync]}` }],
      ['Uses', resource.references.join(', ') || '-'],
      ['Used by', resource.referencedBy.join(', ') || '-'],
    ]),
    ...tableOf(
      ['field', 'applied', 'in git'],
      fields.map(({ path, before, after }) => [path, valueText(before), valueText(after)]),
    ),
    ...tableOf(
      ['rollout', 'phase', 'step', 'waits for'],
      rollouts.map((one) => [
        one.id,
        paintState(one.phase, io.outStyle),
        `${one.step.index}/${one.step.count}`,
        one.waitsFor ?? '-',
      ]),
    ),
    ...tableOf(
      ['target', 'route', 'applied', 'desired', 'served', 'measured'],
      targets(resource, rollouts),
    ),
    ...tableOf(
      ['proxy', 'address', 'state'],
      resource.proxies.map((proxy) => [
        proxy.id,
        proxy.address,
        paintState(proxy.state, io.outStyle),
      ]),
    ),
  ];
  return sections.join('\n');
}

function tableOf(headers: readonly string[], rows: Parameters<typeof renderTable>[1]) {
  return rows.length === 0 ? [] : [renderTable(headers, rows)];
}

/** Weights of the router's own routes, where a rollout moves them. */
function targets({ kind, name }: ResourceView, rollouts: readonly RolloutView[]) {
  return rollouts
    .flatMap((rollout) => rollout.targets)
    .filter((target) => kind === 'VirtualRouter' && target.router === name)
    .map((target) => [
      `${target.virtualNode}:${target.port}`,
      target.route,
      ...[target.applied, target.desired, target.served, target.actual].map(showPercent),
    ]);
}

function sourceText(source: ResourceView['source']): string {
  if (source === null) {
    return 'unknown: in no file of the newest commit, or no commit was read since the start';
  }
  const { repository, file, line } = source;
  return `${repository === undefined ? '' : `${repository}: `}${file}:${line}`;
}

function commitText(source: ResourceView['source'], { commits }: StatusView): string {
  const commit = source?.commit ?? '';
  const known = commits[commit];
  return known === undefined
    ? showCommit(commit)
    : `${showCommit(commit)} ${known.title} (${known.author})`;
}

function valueText(value: unknown): string {
  return value === undefined ? '-' : JSON.stringify(value);
}
