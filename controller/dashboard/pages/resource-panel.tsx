/** One resource beside the graph: its words in Git, what is not applied yet, its neighbours, its proxies. */
import type { ResourceView } from '../../api/resource-view.ts';
import { shortId } from '../format.ts';
import { heldChangeOf } from '../live.ts';
import { Badge, StateBadge } from '../parts/badge.tsx';
import { Failure, Section } from '../parts/basics.tsx';
import { Code } from '../parts/code.tsx';
import { useJson } from '../parts/load.ts';
import { pathOf } from '../router.ts';

export function ResourcePanel({ mesh, kind, name }: { mesh: string; kind: string; name: string }) {
  const path = `/api/v1/meshes${pathOf(mesh, kind, name)}`;
  const { value, error } = useJson<ResourceView>(path, { isLive: true });
  return (
    <Section
      title={`${kind} ${name}`}
      class="panel"
      aside={
        <a class="close" href={pathOf('mesh', mesh)} aria-label="Close">
          ✕
        </a>
      }
    >
      {error !== undefined && <Failure message={error} />}
      {value !== undefined && <Details resource={value} />}
    </Section>
  );
}

function Details({ resource }: { resource: ResourceView }) {
  const { source, sync, rollouts, fields, proxies } = resource;
  const held = heldChangeOf(resource);
  return (
    <>
      <p class="line">
        <Badge tone={sync === 'synced' ? 'good' : held === undefined ? 'busy' : 'bad'}>
          {sync === 'synced'
            ? 'served as in Git'
            : `${sync}, ${held === undefined ? 'not applied yet' : 'held'}`}
        </Badge>
        {held !== undefined && (
          <a href={pathOf('rollouts', held.rollout)}>taken back: {held.rollout}</a>
        )}
        {rollouts.map((id) => (
          <a key={id} href={pathOf('rollouts', id)}>
            rollout {id}
          </a>
        ))}
      </p>
      {fields.length > 0 && (
        <ul class="plain-list fields">
          {fields.map(({ path, before, after }) => (
            <li key={path}>
              <span class="mono">{path}</span>
              <br />
              {before === undefined ? 'nothing' : <del>{valueText(before)}</del>} →{' '}
              {after === undefined ? 'nothing' : <ins>{valueText(after)}</ins>}
            </li>
          ))}
        </ul>
      )}
      {source === null ? (
        <p class="muted">It stands in no file of the newest commit.</p>
      ) : (
        <>
          <p class="line">
            <span class="mono place">
              {source.file}:{source.line}
              {source.repository !== undefined && ` in ${source.repository}`}
            </span>
            <span class="muted">
              at <a href={pathOf('changes', source.commit)}>{shortId(source.commit)}</a>
            </span>
          </p>
          {source.yaml !== null && <Code label="YAML" text={source.yaml} />}
        </>
      )}
      {proxies.length > 0 && (
        <>
          <h3>Proxies</h3>
          <ul class="plain-list">
            {proxies.map((proxy) => (
              <li key={proxy.id} class="line">
                <StateBadge state={proxy.state} />
                <a href={pathOf('proxies', proxy.id)}>{proxy.id}</a>
                <span class="muted">{proxy.address}</span>
                <a class="spread" href={pathOf('proxies', proxy.id)}>
                  Envoy configuration
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
      <Neighbours title="Leads to" keys={resource.references} />
      <Neighbours title="Referred to by" keys={resource.referencedBy} />
    </>
  );
}

/** `{ virtualNode: web, port: 80 }`, as YAML has it on one line. */
function valueText(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(valueText).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) => `${key}: ${valueText(member)}`);
    return `{ ${members.join(', ')} }`;
  }
  return String(value);
}

function Neighbours({ title, keys }: { title: string; keys: readonly string[] }) {
  if (keys.length === 0) {
    return null;
  }
  return (
    <>
      <h3>{title}</h3>
      <ul class="chips">
        {keys.map((key) => {
          const [mesh = '', kind = '', ...name] = key.split('/');
          return (
            <li key={key}>
              <a href={pathOf('mesh', mesh, kind, name.join('/'))}>
                <span class="muted">{kind}</span> {name.join('/')}
              </a>
            </li>
          );
        })}
      </ul>
    </>
  );
}
