/**
 * Builds the dashboard into dist/controller/dashboard: one page, one script, one style sheet, each also
 * compressed. Vite's JavaScript API instead of a config file, which would be run by Vite's own loader.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import preact from '@preact/preset-vite';
import { build } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));
const outDir = fileURLToPath(new URL('../../dist/controller/dashboard', import.meta.url));

await build({
  root,
  configFile: false,
  logLevel: 'warn',
  plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false })],
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    // Inlined files would need `data:` in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
});

/** Below this a packet is a packet, compressed or not. */
const compressedFromBytes = 1024;

for (const name of readdirSync(outDir, { recursive: true, encoding: 'utf8' })) {
  if (/\.(html|js|css|svg)$/.test(name)) {
    const bytes = readFileSync(join(outDir, name));
    const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    if (bytes.length >= compressedFromBytes) {
      writeFileSync(join(outDir, `${name}.br`), brotliCompressSync(bytes, { params }));
    }
  }
}
