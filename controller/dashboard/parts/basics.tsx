/** What every page is made of: headed sections, commits, ages, commands to copy, places without content. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { CommitView } from '../../api/rollout-view.ts';
import { ago, clock, person, shortId } from '../format.ts';
import { nowMs } from '../live.ts';
import { pathOf } from '../router.ts';

export function Section(props: {
  title: string;
  /** Beside the title, at the right. */
  aside?: ComponentChildren;
  class?: string;
  /** True where it is all that the page has. */
  isPage?: boolean;
  children: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class={`card ${props.class ?? ''}`} aria-labelledby={id}>
      <header class="card-head">
        {props.isPage ? <h1 id={id}>{props.title}</h1> : <h2 id={id}>{props.title}</h2>}
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

/** Around what may be wider than the page; scrolls with the keyboard too. */
export function Wide({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse must be able to scroll it.
    <section class="wide" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** A time as its age, the clock's time on hover. */
export function Age({ at }: { at: string }) {
  return (
    <time dateTime={at} title={clock(at)}>
      {ago(at, nowMs.value)}
    </time>
  );
}

export function CommitLink({ id, commit }: { id: string; commit: CommitView | undefined }) {
  return (
    <span class="commit">
      <a class="mono" href={pathOf('changes', id)}>
        {shortId(id)}
      </a>
      {commit !== undefined && (
        <>
          {' '}
          <span class="commit-title">{commit.title}</span>
          <span class="muted">
            {' '}
            {person(commit.author)}
            {commit.repository !== undefined && ` in ${commit.repository}`}
          </span>
        </>
      )}
    </span>
  );
}

/** The command that does or shows the same in a terminal, to copy. */
export function Command({ text }: { text: string }) {
  const isCopied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    isCopied.value = true;
    setTimeout(() => {
      isCopied.value = false;
    }, 1500);
  };
  return (
    <span class="command">
      <code>{text}</code>
      <button type="button" class="quiet" onClick={copy} aria-label={`Copy: ${text}`}>
        {isCopied.value ? 'copied' : 'copy'}
      </button>
    </span>
  );
}

export function Failure({ message }: { message: string }) {
  return (
    <p class="failure" role="alert">
      {message}
    </p>
  );
}
