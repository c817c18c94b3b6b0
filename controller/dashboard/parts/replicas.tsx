/** The replicas, where there are several: who leads, who is there, and how many proxies each serves. */
import type { StatusView } from '../../api/view.ts';
import { duration } from '../format.ts';
import { Badge, type Tone } from './badge.tsx';
import { Section, Wide } from './basics.tsx';

type Members = NonNullable<StatusView['replicas']>;
type Role = Members['role'];

const roles: Readonly<Record<Role, readonly [Tone, string]>> = {
  leading: ['good', 'leads'],
  following: ['calm', 'follows'],
  held: ['bad', 'holds: the database has lost commits'],
  leftBehind: ['bad', 'left behind: a newer version has changed the tables'],
};

/** Longer without a word, and a person should know: each says something every second. */
const silentMs = 5_000;

export function Replicas({ members }: { members: Members | undefined }) {
  if (members === undefined || members.replicas.length < 2) {
    return null;
  }
  return (
    <Section title="Replicas">
      {members.leader === undefined && (
        <p class="bad-text">Nobody leads: proxies keep what they have, and nothing advances.</p>
      )}
      <Wide label="Table of replicas">
        <table class="dense">
          <thead>
            <tr>
              <th scope="col">Replica</th>
              <th scope="col">Role</th>
              <th scope="col" class="number">
                Proxies
              </th>
              <th scope="col">Heard of</th>
              <th scope="col">xDS</th>
              <th scope="col">Version</th>
            </tr>
          </thead>
          <tbody>
            {members.replicas.map((replica, index) => (
              <tr key={replica.name}>
                <th scope="row">
                  <a href={`/proxies?find=${encodeURIComponent(`@${replica.name}`)}`}>
                    {replica.name}
                  </a>
                </th>
                <td>
                  <Badge tone={roles[replica.role][0]}>{roles[replica.role][1]}</Badge>
                </td>
                <td class="number">{replica.proxies}</td>
                <td class={replica.silentMs > silentMs ? 'bad-text' : 'muted'}>
                  {index === 0 ? 'shows this page' : `${duration(replica.silentMs)} ago`}
                </td>
                <td class="mono muted">{replica.xds}</td>
                <td class="muted">{replica.version}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </Section>
  );
}
