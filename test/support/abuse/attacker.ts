/**
 * `attacker.js NAME ADDRESS PORT`: says that it has begun, plays the attack until stdin ends, and prints its
 * tally as JSON. In a process of its own, so that it takes no time from whoever measures what it does to others.
 */
import { setMaxListeners } from 'node:events';
import { present } from '../../../controller/base/assert.js';
import { newTally } from './attack.js';
import { attacks } from './attacks.js';

const [name, address = '', port] = process.argv.slice(2);
const attack = present(
  attacks.find((one) => one.name === name),
  `an attack of the name ${name}`,
);
const stop = new AbortController();
setMaxListeners(0, stop.signal);
process.stdin.resume();
process.stdin.on('end', () => stop.abort());
const tally = newTally();
process.once('exit', () => {
  const { ended, ...counts } = tally;
  process.stdout.write(`${JSON.stringify({ ...counts, ended: Object.fromEntries(ended) })}\n`);
});
stop.signal.addEventListener('abort', () => {
  // Whatever hangs on a server that is being attacked, the count is told.
  setTimeout(() => process.exit(), 500).unref();
});
process.stdout.write('begun\n');
await attack.play({ address, port: Number(port) }, stop.signal, tally);
process.exit();
