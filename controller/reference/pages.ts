/** All pages of `docs/` that are made from the code. */
import { eventsPage } from './events-page.js';
import { metricsPage } from './metrics-page.js';
import { monitoringPages } from './monitoring-pages.js';
import type { Page } from './page.js';

export async function generatedPages(): Promise<readonly Page[]> {
  return [metricsPage(), eventsPage(), ...monitoringPages()];
}
