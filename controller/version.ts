/** The program's version, which the package's manifest has. */
import { createRequire } from 'node:module';

export function programVersion(): string {
  const manifest = createRequire(import.meta.url)('../../package.json') as { version: string };
  return manifest.version;
}
