/** What a proxy's node message says of it, in App Mesh's spellings and in ours. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseNode, parseNodeId } from '../../controller/envoy/identity.js';
import { struct } from '../../controller/envoy/values.js';

const test = suite('who a proxy is');

const reviews = { mesh: 'books', kind: 'VirtualNode', name: 'reviews-v1' };

test('node ids are those of App Mesh, with an owner or as an ARN', () => {
  assert.equal(parseNodeId('mesh/books/virtualNode/reviews-v1'), reviews);
  assert.equal(parseNodeId('mesh/books@111122223333/virtualNode/reviews-v1'), reviews);
  const arn = 'arn:aws:appmesh:eu-west-1:111122223333:mesh/books/virtualNode/reviews-v1';
  assert.equal(parseNodeId(arn), reviews);
  const gateway = { mesh: 'books', kind: 'VirtualGateway', name: 'front' };
  assert.equal(parseNodeId('mesh/books/virtualGateway/front'), gateway);
});

test('other node ids name no resource', () => {
  const ids = [
    '',
    'reviews-v1',
    'mesh/books/virtualnode/reviews-v1',
    'mesh/books/virtualNode/',
    'mesh//virtualNode/reviews-v1',
    'mesh/books/virtualNode/a/b',
    'xmesh/books/virtualNode/a',
    'arn:aws:s3:::mesh/books/virtualNode/a/',
  ];
  for (const id of ids) {
    assert.is(parseNodeId(id), undefined, `${id} names ${JSON.stringify(parseNodeId(id))}`);
  }
});

const id = 'mesh/books/virtualNode/reviews-v1';

test('addresses are read from the metadata, and wrong ones are as good as none', () => {
  const address = { address: '127.0.0.1', port: 15_000 };
  const wrong: readonly unknown[] = [
    'x',
    null,
    { address: 'localhost', port: 1 },
    { address: '127.0.0.1', port: 0 },
    { address: '127.0.0.1', port: 70_000 },
    { address: '127.0.0.1', port: 1.5 },
  ];
  const metadata = struct({ 'headgate.ingress': address, 'headgate.egress': wrong[0] });
  const identity = parseNode({ id, metadata }, '10.0.0.1');
  assert.equal(identity.ingress, address);
  for (const value of wrong) {
    const { egress } = parseNode({ id, metadata: struct({ 'headgate.egress': value }) }, '');
    assert.is(egress, undefined, `${JSON.stringify(value)} is taken`);
  }
});

test('an instance is told apart by its own address, else by what it announces, its task or its peer', () => {
  const instance = (metadata: Record<string, unknown>, peer: string) =>
    parseNode({ id, metadata: struct(metadata) }, peer).instance;
  const at = (address: string, port = 15_000) => ({ 'headgate.ingress': { address, port } });
  assert.is(instance(at('10.0.0.7'), 'a'), instance(at('10.0.0.7'), 'b'));
  assert.is.not(instance(at('10.0.0.7'), 'a'), instance(at('10.0.0.8'), 'a'));
  assert.is.not(instance(at('127.0.0.1'), 'a'), instance(at('127.0.0.1'), 'b'));
  assert.is.not(instance(at('127.0.0.1', 1), 'a'), instance(at('127.0.0.1', 2), 'a'));
  const task = (ip: string) => ({ 'aws.appmesh.task.interfaces': { eth0: { ipv4: ip } } });
  assert.is(instance(task('10.0.0.7'), 'a'), instance(task('10.0.0.7'), 'b'));
  assert.is.not(instance(task('10.0.0.7'), 'a'), instance(task('10.0.0.8'), 'a'));
  assert.is.not(instance({}, 'a'), instance({}, 'b'));
  const announced = (ip: string) => ({ ...at('0.0.0.0'), 'headgate.announce': ip });
  assert.is(instance(announced('10.0.0.7'), 'a'), instance(announced('10.0.0.7'), 'b'));
  assert.is.not(instance(announced('10.0.0.7'), 'a'), instance(announced('10.0.0.8'), 'a'));
});

test('what is announced is the address that a proxy says, else that of its ingress', () => {
  const announce = (metadata: Record<string, unknown>) =>
    parseNode({ id, metadata: struct(metadata) }, '10.0.0.9').announce;
  const ingress = (address: string) => ({ 'headgate.ingress': { address, port: 15_000 } });
  assert.is(announce({}), undefined);
  assert.is(announce({ 'headgate.announce': '10.0.0.7' }), '10.0.0.7');
  assert.is(announce(ingress('10.0.0.8')), '10.0.0.8');
  assert.is(announce({ 'headgate.announce': '10.0.0.7', ...ingress('10.0.0.8') }), '10.0.0.7');
  assert.is(announce({ 'headgate.announce': '10.0.0.7', ...ingress('0.0.0.0') }), '10.0.0.7');
  for (const nowhere of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0']) {
    assert.is(announce(ingress(nowhere)), undefined, nowhere);
    assert.is(announce({ 'headgate.announce': nowhere }), undefined, nowhere);
    assert.is(announce({ 'headgate.announce': nowhere, ...ingress('10.0.0.8') }), '10.0.0.8');
  }
  assert.is(announce({ 'headgate.announce': 'cart.internal' }), undefined);
});

test('clients with xDS built in are known by their user agent', () => {
  const kind = (user_agent_name?: string) => parseNode({ id, user_agent_name }, '').kind;
  assert.is(kind('envoy'), 'envoy');
  assert.is(kind(), 'envoy');
  for (const name of ['gRPC Go', 'gRPC Node Pure JS', 'gRPC C-core', 'grpc-java']) {
    assert.is(kind(name), 'grpc', name);
  }
});

test.run();
