/**
 * `npm run audit`: known vulnerabilities of what the package ships and needs, asked of the registry. Fails
 * where there is one of severity high or critical. Where the registry cannot be asked (a mirror without
 * that service, no network) it says so and fails nothing, unless `--must-answer` is given.
 */
import { spawnSync } from 'node:child_process';

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' });
const report = parse(stdout);
const counts = report?.metadata?.vulnerabilities;
if (counts === undefined) {
  const reason = report?.message ?? report?.error?.summary ?? 'no answer';
  console.log(`audit: the registry could not be asked (${String(reason).split('\n')[0]})`);
  process.exitCode = process.argv.includes('--must-answer') ? 1 : 0;
} else {
  for (const { name, severity, via } of Object.values(report.vulnerabilities)) {
    const titles = via.map((one) => (typeof one === 'string' ? one : `${one.title} ${one.url}`));
    console.log(`audit: ${severity} in ${name}: ${titles.join('; ')}`);
  }
  const grave = counts.high + counts.critical;
  console.log(`audit: ${counts.total} known vulnerabilities, ${grave} of them high or critical`);
  process.exitCode = grave > 0 ? 1 : 0;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
