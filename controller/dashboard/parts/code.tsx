/** Text of a file or a program, as it is: scrolls by itself, also with the keyboard. */
import type { DiffLine } from '../../base/line-diff.ts';

export function Code({ label, text }: { label: string; text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse must be able to scroll it.
    <section class="code" tabIndex={0} aria-label={label}>
      <pre>{text}</pre>
    </section>
  );
}

const signs = { same: ' ', added: '+', removed: '−', gap: '⋯' } as const;

export function DiffCode({ label, lines }: { label: string; lines: readonly DiffLine[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse must be able to scroll it.
    <section class="code diff" tabIndex={0} aria-label={label}>
      <pre>
        {lines.map(({ kind, text, line }, index) => (
          <span key={index} class={`diff-line ${kind}`}>
            <span class="diff-number">{kind === 'gap' ? '' : line}</span>
            {signs[kind]} {text}
            {'\n'}
          </span>
        ))}
      </pre>
    </section>
  );
}
