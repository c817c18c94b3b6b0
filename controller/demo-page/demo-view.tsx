/** The demo on one page: what happens, the wall, what to press, what was run, and the mesh. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { plural } from '../base/plural.ts';
import { postJson } from '../dashboard/api.ts';
import { rollouts, running, status } from '../dashboard/live.ts';
import { Empty, Failure, Section } from '../dashboard/parts/basics.tsx';
import { HeldCard, RolloutCard } from '../dashboard/parts/cards.tsx';
import { GraphPicture, Legend } from '../dashboard/parts/graph.tsx';
import { Headline } from '../dashboard/parts/headline.tsx';
import { Problems } from '../dashboard/parts/problems.tsx';
import { useGraph } from '../dashboard/parts/watch.ts';
import type { ButtonView, ChapterView } from '../demo/view.ts';
import { board } from './story.ts';
import { RequestWall } from './wall.tsx';

export function DemoView() {
  const view = status.value;
  const mesh = view?.meshes[0]?.name;
  const graph = useGraph(mesh);
  if (view === undefined || board.value === undefined) {
    return <Empty>The stage is being set…</Empty>;
  }
  return (
    <>
      <Headline status={view} />
      <div class="line">
        <Chapters chapters={board.value.chapters} />
        <a class="spread small" href="/proxies">
          {view.proxies.synced} of{' '}
          {plural(view.proxies.connected, 'connected proxy', 'connected proxies')} synced
        </a>
      </div>
      <div class="demo-columns">
        <div class="stack">
          <RequestWall />
          <Problems status={view} />
          <Rollout />
          <MeshCard graph={graph} />
        </div>
        <div class="stack">
          <Buttons buttons={board.value.buttons} />
          <Terminal />
        </div>
      </div>
    </>
  );
}

const chapterSigns: Readonly<Record<ChapterView['state'], string>> = {
  next: '○',
  present: '●',
  done: '✓',
  failed: '✕',
};

function Chapters({ chapters }: { chapters: readonly ChapterView[] }) {
  const isOver = chapters.every(({ state }) => state === 'done' || state === 'failed');
  return (
    <ol class="chapters" aria-label="The story">
      {chapters.map(({ title, state }) => (
        <li key={title} class={state} aria-current={state === 'present' ? 'step' : undefined}>
          <span aria-hidden="true">{chapterSigns[state]}</span> {title}
          {state !== 'next' && <span class="sr-only">, {state}</span>}
        </li>
      ))}
      <li class={isOver ? 'present' : 'next'} aria-current={isOver ? 'step' : undefined}>
        <span aria-hidden="true">{isOver ? '●' : '○'}</span> Your turn
      </li>
    </ol>
  );
}

/** The rollout that is in flight; else what is held; else the one that ended last. */
function Rollout() {
  const rollout = running.value[0];
  const held = status.value?.held[0];
  const last = rollouts.value[0];
  if (rollout !== undefined) {
    return (
      <Section title="The rollout">
        <RolloutCard rollout={rollout} />
      </Section>
    );
  }
  if (held !== undefined) {
    return (
      <Section title="Taken back, and held" class="attention">
        <HeldCard held={held} />
      </Section>
    );
  }
  return (
    <Section title="The last rollout">
      {last === undefined ? <Empty>None yet.</Empty> : <RolloutCard rollout={last} />}
    </Section>
  );
}

function MeshCard({ graph }: { graph: ReturnType<typeof useGraph> }) {
  return (
    <Section title="The mesh" class="mesh-card" aside={<a href="/mesh">In full</a>}>
      {graph === undefined || graph === null ? (
        <Empty>Being drawn…</Empty>
      ) : (
        <>
          <GraphPicture view={graph} />
          <Legend />
        </>
      )}
    </Section>
  );
}

function Buttons({ buttons }: { buttons: readonly ButtonView[] }) {
  const failure = useSignal('');
  const press = async ({ action }: ButtonView) => {
    failure.value = '';
    await postJson(`/api/demo/press/${action}`, {}).catch((error: Error) => {
      failure.value = error.message;
    });
  };
  const refusals = new Set(buttons.map(({ refusal }) => refusal));
  const [common] = refusals.size === 1 ? [...refusals] : [];
  return (
    <Section title="Press something" class="press-card">
      {common !== undefined && <p class="muted demo-note">Not yet: {common}.</p>}
      <ul class="demo-buttons">
        {buttons.map((button) => (
          <li key={button.action}>
            <button
              type="button"
              class={button.action === 'good' ? 'primary' : ''}
              aria-disabled={button.refusal !== undefined}
              onClick={() => {
                if (button.refusal === undefined) {
                  void press(button);
                }
              }}
            >
              {button.label}
            </button>
            <span class="muted small">
              {common === undefined && button.refusal !== undefined
                ? `Not now: ${button.refusal}.`
                : button.what}
            </span>
          </li>
        ))}
      </ul>
      {failure.value !== '' && <Failure message={failure.value} />}
    </Section>
  );
}

/** What the story and the buttons ran, as a person would have typed it; shows the newest. */
function Terminal() {
  const ran = board.value?.ran ?? [];
  const screen = useRef<HTMLElement>(null);
  const newest = ran.at(-1)?.id;
  useEffect(() => {
    screen.current?.scrollTo(0, screen.current.scrollHeight);
  }, [newest]);
  return (
    <Section title="What was run" class="terminal-card">
      <section
        ref={screen}
        class="code terminal"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse must be able to scroll it.
        tabIndex={0}
        aria-label="Commands and what they printed"
      >
        {ran.map(({ id, command, output, isError }) => (
          <pre key={id} class={isError ? 'bad-text' : ''}>
            <span class="prompt">$ </span>
            <span class="typed">{command}</span>
            {output !== '' && (
              <>
                {'\n'}
                <Output text={output} />
              </>
            )}
          </pre>
        ))}
      </section>
    </Section>
  );
}

function Output({ text }: { text: string }) {
  return (
    <>
      {text.split('\n').map((line, index) => (
        <span key={index} class={`printed ${outputClass(line)}`}>
          {line}
          {'\n'}
        </span>
      ))}
    </>
  );
}

function outputClass(line: string): string {
  return line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : '';
}
