/** Builds the demo's page into dist/controller/demo-page. */
import { buildPage } from '../dashboard/build-page.mjs';

await buildPage({
  root: new URL('.', import.meta.url),
  outDir: new URL('../../dist/controller/demo-page', import.meta.url),
});
