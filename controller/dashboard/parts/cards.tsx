/** A rollout, and a change that is held, each with all that one needs to decide about it. */
import type { RolloutView } from '../../api/rollout-view.ts';
import type { StatusView } from '../../api/view.ts';
import { shortId } from '../format.ts';
import { rolloutsById } from '../live.ts';
import { pathOf } from '../router.ts';
import { Actions } from './actions.tsx';
import { Badge, PhaseBadge } from './badge.tsx';
import { Age, Command, CommitLink } from './basics.tsx';
import { GateLines, StepRail, Waiting, WeightBars } from './rollout-parts.tsx';

export function RolloutCard({ rollout }: { rollout: RolloutView }) {
  return (
    <article class="row-card">
      <header class="row-head">
        <h3>
          <a href={pathOf('rollouts', rollout.id)}>{rollout.name}</a>
        </h3>
        <PhaseBadge phase={rollout.phase} />
        <CommitLink id={rollout.revision} commit={rollout.commit} />
        <span class="spread muted">
          {rollout.step.index === 0
            ? 'not begun'
            : `step ${rollout.step.index} of ${rollout.step.count}`}{' '}
          · {rollout.endedAt === undefined ? 'began' : 'ended'}{' '}
          <Age at={rollout.endedAt ?? rollout.startedAt} />
        </span>
      </header>
      <Waiting rollout={rollout} />
      <StepRail rollout={rollout} />
      {rollout.targets.length > 0 && <WeightBars rollout={rollout} />}
      {rollout.gates.length > 0 && <GateLines gates={rollout.gates} />}
      <Actions rollout={rollout} />
    </article>
  );
}

/** What ends a hold beside a retry, which is a button. */
export function WayOut({ revision }: { revision: string }) {
  return (
    <p class="line">
      <strong>What to do: </strong>
      commit a fix, or take it back: <Command text={`git revert ${shortId(revision)}`} />
    </p>
  );
}

export function HeldCard({ held }: { held: StatusView['held'][number] }) {
  return (
    <article class="row-card">
      <header class="row-head">
        <h3>
          <a href={pathOf('rollouts', held.rollout)}>{held.name}</a>
        </h3>
        <Badge tone="bad">Held</Badge>
        <CommitLink id={held.revision} commit={rolloutsById.value?.get(held.rollout)?.commit} />
        <span class="spread muted">
          taken back <Age at={held.since} />
        </span>
      </header>
      <p class="why">
        <strong class="bad-text">It was taken back: </strong>
        {held.reason}
      </p>
      <p>
        Everybody is served what they had before. Git still asks for the change, so it is held: it
        does not go out again by itself.
      </p>
      <WayOut revision={held.revision} />
      <Actions rollout={{ id: held.rollout, phase: 'RolledBack' }} />
    </article>
  );
}
