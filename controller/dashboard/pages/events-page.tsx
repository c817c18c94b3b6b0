/** The history: who did what and what followed, to filter, to link to, to take away. */
import type { HistoryView } from '../../api/history-view.ts';
import { Command, Failure, Section } from '../parts/basics.tsx';
import { HistoryList } from '../parts/history-list.tsx';
import { useJson } from '../parts/load.ts';
import { query, setQuery } from '../router.ts';

const kinds = ['revision', 'rollout', 'command', 'proxy'];
const limit = 200;

export function EventsPage({ entry }: { entry?: string }) {
  const kind = query.value.get('kind') ?? '';
  const words = query.value.get('find') ?? '';
  const marked = entry === undefined ? undefined : Number(entry);
  const parameters = new URLSearchParams({ limit: String(limit) });
  if (kind !== '') {
    parameters.set('kind', kind);
  }
  if (marked !== undefined) {
    // The entry that was linked to comes first, the ones before it below.
    parameters.set('before', String(marked + 1));
  }
  const path = `/api/v1/history?${parameters}`;
  const { value, error } = useJson<readonly HistoryView[]>(path, { isLive: marked === undefined });
  const shown = value?.filter(({ text }) => text.toLowerCase().includes(words.toLowerCase()));
  return (
    <Section isPage title="Events" aside={<Command text="headgate history" />}>
      <div class="line toolbar">
        <select
          aria-label="Kind"
          value={kind}
          onChange={(event) => setQuery('kind', event.currentTarget.value)}
        >
          <option value="">every kind</option>
          {kinds.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
        <input
          type="search"
          aria-label="Filter by text"
          placeholder="Filter by text"
          value={words}
          onInput={(event) => setQuery('find', event.currentTarget.value)}
        />
        {marked !== undefined && <a href="/events">Newest events</a>}
        <a class="spread" href={path} download="headgate-events.json">
          Export as JSON
        </a>
      </div>
      {error !== undefined && <Failure message={error} />}
      <HistoryList entries={shown} empty="Nothing of that kind has happened." marked={marked} />
    </Section>
  );
}
