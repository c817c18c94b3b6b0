/** `docs/reference/events.md`: every event of the log. */
import { type EventEntry, eventTable } from '../event-table.js';
import { markdownTable, type Page } from './page.js';

export function eventsPage(): Page {
  const rows = Object.entries<EventEntry>(eventTable).map(([name, { level, meaning }]) => [
    `\`${name}\``,
    level,
    meaning,
  ]);
  const text = `# Events

Each line of the log is one event: a JSON object on stderr (\`--log-format json\`, and whatever is no terminal) with
\`time\`, \`level\`, \`event\` and the event's own fields. The same names stand in the metric
\`headgate_events_total\`, in the field \`event\` of \`/api/v1/history\`, and, for what people are told of, in
messages (\`dev.headgate.EVENT.v1\` as a CloudEvent). A name keeps its meaning; events may get further fields.

\`\`\`
{"level":"info","time":"2026-11-29T09:00:00.000Z","event":"rollout.moved","rollout":"reviews-3","mesh":"shop","from":"Progressing","phase":"Baking","step":0,"reason":"…","revision":"8c1d…"}
\`\`\`

Where traces are on, a line about a commit has its \`traceId\` too ([traces](../operations/tracing.md)).

${markdownTable(['Event', 'Level', 'Meaning'], rows)}`;
  return { path: 'docs/reference/events.md', source: 'controller/event-table.ts', text };
}
