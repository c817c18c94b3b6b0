/** The gate `http`: the answer of somebody's own judge or smoke test, by its status or by a value in it. */
import { renderDuration } from '../../base/duration.js';
import { printable } from '../../base/printable.js';
import type { HttpGate, JsonCondition } from '../../mesh/gates.js';
import { compare, renderBounds, renderNumber } from './bounds.js';
import { judgeMeasured, misfit } from './judge-measured.js';
import type { GateKind, GateQuestion, Judgement } from './kind.js';
import type { Scalar } from './measurement.js';
import { figure } from './text.js';

export const http: GateKind<HttpGate> = {
  judge: judgeHttp,
  windowMs: () => 0,
  describe: ({ provider, method, path, statuses, json, intervalMs, once }) => {
    const what = json === undefined ? '' : `, ${renderPointer(json)} ${renderCondition(json)},`;
    const often = once ? 'until it passes, ' : '';
    return (
      `${provider} answers ${renderStatuses(statuses)}${what} to ${method} ${path} ` +
      `(${often}every ${renderDuration(intervalMs)})`
    );
  },
};

/** `2xx`, or the codes themselves. */
export function renderStatuses(statuses: readonly number[]): string {
  return statuses.length === 0 ? '2xx' : statuses.join(', ');
}

/** Empty means any 2xx. */
export function isExpectedStatus(status: number, statuses: readonly number[]): boolean {
  return statuses.length === 0 ? status >= 200 && status <= 299 : statuses.includes(status);
}

/** Of a text that is not the expected one, its beginning is enough to know it again. */
const shownCharactersMax = 80;

const samples = '1 answer';

function judgeHttp(question: GateQuestion<HttpGate>): Judgement {
  const { gate } = question;
  return judgeMeasured(question, {
    metric: 'http',
    windowMs: 0,
    limit: gate.json?.max ?? gate.json?.min,
    judge: (answer) => {
      const { status, value } = answer.kind === 'response' ? answer : misfit(answer);
      return gate.json === undefined || value === undefined
        ? judgeStatus(status, gate.statuses)
        : judgeValue(value, gate.json);
    },
  });
}

function judgeStatus(status: number, statuses: readonly number[]): Judgement {
  const hasPassed = isExpectedStatus(status, statuses);
  const limit = renderStatuses(statuses);
  const op = hasPassed ? '=' : '≠';
  const text = figure({ metric: 'status', observed: String(status), op, limit, samples });
  return { verdict: hasPassed ? 'pass' : 'fail', observed: status, samples: 1, text };
}

function judgeValue(value: Scalar, condition: JsonCondition): Judgement {
  const metric = renderPointer(condition);
  if (condition.equals === undefined) {
    const number = Number(value);
    const { hasPassed, op, limit, bound } = compare(number, condition);
    const observed = renderNumber(number);
    return {
      verdict: hasPassed ? 'pass' : 'fail',
      observed: number,
      limit: bound,
      samples: 1,
      text: figure({ metric, observed, op, limit, samples }),
    };
  }
  const hasPassed = value === condition.equals;
  return {
    verdict: hasPassed ? 'pass' : 'fail',
    observed: typeof value === 'number' ? value : undefined,
    samples: 1,
    text: figure({
      metric,
      observed: shown(value),
      op: hasPassed ? '=' : '≠',
      limit: shown(condition.equals),
      samples,
    }),
  };
}

function shown(value: Scalar): string {
  return printable(JSON.stringify(value)).slice(0, shownCharactersMax);
}

/** RFC 6901 writes the whole answer as an empty text. */
function renderPointer({ pointer }: JsonCondition): string {
  return pointer === '' ? 'answer' : pointer;
}

function renderCondition(condition: JsonCondition): string {
  return condition.equals === undefined ? renderBounds(condition) : `= ${shown(condition.equals)}`;
}
