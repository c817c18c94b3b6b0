/** Two replicas as the one that follows sees them. */
import type { MemberView } from '../../controller/replicas/view.js';

const position = { epoch: 3, seq: 7 };

export const twoReplicas: MemberView = {
  name: 'b',
  role: 'following',
  epoch: 3,
  leader: 'a',
  position,
  replicas: [
    {
      name: 'b',
      role: 'following',
      version: '1.2.3',
      xds: '10.0.0.2:18000',
      http: '10.0.0.2:8080',
      proxies: 1,
      silentMs: 0,
      position,
    },
    {
      name: 'a',
      role: 'leading',
      version: '1.2.3',
      xds: '10.0.0.1:18000',
      http: '10.0.0.1:8080',
      proxies: 2,
      silentMs: 900,
      position,
    },
  ],
};
