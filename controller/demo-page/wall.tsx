/**
 * The wall: a square for each real request, filled row by row and round again, so that nothing moves but
 * what is new. What it shows is said in figures below it, which is also all that a screen reader is told.
 */
import { percent } from '../dashboard/format.ts';
import { Section } from '../dashboard/parts/basics.tsx';
import type { AnswerView } from '../demo/view.ts';
import { board, recent, versionOf, type Wall, wall, wallSize } from './story.ts';

/** Squares before the newest that fade, so that one sees where the wall is being written. */
const gap = 8;

export function RequestWall() {
  const perSecond = board.value?.requestsPerSecond ?? 0;
  return (
    <Section
      title="Every square is a real request through Envoy"
      class="wall-card"
      aside={<span class="muted small">{perSecond} a second; the newest 12 seconds</span>}
    >
      <Squares wall={wall.value} />
      <Key />
    </Section>
  );
}

function Squares({ wall: { squares, next } }: { wall: Wall }) {
  return (
    <div class="wall" aria-hidden="true">
      {squares.map((answer, index) => {
        const ahead = (index - next + wallSize) % wallSize;
        return <i key={index} class={`${squareClass(answer)}${ahead < gap ? ' fading' : ''}`} />;
      })}
    </div>
  );
}

function squareClass(answer: AnswerView | undefined): string {
  if (answer === undefined) {
    return '';
  }
  if (answer === 'lost') {
    return 'lost';
  }
  return answer.endsWith('!') ? `${versionOf(answer)} error` : answer;
}

function Key() {
  const { shares, errors, lost, count } = recent.value;
  const failed = count === 0 ? 0 : (100 * (errors + lost)) / count;
  return (
    <dl class="wall-key">
      {shares.map(({ version, percent: share }) => (
        <div key={version} class={share === 0 ? 'none' : ''}>
          <dt>
            <i class={version} aria-hidden="true" /> answered by {version}
          </dt>
          <dd>{percent(Math.round(share))}</dd>
        </div>
      ))}
      <div class={failed === 0 ? 'none' : 'bad-text'}>
        <dt>
          <i class="error" aria-hidden="true" /> errors
        </dt>
        <dd>{percent(Math.round(failed))}</dd>
      </div>
    </dl>
  );
}
