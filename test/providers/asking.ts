/** One question to one provider, with the real clock, and its outcome. */
import { createClock } from '../../controller/clock.js';
import type { ProviderSettings } from '../../controller/config/providers.js';
import type { Clock } from '../../controller/loop/ports.js';
import { createMeasurer } from '../../controller/providers/measurer.js';
import { createProvider } from '../../controller/providers/provider.js';
import type {
  Measurement,
  MeasurementOrder,
  Outcome,
  Question,
} from '../../controller/rollout/gates/measurement.js';
import { recordingLogger } from '../support/recording-logger.js';

export const secretText = 's3cret-of-the-provider';

export function provider(
  kind: ProviderSettings['kind'],
  url: string,
  more: Partial<ProviderSettings> = {},
) {
  const settings = { name: 'somebody', kind, url, headers: {}, timeoutMs: 5000, ...more };
  return createProvider(settings, { readSecret: () => secretText });
}

export function order(question: Question, more: Partial<MeasurementOrder> = {}): MeasurementOrder {
  return {
    id: 'reviews-1/0/1/gate',
    provider: 'somebody',
    question,
    notBeforeMs: 0,
    intervalMs: 10_000,
    isDone: false,
    rollout: 'reviews-1',
    gate: 'gate',
    ...more,
  };
}

/** The first measurement of `question`. */
export async function measure(
  asked: ReturnType<typeof provider>,
  question: Question,
  clock: Clock = createClock(),
): Promise<Measurement> {
  let done: (measurement: Measurement) => void = () => {};
  const measured = new Promise<Measurement>((resolve) => {
    done = resolve;
  });
  const measurer = createMeasurer([asked], {
    clock,
    logger: recordingLogger(),
    random: () => 0,
    onMeasured: (_, measurement) => done(measurement),
  });
  measurer.watch([order(question)]);
  try {
    return await measured;
  } finally {
    await measurer.stop();
  }
}

export async function ask(
  asked: ReturnType<typeof provider>,
  question: Question,
): Promise<Outcome> {
  return (await measure(asked, question)).outcome;
}
