/**
 * Fields that are carried and do not do quite what they did; the table of `docs/app-mesh.md` in the words
 * of one line of a report. A loss is what somebody has to look at or to do.
 */
import type { FieldPath } from '../mesh/document.js';
import type { AppMeshKind } from './definition.js';

interface Note {
  readonly kinds?: readonly AppMeshKind[];
  readonly field: RegExp;
  readonly value?: unknown;
  readonly reason: string;
  readonly isLoss: boolean;
}

const notes: readonly Note[] = [
  {
    field: /^spec\.serviceDiscovery\.awsCloudMap\.namespaceName$/,
    reason: 'asked by DNS, as service.namespace: the namespace has to be a DNS one',
    isLoss: true,
  },
  {
    field: /^spec\.serviceDiscovery\.dns\.hostname$/,
    reason: 'App Mesh added a final dot; without one, search domains and /etc/hosts count too',
    isLoss: false,
  },
  {
    field: /\.sds\.secretName$/,
    reason:
      "the secret comes from the controller's folder of secrets, not from a socket: put it there",
    isLoss: true,
  },
  {
    field: /^spec\.egressFilter\.type$/,
    value: 'ALLOW_ALL',
    reason: 'goes on working for a node that has backends; App Mesh then stopped it',
    isLoss: false,
  },
  {
    kinds: ['VirtualGateway'],
    field: /^spec\.listeners\.\[\]\.healthCheck\.protocol$/,
    reason: 'nothing in a mesh calls a gateway, so nobody makes the check',
    isLoss: false,
  },
  {
    kinds: ['VirtualGateway'],
    field: /^spec\.listeners\.\[\]\.connectionPool\./,
    reason: "limits what the gateway sends to each node: the gateway's inner hop is gone",
    isLoss: false,
  },
];

export function noteFor(kind: AppMeshKind, to: FieldPath, value: unknown): Note | undefined {
  const field = patternOf(to);
  return notes.find(
    (note) =>
      note.field.test(field) &&
      (note.kinds === undefined || note.kinds.includes(kind)) &&
      (note.value === undefined || note.value === value),
  );
}

/** `spec.listeners.[].timeout`: a path without its indices. */
export function patternOf(path: FieldPath): string {
  return path.map((part) => (typeof part === 'number' ? '[]' : part)).join('.');
}
