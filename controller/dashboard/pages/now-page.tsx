/** The first page: is what is served what Git asks for, what waits for a person, and what moves. */

import type { RolloutView } from '../../api/rollout-view.ts';
import type { StatusView } from '../../api/view.ts';
import type { Problem } from '../../base/problem.ts';
import { plural, shortId } from '../format.ts';
import { nowMs, rollouts, rolloutsById, running, status, waiting, waitingCount } from '../live.ts';
import { Actions } from '../parts/actions.tsx';
import { Badge, PhaseBadge, type Tone } from '../parts/badge.tsx';
import { Age, Command, CommitLink, Empty, Section } from '../parts/basics.tsx';
import { useJson } from '../parts/load.ts';
import { GateLines, StepRail, Waiting, WeightBars } from '../parts/rollout-parts.tsx';
import { pathOf } from '../router.ts';

/** Ended rollouts that are still news. */
const recentMax = 5;

export function NowPage() {
  const view = status.value;
  if (view === undefined) {
    return <Empty>Waiting for the controller…</Empty>;
  }
  const others = running.value.filter((one) => !waiting.value.includes(one));
  const recent = rollouts.value.filter(({ endedAt }) => endedAt !== undefined).slice(0, recentMax);
  return (
    <>
      <Headline status={view} count={waitingCount.value} />
      <Facts status={view} />
      {waitingCount.value > 0 && (
        <Section title="Waits for you" class="attention">
          {waiting.value.map((rollout) => (
            <RolloutCard key={rollout.id} rollout={rollout} />
          ))}
          {view.held.map((held) => (
            <article class="row-card" key={held.rollout}>
              <header class="row-head">
                <h3>
                  <a href={pathOf('rollouts', held.rollout)}>{held.name}</a>
                </h3>
                <Badge tone="bad">Held</Badge>
                <CommitLink
                  id={held.revision}
                  commit={rolloutsById.value?.get(held.rollout)?.commit}
                />
                <span class="spread muted">
                  <Age at={held.since} />
                </span>
              </header>
              <p class="why">
                <strong class="bad-text">It failed: </strong>
                {held.reason}
              </p>
              <p class="muted">
                Git still asks for it; the last good state is served. Fix it with a new commit,
                revert it, or try it again.
              </p>
              <Actions rollout={{ id: held.rollout, phase: 'RolledBack' }} />
            </article>
          ))}
        </Section>
      )}
      <Problems status={view} />
      <Section title="In flight" aside={<Command text="headgate rollouts" />}>
        {others.length === 0 ? (
          <Empty>{waitingCount.value > 0 ? 'Nothing else moves.' : 'Nothing moves.'}</Empty>
        ) : (
          others.map((rollout) => <RolloutCard key={rollout.id} rollout={rollout} />)
        )}
      </Section>
      {recent.length > 0 && (
        <Section title="Ended lately" aside={<a href="/rollouts">All rollouts</a>}>
          <ul class="plain-list">
            {recent.map((rollout) => (
              <li key={rollout.id} class="line">
                <PhaseBadge phase={rollout.phase} />
                <a href={pathOf('rollouts', rollout.id)}>{rollout.name}</a>
                <span class="grow muted ellipsis">{rollout.commit.title}</span>
                <span class="muted">
                  <Age at={rollout.endedAt ?? rollout.startedAt} />
                </span>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

/** The state of everything in one sentence. */
function Headline({ status: view, count }: { status: StatusView; count: number }) {
  const [tone, text, more] = sentence(view, count);
  return (
    <div class={`headline ${tone}`}>
      <h1>{text}</h1>
      <p>{more}</p>
    </div>
  );
}

function sentence(view: StatusView, count: number): readonly [Tone, string, string] {
  const names = view.rollouts.map(({ name }) => name).join(', ');
  const moving =
    view.rollouts.length === 0
      ? ''
      : `${plural(view.rollouts.length, 'rollout')} in flight: ${names}.`;
  if (view.revision.attempted === null) {
    return ['calm', 'Waiting for the first commit', view.source.error?.message ?? ''];
  }
  if (count > 0) {
    return ['warn', `${plural(count, 'thing')} ${count === 1 ? 'waits' : 'wait'} for you`, moving];
  }
  if (view.revision.error !== undefined) {
    return ['bad', 'The newest commit is rejected', 'What was served before it stays served.'];
  }
  if (view.rollouts.length > 0) {
    return ['busy', `Rolling out ${names}`, 'Nothing waits for you.'];
  }
  if (view.source.state === 'failing') {
    return ['warn', 'Git cannot be reached', 'What was served stays served, and rollouts go on.'];
  }
  if (view.proxies.rejected > 0) {
    const count = plural(view.proxies.rejected, 'proxy refuses', 'proxies refuse');
    return ['bad', `${count} its configuration`, 'See Proxies for its words.'];
  }
  return ['good', 'Served is what Git asks for', 'Nothing moves, nothing waits for you.'];
}

function Facts({ status: view }: { status: StatusView }) {
  const { desired, applied, attempted } = view.revision;
  const { connected, synced, rejected } = view.proxies;
  const waiting = connected - synced - rejected;
  return (
    <dl class="facts">
      <div>
        <dt>Git asks for</dt>
        <dd>
          {desired === null ? '–' : <CommitLink id={desired} commit={view.commits[desired]} />}
        </dd>
      </div>
      <div>
        <dt>Served in full</dt>
        <dd>
          {applied === desired ? (
            <Badge tone="good">the same</Badge>
          ) : applied === null ? (
            '–'
          ) : (
            <CommitLink id={applied} commit={view.commits[applied]} />
          )}
        </dd>
      </div>
      <div>
        <dt>Proxies</dt>
        <dd>
          <a href="/proxies">
            {synced} of {connected} synced
          </a>
          {rejected > 0 && <Badge tone="bad">{rejected} rejected</Badge>}
          {waiting > 0 && <Badge tone="busy">{waiting} on the way</Badge>}
        </dd>
      </div>
      <div>
        <dt>Repository</dt>
        <dd>
          <Source status={view} />
        </dd>
      </div>
      {attempted !== null && attempted !== desired && (
        <div>
          <dt>Rejected</dt>
          <dd>
            <CommitLink id={attempted} commit={view.commits[attempted]} />
          </dd>
        </div>
      )}
    </dl>
  );
}

function Source({ status: { source } }: { status: StatusView }) {
  if (source.error !== undefined) {
    const { message, retryAt } = source.error;
    const seconds = Math.ceil((Date.parse(retryAt ?? '') - nowMs.value) / 1000);
    return (
      <>
        <Badge tone="warn">cannot be reached</Badge> <span class="small">{message}</span>
        {seconds > 0 && <span class="muted small"> next try in {seconds} s</span>}
      </>
    );
  }
  return source.state === 'ok' ? <Badge tone="good">reached</Badge> : <>being read</>;
}

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
          · <Age at={rollout.startedAt} />
        </span>
      </header>
      <Waiting rollout={rollout} />
      <StepRail rollout={rollout} />
      {rollout.targets.length > 0 && <WeightBars targets={rollout.targets} />}
      {rollout.gates.length > 0 && <GateLines gates={rollout.gates} />}
      <Actions rollout={rollout} />
    </article>
  );
}

function Problems({ status: view }: { status: StatusView }) {
  const { value } = useJson<readonly Problem[]>('/api/v1/problems', { isLive: true });
  if (value === undefined || value.length === 0) {
    return null;
  }
  const errors = value.filter(({ severity }) => severity === 'error').length;
  const { attempted } = view.revision;
  return (
    <Section
      title={errors > 0 ? 'Why the newest commit is rejected' : 'Warnings of the newest commit'}
      class={errors > 0 ? 'alarm' : ''}
      aside={attempted !== null && <CommitLink id={attempted} commit={view.commits[attempted]} />}
    >
      <ul class="problems">
        {value.map((problem, index) => (
          <li key={index}>
            <span class="mono place">
              {problem.file === '' ? shortId(attempted ?? '') : `${problem.file}:${problem.line}`}
            </span>
            <Badge tone={problem.severity === 'error' ? 'bad' : 'warn'}>{problem.code}</Badge>
            <span>{problem.message}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
