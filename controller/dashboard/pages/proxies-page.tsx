/** Every connected proxy and how far it is with each type of resource. */
import type { ProxyTypeName, ProxyView } from '../../api/proxy-view.ts';
import { plural } from '../../base/plural.ts';
import type { TypeState } from '../../loop/ports.ts';
import { proxiesById } from '../live.ts';
import { StateBadge } from '../parts/badge.tsx';
import { Age, Command, Empty, Section, Wide } from '../parts/basics.tsx';
import { pathOf, query, setQuery } from '../router.ts';

export const typeNames: readonly ProxyTypeName[] = ['cds', 'eds', 'lds', 'rds', 'sds'];

/** What each is about, for whom the abbreviations say nothing. */
export const typeWords: Readonly<Record<ProxyTypeName, string>> = {
  cds: 'clusters',
  eds: 'endpoints',
  lds: 'listeners',
  rds: 'routes',
  sds: 'secrets',
};

/** Worst first: who opens this page looks for trouble. */
const order: readonly TypeState[] = ['rejected', 'stale', 'notSent', 'synced'];

export function ProxiesPage() {
  const all = [...(proxiesById.value?.values() ?? [])];
  const search = query.value.get('find') ?? '';
  const words = search.trim().toLowerCase();
  const shown = all
    .filter(({ id, node, address, state }) =>
      // With several replicas an id names the one that the proxy is on.
      `${id} ${node} ${address} ${state}`.toLowerCase().includes(words),
    )
    .sort(compare);
  const count = (state: TypeState) => all.filter((proxy) => proxy.state === state).length;
  return (
    <Section isPage title="Proxies" aside={<Command text="headgate proxies" />}>
      <div class="line toolbar">
        <input
          type="search"
          aria-label="Filter by node, address or state"
          placeholder="Filter by node, address or state"
          value={search}
          onInput={(event) => setQuery('find', event.currentTarget.value)}
        />
        <span class="muted">
          {plural(all.length, 'proxy', 'proxies')}
          {order
            .filter((state) => count(state) > 0)
            .map((state) => `, ${count(state)} ${state === 'notSent' ? 'not sent' : state}`)}
        </span>
      </div>
      {proxiesById.value === undefined && <Empty>Waiting for the controller…</Empty>}
      {proxiesById.value?.size === 0 && (
        <Empty>
          No proxy is connected. <code>headgate bootstrap NODE-ID</code> writes an Envoy's
          bootstrap.
        </Empty>
      )}
      {shown.length > 0 && (
        <Wide label="Table of proxies">
          <table class="stacks">
            <thead>
              <tr>
                <th scope="col">Proxy</th>
                <th scope="col">State</th>
                <th scope="col">Node</th>
                {typeNames.map((type) => (
                  <th key={type} scope="col">
                    {type.toUpperCase()}
                    <span class="under type-words">{typeWords[type]}</span>
                  </th>
                ))}
                <th scope="col">Address</th>
                <th scope="col">Program</th>
                <th scope="col">Connected</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((proxy) => (
                <ProxyRow key={proxy.id} proxy={proxy} />
              ))}
            </tbody>
          </table>
        </Wide>
      )}
    </Section>
  );
}

function ProxyRow({ proxy }: { proxy: ProxyView }) {
  return (
    <tr>
      <th scope="row">
        <a href={pathOf('proxies', proxy.id)}>{proxy.id}</a>
      </th>
      <td>
        <StateBadge state={proxy.state} />
      </td>
      <td class="mono nowrap row">{proxy.node}</td>
      {typeNames.map((type) => (
        <TypeCell key={type} proxy={proxy} type={type} />
      ))}
      <td class="mono muted" data-label="at">
        {proxy.address}
      </td>
      <td class="muted nowrap">{proxy.userAgent}</td>
      <td class="muted nowrap" data-label="connected">
        <Age at={proxy.connectedAt} />
      </td>
    </tr>
  );
}

function TypeCell({ proxy, type }: { proxy: ProxyView; type: ProxyTypeName }) {
  const view = proxy.types[type];
  if (view === undefined) {
    return (
      <td class="muted none">
        <span title="not asked for">–</span>
      </td>
    );
  }
  return (
    <td data-label={type.toUpperCase()}>
      <span class={`state ${view.state}`} title={view.error ?? `version ${view.version}`}>
        {view.state === 'notSent' ? 'not sent' : view.state}
      </span>
      <span class="muted small nowrap under">
        <Age at={view.since} />
      </span>
    </td>
  );
}

function compare(left: ProxyView, right: ProxyView): number {
  return (
    order.indexOf(left.state) - order.indexOf(right.state) || left.node.localeCompare(right.node)
  );
}
