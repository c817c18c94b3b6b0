/** The first page: is what is served what Git asks for, what waits for a person, and what moves. */

import type { RepositoryView, SourceView } from '../../api/repository-view.ts';
import type { StatusView } from '../../api/view.ts';
import { nowMs, rollouts, running, status, waiting, waitingCount } from '../live.ts';
import { Badge, PhaseBadge } from '../parts/badge.tsx';

import { Age, Command, CommitLink, Empty, Section } from '../parts/basics.tsx';
import { HeldCard, RolloutCard } from '../parts/cards.tsx';
import { Headline } from '../parts/headline.tsx';
import { Problems } from '../parts/problems.tsx';
import { Replicas } from '../parts/replicas.tsx';
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
      <Headline status={view} />
      <Facts status={view} />
      {waitingCount.value > 0 && (
        <Section title="Waits for you" class="attention">
          {waiting.value.map((rollout) => (
            <RolloutCard key={rollout.id} rollout={rollout} />
          ))}
          {view.held.map((held) => (
            <HeldCard key={held.rollout} held={held} />
          ))}
        </Section>
      )}
      <Problems status={view} />
      <Section title="In flight" aside={<Command text="headgate rollouts" />}>
        {others.length === 0 ? (
          <Empty>
            {waitingCount.value > 0 ? 'Nothing else is on its way.' : 'No change is on its way.'}
          </Empty>
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
      <Replicas members={view.replicas} />
      <Words />
    </>
  );
}

const words: readonly (readonly [string, string])[] = [
  ['Rollout', 'One change on its way from Git to the proxies, step by step.'],
  ['Step', 'How far it has come: the share of requests, or of proxies, that get the new state.'],
  ['Baking', 'Every proxy acknowledged the step; now it must prove itself for a while.'],
  [
    'Gate',
    'A measurement with a limit. All must pass before the next step; one that fails takes back the whole rollout.',
  ],
  ['Served, actual', 'The weight that proxies were given, and the share that callers really sent.'],
  [
    'Held',
    'It was taken back, so it does not go out again until a commit changes it or somebody retries.',
  ],
];

/** For whoever sees all this for the first time, at night. */
function Words() {
  return (
    <details class="card">
      <summary>What the words on this page mean</summary>
      <dl class="words">
        {words.map(([word, meaning]) => (
          <div key={word}>
            <dt>{word}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Facts({ status: view }: { status: StatusView }) {
  const { connected, synced, rejected } = view.proxies;
  const waiting = connected - synced - rejected;
  const repositories =
    view.repositories.length === 0
      ? [{ name: '', revision: view.revision, source: view.source }]
      : view.repositories;
  return (
    <dl class="facts">
      {repositories.map((repository) => (
        <RepositoryFacts key={repository.name} status={view} repository={repository} />
      ))}
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
    </dl>
  );
}

function RepositoryFacts(props: { status: StatusView; repository: RepositoryView }) {
  const { commits } = props.status;
  const { name, revision, source } = props.repository;
  const { desired, applied, attempted } = revision;
  const of = name === '' ? '' : ` in ${name}`;
  return (
    <>
      <div>
        <dt>
          {attempted !== null && attempted !== desired ? 'Last valid commit' : 'Git asks for'}
          {of}
        </dt>
        <dd>{desired === null ? '–' : <CommitLink id={desired} commit={commits[desired]} />}</dd>
      </div>
      <div>
        <dt>Served in full{of}</dt>
        <dd>
          {applied === null ? (
            '–'
          ) : applied === desired ? (
            <Badge tone="good">the same</Badge>
          ) : (
            <CommitLink id={applied} commit={commits[applied]} />
          )}
        </dd>
      </div>
      <div>
        <dt>Repository {name}</dt>
        <dd>
          <Source source={source} />
        </dd>
      </div>
      {attempted !== null && attempted !== desired && (
        <div>
          <dt>Rejected{of}</dt>
          <dd>
            <CommitLink id={attempted} commit={commits[attempted]} />
          </dd>
        </div>
      )}
    </>
  );
}

function Source({ source }: { source: SourceView }) {
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
  if (source.fetchedPercent !== undefined) {
    return <Badge tone="busy">cloning, {source.fetchedPercent} %</Badge>;
  }
  return source.state === 'ok' ? <Badge tone="good">reached</Badge> : <>being read</>;
}
