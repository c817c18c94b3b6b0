/** All attacks on the xDS port that a peer can make which may open streams. */
import type { Attack } from './attack.js';
import { frameAttacks } from './frame-attacks.js';
import { streamAttacks } from './stream-attacks.js';

export const attacks: readonly Attack[] = [...frameAttacks, ...streamAttacks];
