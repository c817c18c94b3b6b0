/** One rollout: where it is and why, its weights and gates over time, what happened, and what to press. */
import type { HistoryView } from '../../api/history-view.ts';
import type {
  GatePointView,
  RolloutHistoryView,
  TargetPointView,
} from '../../api/rollout-history.ts';
import type { GateView, RolloutView, TargetView } from '../../api/rollout-view.ts';
import { plural } from '../../base/plural.ts';
import { clock, percent } from '../format.ts';
import { rolloutsById, status } from '../live.ts';
import { Actions } from '../parts/actions.tsx';
import { Badge, PhaseBadge, VerdictBadge } from '../parts/badge.tsx';
import { Age, Command, CommitLink, Empty, Section, Wide } from '../parts/basics.tsx';
import { WayOut } from '../parts/cards.tsx';
import { Chart, type Curve } from '../parts/chart.tsx';
import { HistoryList } from '../parts/history-list.tsx';
import { useJson } from '../parts/load.ts';
import { Bar, StepRail, targetKey, Waiting } from '../parts/rollout-parts.tsx';
import { pathOf } from '../router.ts';

export function RolloutPage({ id }: { id: string }) {
  const rollout = rolloutsById.value?.get(id);
  const isRunning = rollout !== undefined && rollout.endedAt === undefined;
  const path = `/api/v1/rollouts/${encodeURIComponent(id)}/history`;
  const history = useJson<RolloutHistoryView>(path, { isLive: isRunning });
  const entries = useJson<readonly HistoryView[]>(
    `/api/v1/history?limit=50&rollout=${encodeURIComponent(id)}`,
    { isLive: isRunning },
  );
  if (rolloutsById.value === undefined) {
    return <Empty>Waiting for the controller…</Empty>;
  }
  if (rollout === undefined) {
    return <Empty>There is no rollout {id}, or it ended too long ago to be kept.</Empty>;
  }
  const isHeld = status.value?.held.some((held) => held.rollout === id) ?? false;
  return (
    <>
      <header class="page-head">
        <p class="crumbs">
          <a href="/rollouts">Rollouts</a> <span aria-hidden="true">/</span> {id}
        </p>
        <div class="row-head">
          <h1>{rollout.name}</h1>
          <PhaseBadge phase={rollout.phase} />
          <CommitLink id={rollout.revision} commit={rollout.commit} />
        </div>
        <Waiting rollout={rollout} />
        {isHeld && (
          <>
            <p>
              The change is held: Git still asks for it, and everybody is served what they had
              before.
            </p>
            <WayOut revision={rollout.revision} />
          </>
        )}
        {!isHeld && wasTakenBack(rollout) && (
          <p>
            Everybody was given back what they had before. The change is not held any more: a newer
            commit, or a retry, has taken its place.
          </p>
        )}
        <Actions rollout={rollout} />
      </header>
      <Section
        title="Steps"
        aside={
          <span class="muted small">
            policy {rollout.policy ?? 'built in'} · began <Age at={rollout.startedAt} />
          </span>
        }
      >
        <StepRail rollout={rollout} isLarge />
      </Section>
      <div class="columns">
        {rollout.targets.length > 0 && <Weights rollout={rollout} history={history.value} />}
        <Gates rollout={rollout} history={history.value} />
      </div>
      <div class="columns">
        <Section title="What happened">
          <HistoryList entries={entries.value} empty="Nothing yet." about={id} />
        </Section>
        <Section title="What it changes">
          <ul class="plain-list">
            {rollout.changes.map((change) => (
              <li key={`${change.kind}/${change.name}/${change.route ?? ''}`} class="line">
                <span class="mono sign">{signs[change.action] ?? '~'}</span>
                <a href={pathOf('mesh', rollout.mesh, change.kind, change.name)}>
                  {change.kind} {change.name}
                </a>
                {change.route !== undefined && <span>route {change.route}</span>}
                <span class="muted">{change.class}</span>
              </li>
            ))}
          </ul>
          <p class="muted small">
            <a href={pathOf('changes', rollout.revision)}>Field by field, beside the YAML</a>
          </p>
          <Command text={`headgate rollouts ${id}`} />
        </Section>
      </div>
    </>
  );
}

function wasTakenBack({ phase }: RolloutView): boolean {
  return phase === 'RolledBack' || phase === 'Aborted';
}

const signs: Readonly<Record<string, string>> = { created: '+', configured: '~', deleted: '−' };

function Weights(props: { rollout: RolloutView; history: RolloutHistoryView | undefined }) {
  const { rollout, history } = props;
  return (
    <Section title="Weights">
      <Wide label="Table of weights">
        <table class="dense">
          <thead>
            <tr>
              <th scope="col">Target</th>
              <th scope="col" class="number">
                Before
              </th>
              <th scope="col" class="number">
                In the end
              </th>
              <th scope="col" class="number">
                Served now
              </th>
              <th scope="col" class="number">
                Actual
              </th>
            </tr>
          </thead>
          <tbody>
            {rollout.targets.map((target) => (
              <tr key={targetKey(target)}>
                <th scope="row">
                  <a href={pathOf('mesh', rollout.mesh, 'VirtualNode', target.virtualNode)}>
                    {target.virtualNode}
                  </a>
                  <Bar target={target} />
                </th>
                <td class="number">{percent(target.applied)}</td>
                <td class="number">{percent(target.desired)}</td>
                <td class="number strong">{percent(target.served)}</td>
                <td class="number">{percent(target.actual)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      <p class="muted small">
        Served now: the weight that proxies were given. Actual: where requests really went in the
        last ten seconds, as callers' Envoys reported it.
      </p>
      {rollout.targets.filter(isGaining).map((target) => (
        <TargetChart key={targetKey(target)} target={target} history={history} />
      ))}
    </Section>
  );
}

function isGaining(target: TargetView): boolean {
  return target.desired > target.applied;
}

function TargetChart(props: { target: TargetView; history: RolloutHistoryView | undefined }) {
  const points: readonly TargetPointView[] = props.history?.targets[targetKey(props.target)] ?? [];
  if (points.length < 2) {
    return null;
  }
  const { virtualNode, served, actual } = props.target;
  return (
    <figure>
      <figcaption>
        % of requests to {virtualNode}: <span class="key accent">served</span>{' '}
        <span class="key good">actual</span>
      </figcaption>
      <Chart
        label={`Weight of ${virtualNode}: ${percent(served)} served, ${percent(actual)} actual`}
        times={points.map(secondsOf)}
        heightPx={150}
        within={[0, 100]}
        curves={[
          {
            name: 'served',
            color: '--accent',
            isStepped: true,
            values: points.map((point) => point.served),
          },
          { name: 'actual', color: '--good', values: points.map((point) => point.actual) },
        ]}
      />
    </figure>
  );
}

function Gates(props: { rollout: RolloutView; history: RolloutHistoryView | undefined }) {
  const { rollout, history } = props;
  const gates = rollout.gates.length > 0 ? rollout.gates : (rollout.evidence.at(-1)?.gates ?? []);
  return (
    <Section title="Gates">
      {gates.length === 0 && <Empty>No gate has measured anything yet.</Empty>}
      {gates.map((gate) => (
        <article key={gate.name} class="gate">
          <header class="row-head">
            <h3>{gate.name}</h3>
            <VerdictBadge verdict={gate.verdict} />
            {gate.dryRun === true && <Badge tone="calm">dry run: decides nothing</Badge>}
            {gate.failures > 0 && (
              <span class="bad-text">failed {plural(gate.failures, 'time')}</span>
            )}
          </header>
          <p>{gate.text || 'Nothing was measured in this step yet.'}</p>
          <GateChart gate={gate} points={history?.gates[gate.name] ?? []} />
        </article>
      ))}
      {rollout.evidence.length > 0 && (
        <details>
          <summary>Verdicts on which steps were left</summary>
          <ul class="plain-list">
            {rollout.evidence.flatMap(({ step, at, gates: left }) =>
              left.map((gate) => (
                <li key={`${step}/${gate.name}`} class="line">
                  <span class="nowrap">step {step}</span>
                  <VerdictBadge verdict={gate.verdict} />
                  <span class="grow">{gate.text || gate.name}</span>
                  <time class="muted" dateTime={at}>
                    {clock(at)}
                  </time>
                </li>
              )),
            )}
          </ul>
        </details>
      )}
    </Section>
  );
}

function GateChart({ gate, points }: { gate: GateView; points: readonly GatePointView[] }) {
  const measured = points.flatMap(({ observed }) => (observed === null ? [] : [observed]));
  if (points.length < 2 || measured.length === 0) {
    return null;
  }
  const { limit } = gate;
  const limits = limit === null ? [] : [limit];
  const observed: Curve = {
    name: 'observed',
    color: '--accent',
    values: points.map((point) => point.observed),
  };
  const line = limits.map(
    (value): Curve => ({
      name: 'limit',
      color: '--bad',
      isDashed: true,
      values: points.map(() => value),
    }),
  );
  return (
    <figure>
      <figcaption>
        <span class="key accent">observed</span>{' '}
        {limit !== null && <span class="key bad dashed">limit {limit}</span>}
      </figcaption>
      <Chart
        label={`${gate.name}: ${gate.text || 'not measured'}`}
        times={points.map(secondsOf)}
        heightPx={130}
        within={[Math.min(...limits, ...measured), Math.max(...limits, ...measured)]}
        curves={[...line, observed]}
      />
    </figure>
  );
}

function secondsOf({ at }: { readonly at: string }): number {
  return Date.parse(at) / 1000;
}
