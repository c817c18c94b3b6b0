/** Schemas of the API's bodies: JSON Schema, with the fields that others may rely on. */

const text = { type: 'string' } as const;
const number = { type: 'number' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const commitOrNull = { type: ['string', 'null'], description: 'A commit’s id.' } as const;

type Properties = Readonly<Record<string, object>>;

/** An object in which every one of `properties` is there, but those of `optional`. */
function record(properties: Properties, optional: Properties = {}) {
  return {
    type: 'object',
    properties: { ...properties, ...optional },
    required: Object.keys(properties),
  };
}

const listOf = (items: object) => ({ type: 'array', items });
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const gate = record(
  { name: text, verdict: { enum: ['pass', 'fail', 'none'] }, samples: number },
  { observed: { type: ['number', 'null'] }, limit: { type: ['number', 'null'] }, at: text },
);

const target = record(
  { virtualNode: text, applied: number, desired: number, served: number },
  { actual: { type: ['number', 'null'] } },
);

const typeState = record(
  {
    state: { enum: ['synced', 'stale', 'rejected', 'notSent'] },
    version: text,
    ackedVersion: text,
    since: time,
  },
  { error: text },
);

export const openApiSchemas = {
  Error: record({ error: record({ code: text, message: text }) }),
  Document: { type: 'object', description: 'An object whose fields are not fixed yet.' },
  Command: {
    ...record(
      {},
      {
        reason: { ...text, maxLength: 1000, description: 'Why; kept in the history.' },
        by: { ...text, description: 'Who asks, where nobody is asked to sign in.' },
      },
    ),
    additionalProperties: false,
  },
  Status: record({
    revision: record(
      { desired: commitOrNull, applied: commitOrNull, attempted: commitOrNull },
      { error: text },
    ),
    meshes: listOf(
      record({ name: text, sync: { enum: ['synced', 'progressing', 'held', 'pending'] } }),
    ),
    rollouts: listOf(ref('Rollout')),
    proxies: record({ connected: number, synced: number, rejected: number }),
  }),
  Rollout: record(
    {
      id: text,
      mesh: text,
      name: text,
      phase: {
        enum: [
          ...['Pending', 'WaitingForApproval', 'WaitingForWindow', 'Progressing', 'Baking'],
          ...['Paused', 'Completing', 'RollingBack', 'Succeeded', 'RolledBack', 'Aborted'],
          'Superseded',
        ],
      },
      progress: { ...number, minimum: 0, maximum: 100 },
      step: record({ index: number, count: number }),
      targets: listOf(target),
      gates: listOf(gate),
      revision: text,
      startedAt: time,
      reason: text,
    },
    { endedAt: time },
  ),
  Proxy: record({
    id: text,
    node: text,
    address: text,
    connectedAt: time,
    types: {
      type: 'object',
      properties: Object.fromEntries(
        ['cds', 'eds', 'lds', 'rds', 'sds'].map((type) => [type, typeState]),
      ),
    },
    userAgent: text,
  }),
  Problem: record({
    code: { ...text, pattern: '^HG\\d{4}$' },
    severity: { enum: ['error', 'warning'] },
    message: text,
    file: text,
    line: number,
    column: number,
  }),
  Revision: record({
    id: text,
    author: text,
    title: text,
    committedAt: time,
    verdict: text,
    at: time,
  }),
  History: record(
    { id: number, at: time, kind: text, text, data: { type: 'object' } },
    { event: text, rollout: text },
  ),
} as const;
