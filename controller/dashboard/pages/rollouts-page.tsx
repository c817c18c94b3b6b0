/** All rollouts that are kept, newest first. */
import { rollouts, rolloutsById } from '../live.ts';
import { PhaseBadge } from '../parts/badge.tsx';
import { Age, Command, CommitLink, Empty, Section, Wide } from '../parts/basics.tsx';
import { pathOf } from '../router.ts';

export function RolloutsPage() {
  return (
    <Section isPage title="Rollouts" aside={<Command text="headgate rollouts" />}>
      {rolloutsById.value === undefined && <Empty>Waiting for the controller…</Empty>}
      {rolloutsById.value?.size === 0 && <Empty>No commit has changed the mesh yet.</Empty>}
      {rollouts.value.length > 0 && (
        <Wide label="Table of rollouts">
          <table class="stacks">
            <thead>
              <tr>
                <th scope="col">Rollout</th>
                <th scope="col">Phase</th>
                <th scope="col">Step</th>
                <th scope="col">Commit</th>
                <th scope="col">Why</th>
                <th scope="col">Began</th>
              </tr>
            </thead>
            <tbody>
              {rollouts.value.map((rollout) => (
                <tr key={rollout.id}>
                  <th scope="row">
                    <a href={pathOf('rollouts', rollout.id)}>{rollout.id}</a>
                  </th>
                  <td>
                    <PhaseBadge phase={rollout.phase} />
                  </td>
                  <td class="number" data-label="step">
                    {rollout.step.index}/{rollout.step.count}
                  </td>
                  <td class="row">
                    <CommitLink id={rollout.revision} commit={rollout.commit} />
                  </td>
                  <td class="muted row">{rollout.reason}</td>
                  <td class="muted nowrap" data-label="began">
                    <Age at={rollout.startedAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
    </Section>
  );
}
