/** Entries of the history, each with a permalink. */
import type { HistoryView } from '../../api/history-view.ts';
import { clock } from '../format.ts';
import { pathOf } from '../router.ts';
import { Empty } from './basics.tsx';

export function HistoryList(props: {
  entries: readonly HistoryView[] | undefined;
  empty: string;
  /** The rollout whose page it is on: what is there needs no link to itself. */
  about?: string;
  /** The entry that a permalink led to. */
  marked?: number;
}) {
  const { entries, empty, marked, about } = props;
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
          <span class="history-text">
            {about !== undefined && entry.rollout === about ? entry.text : <Text entry={entry} />}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** Its words, with a link where they name the rollout or the commit that it is about. */
function Text({ entry: { kind, rollout, text, data } }: { entry: HistoryView }) {
  const commit = kind === 'revision' && typeof data.id === 'string' ? data.id : undefined;
  const name = rollout ?? commit?.slice(0, 12);
  const start = name === undefined ? -1 : text.indexOf(name);
  if (name === undefined || start < 0) {
    return <>{text}</>;
  }
  const path =
    rollout === undefined ? pathOf('changes', commit ?? '') : pathOf('rollouts', rollout);
  return (
    <>
      {text.slice(0, start)}
      <a href={path}>{name}</a>
      {text.slice(start + name.length)}
    </>
  );
}
