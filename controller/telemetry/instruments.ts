/** Metrics of `metric-table.ts` as prom-client has them: typed by the table, named nowhere else. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type LabelsOf, type Metric, type MetricOf, metricTable } from './metric-table.js';

/** A value for each set of labels that there is now. */
export type Readings<Labels> = Iterable<readonly [Labels, number]>;

/** A gauge that is set anew at each scrape: what is gone is gone from it too. */
export function addGauge<Name extends MetricOf<'gauge'>>(
  registry: Registry,
  name: Name,
  read: () => Readings<LabelsOf<Name>>,
): void {
  new Gauge({
    ...configOf(name, registry),
    collect() {
      this.reset();
      for (const [labels, value] of read()) {
        this.set(labels, value);
      }
    },
  });
}

/** A counter whose sums are kept elsewhere, and read at each scrape. */
export function addReadCounter<Name extends MetricOf<'counter'>>(
  registry: Registry,
  name: Name,
  read: () => Readings<LabelsOf<Name>>,
): void {
  new Counter({
    ...configOf(name, registry),
    collect() {
      this.reset();
      for (const [labels, value] of read()) {
        this.inc(labels, value);
      }
    },
  });
}

/** A counter that starts at 0 for each of `known`: an increase from nothing is none for Prometheus. */
export function addCounter<Name extends MetricOf<'counter'>>(
  registry: Registry,
  name: Name,
  known: readonly LabelsOf<Name>[] = [],
): (labels: LabelsOf<Name>) => void {
  const counter = new Counter(configOf(name, registry));
  for (const labels of known) {
    counter.inc(labels, 0);
  }
  return (labels) => counter.inc(labels);
}

/** The function that takes one observation, in seconds. */
export function addHistogram<Name extends MetricOf<'histogram'>>(
  registry: Registry,
  name: Name,
): (labels: LabelsOf<Name>, seconds: number) => void {
  const histogram = new Histogram({
    ...configOf(name, registry),
    buckets: [...metricTable[name].buckets],
  });
  return (labels, seconds) => histogram.observe(labels, seconds);
}

function configOf(name: keyof typeof metricTable, registry: Registry) {
  const { help, labels }: Metric = metricTable[name];
  return { name, help, labelNames: [...labels], registers: [registry] };
}
