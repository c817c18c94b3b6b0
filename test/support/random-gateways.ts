/**
 * A virtual gateway `edge` before a random mesh, with routes of every kind to the services that it can
 * call. What they match differs from route to route, so that none is for nothing.
 */
import type { Random } from '../../controller/base/random.js';
import { type Document, integer, type Plain } from './random-mesh.js';

const ports: Readonly<Record<string, number>> = { http: 18_080, http2: 18_081, grpc: 18_082 };

/** The gateway's documents; `documents` are those of `randomDocuments`. */
export function randomGateway(random: Random, documents: readonly Document[]): readonly Document[] {
  const listeners = Object.entries(ports).map(([protocol, port]) => ({
    portMapping: { port, protocol },
    ...(random() < 0.3 && { connectionPool: { [protocol]: pool(random, protocol) } }),
  }));
  const services = documents.filter(({ kind }) => kind === 'VirtualService');
  const routes = services.flatMap((service, index) =>
    listenersBehind(service, documents)
      .filter(({ protocol }) => protocol in ports)
      .map((listener, place) => gatewayRoute(random, service, `g${index}-${place}`, listener)),
  );
  return [document('VirtualGateway', 'edge', { listeners }), ...routes];
}

interface PortMapping {
  readonly port: number;
  readonly protocol: string;
}

interface Provided {
  readonly provider: {
    readonly virtualNode?: { readonly virtualNodeRef: { readonly name: string } };
    readonly virtualRouter?: { readonly virtualRouterRef: { readonly name: string } };
  };
}

function listenersBehind(
  { spec }: Document,
  documents: readonly Document[],
): readonly PortMapping[] {
  const { virtualNode, virtualRouter } = (spec as unknown as Provided).provider;
  const kind = virtualNode === undefined ? 'VirtualRouter' : 'VirtualNode';
  const name = virtualNode?.virtualNodeRef.name ?? virtualRouter?.virtualRouterRef.name;
  const provider = documents.find((each) => each.kind === kind && each.metadata.name === name);
  const listeners = provider?.spec.listeners as readonly { readonly portMapping: PortMapping }[];
  return listeners.map(({ portMapping }) => portMapping);
}

function document(kind: string, name: string, spec: Plain): Document {
  return { apiVersion: 'headgate/v1', kind, metadata: { name }, spec };
}

function pool(random: Random, protocol: string): Plain {
  return protocol === 'http'
    ? { maxConnections: 1 + integer(random, 99), maxPendingRequests: 1 + integer(random, 99) }
    : { maxRequests: 1 + integer(random, 99) };
}

function gatewayRoute(
  random: Random,
  service: Document,
  name: string,
  { port, protocol }: PortMapping,
): Document {
  const virtualService = { virtualServiceRef: { name: service.metadata.name } };
  const target = { virtualService, port };
  const hostname = pick(random, [
    { exact: `${name}.example.com` },
    { suffix: `${name}.example.com` },
    { suffix: `.${name}.org` },
  ]);
  const host = { hostname: { defaultTargetHostname: pick(random, ['ENABLED', 'DISABLED']) } };
  const common = { port: ports[protocol] };
  const [match, rewrite] =
    protocol === 'grpc'
      ? [{ ...common, hostname, metadata: [{ name: 'm' }] }, random() < 0.5 ? host : undefined]
      : httpRoute(random, name, { ...common, ...(random() < 0.5 && { hostname }) });
  return document('GatewayRoute', name, {
    virtualGatewayRef: { name: 'edge' },
    ...(random() < 0.5 && { priority: integer(random, 1001) }),
    [`${protocol}Route`]: { match, action: { target, ...(rewrite && { rewrite }) } },
  });
}

function httpRoute(
  random: Random,
  name: string,
  others: Plain,
): readonly [match: Plain, rewrite: Plain | undefined] {
  const prefix = { ...others, prefix: pick(random, [`/${name}`, `/${name}/`]) };
  return pick<readonly [Plain, Plain | undefined]>(random, [
    [prefix, undefined],
    [{ ...prefix, method: 'GET' }, { prefix: { value: '/deep/er/' } }],
    [{ ...prefix, headers: [{ name: 'h' }] }, { prefix: { defaultPrefix: 'DISABLED' } }],
    [{ ...others, path: { exact: `/${name}` } }, { path: { exact: '/other' } }],
    [{ ...others, path: { regex: `/${name}.*` } }, undefined],
    [{ ...prefix, queryParameters: [{ name: 'q' }] }, { path: { exact: '/whole' } }],
  ]);
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[integer(random, items.length)] as T;
}
