/**
 * The judge, measured: how often a healthy canary is rolled back, how often a bad one is caught and how
 * soon, next to a plain threshold rule. Prints a table in Markdown, the one in `docs/judge.md`.
 *
 *   npm run bench:judge [-- RUNS]
 */
import { judged, type Outcome, thresholded } from './policies.js';
import type { Traffic } from './traffic.js';

const runs = Number(process.argv[2] ?? 1000);

const healthy = { canaryRate: 0.005, baselineRate: 0.005, clump: 1 };
const bad = { canaryRate: 0.05, baselineRate: 0.005, clump: 1 };
const broken = { canaryRate: 0.5, baselineRate: 0.005, clump: 1 };
const outage = { rate: 0.3, fromMinute: 2, toMinute: 12 };

const cases: readonly (readonly [string, Omit<Traffic, 'requestsPerMinute'>])[] = [
  ['healthy, 0.5 % errors', healthy],
  ['healthy, 0.5 % in clumps of 5', { ...healthy, clump: 5 }],
  ['healthy, 0.5 % in clumps of 20', { ...healthy, clump: 20 }],
  ['healthy, 30 % outage of both for 10 min', { ...healthy, outage }],
  ['bad, 5 % errors', bad],
  ['bad, 5 % in clumps of 5', { ...bad, clump: 5 }],
  ['broken, 50 % errors', broken],
];

process.stdout.write(
  `${runs} seeded rollouts a row. Steps 5, 25, 50 and 100 %, at least a minute each.\n\n`,
);
process.stdout.write(
  '| canary | requests a minute | judge: rolled back | held | promoted | minutes to roll back | minutes to promote | threshold: rolled back | promoted | minutes to roll back |\n',
);
process.stdout.write('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n');
for (const [name, shape] of cases) {
  for (const requestsPerMinute of [6, 30, 60, 600]) {
    const traffic: Traffic = { ...shape, requestsPerMinute };
    const mine = Array.from({ length: runs }, (_, seed) => judged(seed + 1, traffic));
    const other = Array.from({ length: runs }, (_, seed) => thresholded(seed + 1, traffic));
    const cells = [
      name,
      requestsPerMinute,
      percent(mine, 'rolledBack'),
      percent(mine, 'held'),
      percent(mine, 'promoted'),
      medianMinutes(mine, 'rolledBack'),
      medianMinutes(mine, 'promoted'),
      percent(other, 'rolledBack'),
      percent(other, 'promoted'),
      medianMinutes(other, 'rolledBack'),
    ];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  }
}

function percent(outcomes: readonly Outcome[], end: Outcome['end']): string {
  const count = outcomes.filter((outcome) => outcome.end === end).length;
  return `${((count / outcomes.length) * 100).toFixed(1)} %`;
}

function medianMinutes(outcomes: readonly Outcome[], end: Outcome['end']): string {
  const minutes = outcomes
    .filter((outcome) => outcome.end === end)
    .map((outcome) => outcome.minutes)
    .sort((left, right) => left - right);
  const median = minutes[Math.floor(minutes.length / 2)];
  return median === undefined ? '–' : median.toFixed(1);
}
