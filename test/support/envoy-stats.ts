/** What an Envoy has counted, by the names of its statistics. */
import type { RunningEnvoy } from './envoy.js';

/** The sum of all counters and gauges whose name matches; fails where there is none. */
export async function statOf(envoy: RunningEnvoy, name: RegExp): Promise<number> {
  const lines = (await envoy.admin('/stats')).split('\n');
  const found = lines.flatMap((line) => {
    const [, key = '', value] = /^(.*): (\d+)$/.exec(line) ?? [];
    return value !== undefined && name.test(key) ? [Number(value)] : [];
  });
  if (found.length === 0) {
    throw new Error(`no statistic matches ${name}; there are\n${lines.join('\n')}`);
  }
  return found.reduce((sum, value) => sum + value, 0);
}
