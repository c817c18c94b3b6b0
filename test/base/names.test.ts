/** Did-you-mean and `HOST:PORT`, the two readings of text that several faces share. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nearestName } from '../../controller/base/nearest-name.js';
import { isLoopback, parseHostPort, renderHostPort } from '../../controller/base/socket-address.js';

const names = suite('names');

names('the nearest name is the one with the fewest edits', () => {
  const known = ['poll', 'path', 'branch', 'loadReportInterval'];
  assert.is(nearestName('pol', known), 'poll');
  assert.is(nearestName('pathe', known), 'path');
  assert.is(nearestName('brnach', known), 'branch', 'two neighbours swapped are one edit');
  assert.is(nearestName('LOADREPORTINTERVALL', known), 'loadReportInterval');
});

names('nothing is near to a name that is another word', () => {
  assert.is(nearestName('colour', ['poll', 'path', 'branch']), undefined);
  assert.is(nearestName('', ['poll']), undefined);
  assert.is(nearestName('poll', []), undefined);
  assert.is(nearestName('x'.repeat(100_000), ['x'.repeat(99_999)]), undefined);
});

names('a socket address is read and written in one form', () => {
  const forms: readonly [string, string, number][] = [
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['localhost:0', 'localhost', 0],
    ['mesh-1.internal:65535', 'mesh-1.internal', 65535],
    ['[::1]:18000', '::1', 18000],
    ['[fe80::1:2]:1', 'fe80::1:2', 1],
  ];
  for (const [text, address, port] of forms) {
    assert.equal(parseHostPort(text), { address, port });
    assert.is(renderHostPort({ address, port }), text);
  }
});

names('what is no socket address is refused', () => {
  const wrong = ['8080', ':8080', 'host', 'host:', 'host:65536', 'host:1e3', 'host:-1', '::1:80'];
  const odd = [
    '[::1]',
    '[::zz]:1',
    '[1.2.3.4]:1',
    '1.2.3:80',
    '1.2.3.256:80',
    'a b:1',
    '-x:1',
    'http://a:1',
  ];
  for (const text of [...wrong, ...odd, '1.2.3.4.999:1', '']) {
    assert.is(parseHostPort(text), undefined, text);
  }
});

names('only addresses of this machine are loopback', () => {
  for (const address of ['127.0.0.1', '127.1.2.3', 'localhost', '::1', '0:0:0:0:0:0:0:1']) {
    assert.ok(isLoopback(address), address);
  }
  for (const address of ['0.0.0.0', '::', '10.0.0.1', '127.example.com', '127.0.0.1.nip.io', 'a']) {
    assert.not(isLoopback(address), address);
  }
});

names.run();
