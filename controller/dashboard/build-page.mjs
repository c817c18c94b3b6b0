/**
 * Builds a page into static files: one page, one script, one style sheet, each also compressed. Vite's
 * JavaScript API instead of a config file, which would be run by Vite's own loader.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import preact from '@preact/preset-vite';
import { build } from 'vite';

/** `root` and `outDir` are file URLs of folders. */
export async function buildPage({ root, outDir }) {
  const folder = fileURLToPath(outDir);
  await build({
    root: fileURLToPath(root),
    configFile: false,
    logLevel: 'warn',

    plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false })],
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'es2022',
      // Inlined files would need `data:` in the content security policy.
      assetsInlineLimit: 0,
      modulePreload: false,
      // The notices that the licences of what is built in ask for.
      license: { fileName: 'licences.md' },
      // A busy machine would be warned of with each build.
      rolldownOptions: { checks: { bundlerTimings: false } },
    },
  });
  compressFiles(folder);
}

/** Below this a packet is a packet, compressed or not. */
const compressedFromBytes = 1024;

function compressFiles(folder) {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (/\.(html|js|css|svg)$/.test(name)) {
      const bytes = readFileSync(join(folder, name));
      const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
      if (bytes.length >= compressedFromBytes) {
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes, { params }));
      }
    }
  }
}
