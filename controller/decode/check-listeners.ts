/**
 * What the schemas of virtual nodes and gateways cannot say of their listeners: ports that are there
 * twice, and parts of a listener that do not fit its protocol or port.
 */
import type * as yaml from '../generated/schema-types.js';
import { type Finding, repeated } from './finding.js';

/** A listener of either kind: a gateway's has no timeout. */
type WrittenListener = Pick<yaml.VirtualNodeListener, 'portMapping' | 'healthCheck'> & {
  readonly connectionPool?: object;
  readonly timeout?: object;
};

/** `listeners` is what stands in `spec.listeners`. */
export function checkListeners(listeners: readonly WrittenListener[]): readonly Finding[] {
  return [
    ...repeated(listeners, ({ portMapping: { port } }) => String(port)).map(([index, port]) => ({
      code: 'HG0502' as const,
      path: ['spec', 'listeners', index, 'portMapping', 'port'],
      text: `port ${port} has a listener already; each port has one`,
      details: { found: port },
    })),
    ...listeners.flatMap((listener, index) =>
      checkListener(listener, ['spec', 'listeners', index]),
    ),
  ];
}

function checkListener(listener: WrittenListener, path: Finding['path']): readonly Finding[] {
  const { port, protocol } = listener.portMapping;
  const findings: Finding[] = [];
  for (const field of ['connectionPool', 'timeout'] as const) {
    const [found] = Object.keys(listener[field] ?? {});
    if (found !== undefined && found !== protocol) {
      const text =
        `${field} is for ${found}, and the listener speaks ${protocol}; write ` +
        `${field}.${protocol}`;
      const details = { found, allowed: protocol };
      findings.push({ code: 'HG0504', path: [...path, field, found], place: 'key', text, details });
    }
  }
  const check = listener.healthCheck;
  if (check?.port !== undefined && check.port !== port) {
    const text =
      `healthCheck.port is ${check.port}, and the listener's is ${port}; App Mesh takes only ` +
      "the listener's, so remove it";
    const details = { found: String(check.port), allowed: String(port) };
    findings.push({ code: 'HG0503', path: [...path, 'healthCheck', 'port'], text, details });
  }
  if (check?.path !== undefined && check.protocol !== 'http' && check.protocol !== 'http2') {
    const text =
      `healthCheck.path is for http and http2, and the check speaks ${check.protocol}; remove ` +
      'it';
    const details = { found: check.protocol, allowed: 'http, http2' };
    findings.push({ code: 'HG0503', path: [...path, 'healthCheck', 'path'], text, details });
  }
  return findings;
}
