/** `docs/reference/openapi.json`: the HTTP API. */
import { openApiDocument } from '../api/openapi.js';
import { programVersion } from '../version.js';
import type { Page } from './page.js';

export function openApiPage(): Page {
  return {
    path: 'docs/reference/openapi.json',
    source: 'controller/api/openapi.ts',
    text: `${JSON.stringify(openApiDocument(programVersion()), undefined, 2)}\n`,
  };
}
