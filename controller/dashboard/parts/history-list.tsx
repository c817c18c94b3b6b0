/** Entries of the history, each with a permalink. */
import type { HistoryView } from '../../api/history-view.ts';
import { clock } from '../format.ts';
import { Empty } from './basics.tsx';

export function HistoryList(props: {
  entries: readonly HistoryView[] | undefined;
  empty: string;
  /** The entry that a permalink led to. */
  marked?: number;
}) {
  const { entries, empty, marked } = props;
  if (entries === undefined || entries.length === 0) {
    return <Empty>{entries === undefined ? 'Being read…' : empty}</Empty>;
  }
  return (
    <ol class="history">
      {entries.map((entry) => (
        <li key={entry.id} class={entry.id === marked ? 'marked' : ''}>
          <a class="mono muted" href={`/events/${entry.id}`} title={`Entry ${entry.id}`}>
            <time dateTime={entry.at}>{clock(entry.at)}</time>
          </a>
          <span class={`kind kind-${entry.kind}`}>{entry.kind}</span>
          <span class="history-text">{entry.text}</span>
        </li>
      ))}
    </ol>
  );
}
