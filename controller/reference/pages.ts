/** All pages of `docs/` that are made from the code. */
import { commandsPage } from './commands-page.js';
import { configurationPage } from './configuration-page.js';
import { errorsPage } from './errors-page.js';
import { eventsPage } from './events-page.js';
import { metricsPage } from './metrics-page.js';
import { monitoringPages } from './monitoring-pages.js';
import { openApiPage } from './openapi-page.js';
import type { Page } from './page.js';

export async function generatedPages(): Promise<readonly Page[]> {
  return [
    commandsPage(),
    configurationPage(),
    errorsPage(),
    metricsPage(),
    eventsPage(),
    openApiPage(),
    ...monitoringPages(),
  ];
}
