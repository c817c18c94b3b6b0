/** `docs/operations/monitoring/`: what Prometheus and Grafana load, and the runbooks beside it. */
import { renderAlertRules, renderRunbooks } from '../monitoring/alert-rules.js';
import { dashboards } from '../monitoring/dashboards.js';
import { renderDashboard } from '../monitoring/grafana.js';
import { scrapeConfig } from '../monitoring/scrape.js';
import type { Page } from './page.js';

const folder = 'docs/operations/monitoring';

export function monitoringPages(): readonly Page[] {
  const alerts = 'controller/monitoring/alert-table.ts';
  return [
    { path: `${folder}/alerts.yaml`, source: alerts, text: renderAlertRules() },
    { path: 'docs/operations/runbooks.md', source: alerts, text: renderRunbooks() },
    {
      path: `${folder}/prometheus.yaml`,
      source: 'controller/monitoring/scrape.ts',
      text: scrapeConfig,
    },
    ...dashboards.map((dashboard) => ({
      path: `${folder}/${dashboard.uid}.json`,
      source: 'controller/monitoring/dashboards.ts',
      text: renderDashboard(dashboard),
    })),
  ];
}
