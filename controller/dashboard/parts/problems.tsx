/** What is wrong with the newest commit, each with its place. */
import type { StatusView } from '../../api/view.ts';
import type { Problem } from '../../base/problem.ts';
import { placeOf, shortId } from '../format.ts';
import { Badge } from './badge.tsx';
import { Command, CommitLink, Section } from './basics.tsx';
import { WayOut } from './cards.tsx';
import { useJson } from './load.ts';

/** Of the first error. */
function firstCode(problems: readonly Problem[]): string {
  return problems.find(({ severity }) => severity === 'error')?.code ?? '';
}

export function Problems({ status: view }: { status: StatusView }) {
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
              {problem.file === '' ? shortId(attempted ?? '') : placeOf(problem)}
            </span>
            <Badge tone={problem.severity === 'error' ? 'bad' : 'warn'}>{problem.code}</Badge>
            <span>{problem.message}</span>
          </li>
        ))}
      </ul>
      {errors > 0 && attempted !== null && (
        <>
          <WayOut revision={attempted} />
          <p class="line">
            What a code means: <Command text={`headgate explain ${firstCode(value)}`} />
          </p>
        </>
      )}
    </Section>
  );
}
