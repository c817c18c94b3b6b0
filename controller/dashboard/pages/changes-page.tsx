/** Commits as they were seen, and what each changed: its meaning for the mesh beside the words in YAML. */
import type { RevisionView } from '../../api/history-view.ts';
import type { FileDiffView, RevisionDiffView } from '../../api/revision-view.ts';
import { plural } from '../../base/plural.ts';
import type { Problem } from '../../base/problem.ts';
import { person, placeOf, shortId } from '../format.ts';
import { status } from '../live.ts';
import { Badge, PhaseBadge } from '../parts/badge.tsx';
import { Age, Command, Empty, Failure, Section } from '../parts/basics.tsx';
import { DiffCode } from '../parts/code.tsx';
import { useJson } from '../parts/load.ts';
import { pathOf } from '../router.ts';

export function ChangesPage({ id }: { id?: string }) {
  const { value, error } = useJson<readonly RevisionView[]>('/api/v1/revisions?limit=100', {
    isLive: true,
  });
  const chosen = id ?? value?.[0]?.id;
  return (
    <div class="with-list">
      <Section title="Changes" aside={<Command text="headgate history" />}>
        {error !== undefined && <Failure message={error} />}
        {value?.length === 0 && <Empty>No commit was seen yet.</Empty>}
        <ul class="nav-list">
          {value?.map((revision) => (
            <li key={revision.entry}>
              <a
                href={pathOf('changes', revision.id)}
                aria-current={revision.id === chosen ? 'true' : undefined}
              >
                <span class="line">
                  <span class="mono">{shortId(revision.id)}</span>
                  <Verdict revision={revision} />
                  <span class="spread muted small">
                    <Age at={revision.at} />
                  </span>
                </span>
                <span class="nav-title">{revision.title || 'no message'}</span>
                <span class="muted small">
                  {person(revision.author)}
                  {revision.repository !== undefined && ` in ${revision.repository}`}
                </span>
              </a>
            </li>
          ))}
        </ul>
      </Section>
      {chosen !== undefined && <Difference id={chosen} />}
    </div>
  );
}

function Verdict({ revision: { verdict, problems } }: { revision: RevisionView }) {
  const isGood = verdict === 'accepted';
  const more = problems > 0 ? `, ${plural(problems, 'problem')}` : '';
  return (
    <Badge tone={isGood ? 'good' : 'bad'}>
      {verdict}
      {more}
    </Badge>
  );
}

function Difference({ id }: { id: string }) {
  const path = `/api/v1/revisions/${encodeURIComponent(id)}/diff`;
  const { value, error } = useJson<RevisionDiffView>(path, { isLive: false });
  if (value === undefined) {
    return (
      <Section title={shortId(id)}>
        {error === undefined ? <Empty>Being compared…</Empty> : <Failure message={error} />}
      </Section>
    );
  }
  const { revision, previous } = value;
  return (
    <div class="stack">
      <header class="page-head">
        <h1>{revision.title || 'No message'}</h1>
        <p class="line">
          <span class="mono">{id}</span>
          <Verdict revision={revision} />
          <span>
            {person(revision.author)}
            {revision.repository !== undefined && ` in ${revision.repository}`}
          </span>
          <span class="muted">
            <Age at={revision.committedAt} />
          </span>
        </p>
        <p class="muted small">
          {previous === null ? (
            'The first commit that was seen.'
          ) : (
            <>
              Compared with <a href={pathOf('changes', previous)}>{shortId(previous)}</a>, seen
              before it.
            </>
          )}
        </p>
      </header>
      <div class="columns">
        <Meaning view={value} />
        <Files files={value.files} isFirst={previous === null} />
      </div>
    </div>
  );
}

function Meaning({ view }: { view: RevisionDiffView }) {
  const { revision, changes, previous } = view;
  const isNewest =
    status.value?.revision.attempted === revision.id ||
    status.value?.repositories.some((one) => one.revision.attempted === revision.id) === true;
  const problems = useJson<readonly Problem[]>('/api/v1/problems', { isLive: isNewest });
  const shown =
    isNewest && revision.verdict !== 'accepted' ? problemsOf(problems.value, revision) : [];
  const nothing =
    revision.verdict !== 'accepted'
      ? 'It is rejected, so it changed nothing.'
      : previous === null
        ? 'Everything is new: it was served at once.'
        : 'It started no rollout that is still kept.';
  return (
    <Section title="What it means">
      {shown.length > 0 && (
        <ul class="problems">
          {shown.map((problem, index) => (
            <li key={index}>
              <span class="mono place">{placeOf(problem)}</span>
              <Badge tone="bad">{problem.code}</Badge>
              <span>{problem.message}</span>
            </li>
          ))}
        </ul>
      )}
      {changes.length === 0 && <Empty>{nothing}</Empty>}
      {changes.map((change) => (
        <article key={change.rollout} class="gate">
          <header class="row-head">
            <h3>
              <a href={pathOf('rollouts', change.rollout)}>{change.rollout}</a>
            </h3>
            <PhaseBadge phase={change.phase} />
          </header>
          <ul class="meaning">
            {change.lines.map((line) => (
              <li key={line} class={line.startsWith('      ') ? 'detail' : 'subject'}>
                {line.trim()}
              </li>
            ))}
          </ul>
        </article>
      ))}
    </Section>
  );
}

/** Those of the revision's repository; where it has none of its own, what it breaks in others. */
function problemsOf(
  problems: readonly Problem[] = [],
  { repository }: RevisionView,
): readonly Problem[] {
  const own = problems.filter((problem) => problem.repository === repository);
  return own.length > 0 ? own : problems;
}

function Files({ files, isFirst }: { files: readonly FileDiffView[] | null; isFirst: boolean }) {
  return (
    <Section title="In YAML">
      {files === null && (
        <Empty>The files of one of the two commits are not at hand any more.</Empty>
      )}
      {files?.length === 0 && <Empty>No file of the mesh differs.</Empty>}
      {files?.map(({ path, action, lines }) => (
        <details key={path} open={!isFirst}>
          <summary>
            <span class="mono">{path}</span> <span class="muted">{action}</span>
          </summary>
          <DiffCode label={`Difference of ${path}`} lines={lines} />
        </details>
      ))}
    </Section>
  );
}
