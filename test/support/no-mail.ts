/** The rest of a store for loops whose notifications and history nobody asks for. */
import type { Store } from '../../controller/loop/ports.js';

export const noMail: Omit<Store, 'load' | 'commit'> = {
  history: async () => [],
  outbox: async () => [],
  delivered: async () => {},
  retryLater: async () => {},
  giveUp: async () => {},
  deadLetters: async () => [],
  close: async () => {},
};
