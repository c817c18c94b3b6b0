/** Builds the dashboard into dist/controller/dashboard. */
import { buildPage } from './build-page.mjs';

await buildPage({
  root: new URL('.', import.meta.url),
  outDir: new URL('../../dist/controller/dashboard', import.meta.url),
});
