/** Which of a client policy's rules hold for a port. */
import type { ClientPolicy } from './model.js';

/** Rules of TLS, without the ports that they are for. */
export type ClientTlsRules = Omit<NonNullable<ClientPolicy['tls']>, 'ports'>;

/** Undefined where `policy` says nothing of `port`. */
export function tlsRulesAt(
  policy: ClientPolicy | undefined,
  port: number,
): ClientTlsRules | undefined {
  if (policy?.tls === undefined) {
    return undefined;
  }
  const { ports, ...rules } = policy.tls;
  return ports.length === 0 || ports.includes(port) ? rules : undefined;
}
