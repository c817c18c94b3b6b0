/** `npm run docs`: writes the pages of `docs/` that are made from the code. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileText } from './page.js';
import { generatedPages } from './pages.js';

for (const page of await generatedPages()) {
  mkdirSync(dirname(page.path), { recursive: true });
  writeFileSync(page.path, fileText(page));
}
