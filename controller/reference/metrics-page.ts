/** `docs/reference/metrics.md`: every metric of `/metrics`. */
import { type Metric, metricLabels, metricTable } from '../telemetry/metric-table.js';
import { markdownTable, type Page } from './page.js';

export function metricsPage(): Page {
  const metrics = Object.entries<Metric>(metricTable).sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = metrics.map(([name, { type, help, labels }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  const histograms = metrics.filter(([, { buckets }]) => buckets !== undefined);
  const text = `# Metrics

\`GET /metrics\` of the HTTP port answers in Prometheus' text format; \`headgate serve\` asks nobody who they are
there. Names, types and labels are stable: a metric may be added in any release, and one that is here keeps its
meaning. Times are in seconds, sizes in bytes, weights in percent.

No label holds a commit, the number of a rollout or the id of a proxy: their number grows without end, and with
it the memory of whoever scrapes. The commit that is served is in \`/api/v1/status\`.

${markdownTable(['Metric', 'Type', 'Labels', 'Meaning'], rows)}
## Labels

${markdownTable(
  ['Label', 'Values'],
  Object.entries(metricLabels).map(([label, meaning]) => [`\`${label}\``, meaning]),
)}
## Buckets

${markdownTable(
  ['Histogram', 'Upper bounds in seconds'],
  histograms.map(([name, { buckets = [] }]) => [`\`${name}\``, buckets.join(', ')]),
)}
The process's own figures come beside them: \`process_*\` and \`nodejs_*\`, as prom-client names them. What Envoys
count is [theirs to tell](../operations/monitoring.md#envoys-own-statistics).
`;
  return {
    path: 'docs/reference/metrics.md',
    source: 'controller/telemetry/metric-table.ts',
    text,
  };
}
