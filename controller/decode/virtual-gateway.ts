/** A VirtualGateway document in the model's terms. */
import type * as yaml from '../generated/schema-types.js';
import type { Listener, VirtualGateway } from '../mesh/model.js';
import { accessLog, clientPolicy, listenerTls } from './parts.js';
import { connectionPool, healthCheck } from './virtual-node.js';

export function virtualGateway({ metadata, spec }: yaml.VirtualGateway): VirtualGateway {
  return {
    kind: 'VirtualGateway',
    name: metadata.name,
    labels: metadata.labels ?? {},
    listeners: spec.listeners.map(listener),
    backendDefaults: clientPolicy(spec.backendDefaults?.clientPolicy),
    accessLog: accessLog(spec.logging),
  };
}

function listener(written: yaml.VirtualGatewayListener): Listener {
  const { port, protocol } = written.portMapping;
  const { healthCheck: check, connectionPool: pool, tls } = written;
  return {
    port,
    protocol,
    healthCheck: check && healthCheck(check, port),
    connectionPool: pool && connectionPool(pool),
    tls: tls && listenerTls(tls),
  };
}
