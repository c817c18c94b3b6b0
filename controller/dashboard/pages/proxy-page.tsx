/** One proxy: each type's state and Envoy's own words, and every resource, sent beside running. */
import type { ProxyConfigView, ProxyResourceView } from '../../api/proxy-config-view.ts';
import type { ProxyView } from '../../api/proxy-view.ts';
import { diffLines } from '../../base/line-diff.ts';
import { proxiesById } from '../live.ts';
import { Badge, StateBadge } from '../parts/badge.tsx';
import { Age, Command, Empty, Failure, Section, Wide } from '../parts/basics.tsx';
import { Code, DiffCode } from '../parts/code.tsx';
import { useJson } from '../parts/load.ts';
import { pathOf } from '../router.ts';
import { typeNames, typeWords } from './proxies-page.tsx';

export function ProxyPage({ id }: { id: string }) {
  const proxy = proxiesById.value?.get(id);
  if (proxy === undefined) {
    return (
      <Empty>
        {proxiesById.value === undefined
          ? 'Waiting for the controller…'
          : `${id} is not connected. A proxy that comes back has a new id.`}
      </Empty>
    );
  }
  const [, mesh = '', kind = '', name = ''] = proxy.node.split('/');
  const resource = kind === 'virtualGateway' ? 'VirtualGateway' : 'VirtualNode';
  return (
    <>
      <header class="page-head">
        <p class="crumbs">
          <a href="/proxies">Proxies</a> <span aria-hidden="true">/</span> {id}
        </p>
        <div class="row-head">
          <h1>{name || proxy.node}</h1>
          <StateBadge state={proxy.state} />
          <a href={pathOf('mesh', mesh.replace(/@.*/, ''), resource, name)}>in the mesh</a>
        </div>
        <p class="muted">
          <span class="mono">{proxy.node}</span> at {proxy.address} · {proxy.userAgent} · connected{' '}
          <Age at={proxy.connectedAt} />
        </p>
      </header>
      <Types proxy={proxy} />
      <Configuration id={id} />
    </>
  );
}

function Types({ proxy }: { proxy: ProxyView }) {
  return (
    <Section
      title="What it has acknowledged"
      aside={<Command text={`headgate proxies ${proxy.id}`} />}
    >
      <Wide label="Table of types">
        <table class="dense">
          <thead>
            <tr>
              <th scope="col">Type</th>
              <th scope="col">State</th>
              <th scope="col">To be served</th>
              <th scope="col">Acknowledged</th>
              <th scope="col">Since</th>
            </tr>
          </thead>
          <tbody>
            {typeNames.map((type) => {
              const view = proxy.types[type];
              return view === undefined ? null : (
                <tr key={type}>
                  <th scope="row">
                    {type.toUpperCase()} <span class="muted type-words">{typeWords[type]}</span>
                  </th>
                  <td>
                    <StateBadge state={view.state} />
                    {view.error !== undefined && <p class="envoy-says">{view.error}</p>}
                  </td>
                  <td class="mono">{view.version || '–'}</td>
                  <td class="mono">{view.ackedVersion || '–'}</td>
                  <td class="muted nowrap">
                    <Age at={view.since} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Wide>
    </Section>
  );
}

function Configuration({ id }: { id: string }) {
  const path = `/api/v1/proxies/${encodeURIComponent(id)}/config`;
  const { value, error } = useJson<ProxyConfigView>(path, { isLive: true });
  return (
    <Section
      title="Envoy configuration"
      aside={<span class="muted small">what it was sent, and what it acknowledged</span>}
    >
      {error !== undefined && <Failure message={error} />}
      {value?.resources.length === 0 && <Empty>It has asked for nothing yet.</Empty>}
      {value?.resources.map((resource) => (
        <Resource key={`${resource.type}/${resource.name}`} resource={resource} />
      ))}
    </Section>
  );
}

function Resource({ resource }: { resource: ProxyResourceView }) {
  const { type, name, state, error, desired, running } = resource;
  return (
    <details open={error !== undefined}>
      <summary>
        <span class="type-name">{type.toUpperCase()}</span> <span class="mono">{name}</span>{' '}
        {state === 'synced' ? (
          <Badge tone="good">runs what was sent</Badge>
        ) : (
          <StateBadge state={state} />
        )}
      </summary>
      {error !== undefined && <p class="envoy-says">{error}</p>}
      <Contents name={name} desired={desired} running={running} />
    </details>
  );
}

function Contents(props: Pick<ProxyResourceView, 'name' | 'desired' | 'running'>) {
  const { name, desired, running } = props;
  const sent = textOf(desired?.json);
  const runs = textOf(running?.json);
  if (sent === '' && runs === '') {
    return (
      <p class="muted small">
        Version <span class="mono">{desired?.version ?? running?.version}</span>; what is in it is
        not shown.
      </p>
    );
  }
  return desired?.version === running?.version || runs === '' ? (
    <Code label={`Configuration of ${name}`} text={sent || runs} />
  ) : (
    <>
      <p class="muted small">
        − runs ({running?.version}) + was sent ({desired?.version ?? 'its removal'})
      </p>
      <DiffCode label={`Difference of ${name}`} lines={diffLines(runs, sent)} />
    </>
  );
}

function textOf(json: Readonly<Record<string, unknown>> | undefined): string {
  return json === undefined ? '' : JSON.stringify(json, null, 2);
}
