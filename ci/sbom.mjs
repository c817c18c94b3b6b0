/**
 * `npm run sbom`: the bill of materials of the package as CycloneDX JSON, on stdout. npm's own leaves out
 * what the dashboard is built of, since that is no dependency of the package; but it is in it.
 */
import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

/** What Vite puts into the pages, and what that brings along. */
export const bundled = [
  'preact',
  '@preact/signals',
  '@preact/signals-core',
  'uplot',
  '@dagrejs/dagre',
  '@dagrejs/graphlib',
];

/** The bill of the checkout at `folder`, whose packages are installed. */
export function billOfMaterials(folder) {
  const options = { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 };
  const whole = JSON.parse(execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx'], options));
  const isShipped = ({ name, properties = [] }) =>
    bundled.includes(name) ||
    !properties.some((one) => one.name === 'cdx:npm:package:development' && one.value === 'true');
  const components = whole.components.filter(isShipped);
  const refs = new Set([
    whole.metadata.component['bom-ref'],
    ...components.map((component) => component['bom-ref']),
  ]);
  const dependencies = whole.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((to) => refs.has(to)) }));
  return { ...whole, components, dependencies };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(`${JSON.stringify(billOfMaterials(process.cwd()), null, 2)}\n`);
}
