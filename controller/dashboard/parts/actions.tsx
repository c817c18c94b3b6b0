/**
 * What a person may do with a rollout now: a button for each command, and a dialog that says what it does,
 * asks why, and shows the same as a command line. Viewers are told that they may only look.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import type { RolloutView } from '../../api/rollout-view.ts';
import type { Phase, RolloutCommand } from '../../rollout/rollout.ts';
import { giveCommand, session } from '../api.ts';
import { status } from '../live.ts';
import { Command, Failure } from './basics.tsx';

interface Action {
  readonly label: string;
  readonly what: string;
  /** The same beside its button, after its label. */
  readonly brief: string;
  readonly style: 'primary' | 'plain' | 'danger';
  /** Skips what the policy asks for, or undoes a release: somebody will ask why. */
  readonly needsReason: boolean;
}

const actions: Readonly<Record<RolloutCommand, Action>> = {
  approve: {
    label: 'Approve',
    what: 'Lets the rollout enter its next step.',
    brief: 'enters the next step',
    style: 'primary',
    needsReason: false,
  },
  resume: {
    label: 'Resume',
    what: 'Goes on from where it was paused; the gates of the step start over.',
    brief: 'goes on from here',
    style: 'primary',
    needsReason: false,
  },
  retry: {
    label: 'Retry',
    what: 'Tries the change that failed and is held once more, from its first step.',
    brief: 'tries the same change once more, from its first step',
    // A release that failed is rarely better the second time.
    style: 'plain',
    needsReason: false,
  },
  pause: {
    label: 'Pause',
    what: 'Keeps the weights where they are until somebody resumes.',
    brief: 'stays where it is',
    style: 'plain',
    needsReason: false,
  },
  promote: {
    label: 'Promote',
    what: 'Skips the remaining steps and their gates, and serves the change in full.',
    brief: 'skips the steps and gates that are left',
    style: 'plain',
    needsReason: true,
  },
  abort: {
    label: 'Abort',
    what: 'Gives every proxy the last good state again, and holds the change.',
    brief: 'goes back to what was served before',
    style: 'danger',
    needsReason: true,
  },
};

const running: readonly RolloutCommand[] = ['pause', 'promote', 'abort'];

const commandsIn: Readonly<Partial<Record<Phase, readonly RolloutCommand[]>>> = {
  Pending: running,
  Progressing: running,
  Baking: running,
  WaitingForApproval: ['approve', ...running],
  WaitingForWindow: ['approve', ...running],
  Paused: ['resume', 'promote', 'abort'],
  Completing: ['abort'],
};

/** What may be asked of the rollout `id`, which is in `phase`. */
export function commandsFor(id: string, phase: Phase): readonly RolloutCommand[] {
  const isHeld = status.value?.held.some(({ rollout }) => rollout === id) ?? false;
  return isHeld ? ['retry'] : (commandsIn[phase] ?? []);
}

/** `step` and `steps` of a rollout that has not ended: what is next is named then. */
type Actionable = Pick<RolloutView, 'id' | 'phase'> & Partial<Pick<RolloutView, 'step' | 'steps'>>;

export function Actions({ rollout }: { rollout: Actionable }) {
  const asked = useSignal<RolloutCommand | undefined>(undefined);
  const commands = commandsFor(rollout.id, rollout.phase);
  if (commands.length === 0) {
    return null;
  }
  if (session.value?.role !== 'operator') {
    return <p class="muted small">You may look; commands need the role operator.</p>;
  }
  return (
    <div class="actions">
      {commands.map((command) => (
        <button
          key={command}
          type="button"
          class={actions[command].style}
          onClick={() => {
            asked.value = command;
          }}
        >
          {actions[command].label}
        </button>
      ))}
      <p class="muted small what">
        {commands.map((command) => (
          <span key={command}>
            <strong>{actions[command].label}</strong> {briefOf(command, rollout)}
          </span>
        ))}
      </p>
      {asked.value !== undefined && (
        <ActionDialog
          id={rollout.id}
          command={asked.value}
          onClose={() => {
            asked.value = undefined;
          }}
        />
      )}
    </div>
  );
}

function briefOf(command: RolloutCommand, { step, steps }: Actionable): string {
  const next = steps?.[step?.index ?? 0];
  return command === 'approve' && next !== undefined
    ? `enters the next step, ${next.label}`
    : actions[command].brief;
}

function ActionDialog(props: { id: string; command: RolloutCommand; onClose: () => void }) {
  const { id, command, onClose } = props;
  const { label, what, style, needsReason } = actions[command];
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const titleId = useId();
  const fieldId = useId();
  const reason = useSignal('');
  const error = useSignal('');
  const isSending = useSignal(false);
  useEffect(() => {
    dialog.current?.showModal();
    field.current?.focus();
  }, []);
  const send = async (event: Event) => {
    event.preventDefault();
    isSending.value = true;
    error.value = '';
    try {
      await giveCommand(id, command, reason.value);
      dialog.current?.close();
    } catch (failure) {
      error.value = (failure as Error).message;
    }
    isSending.value = false;
  };
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby={titleId}>
      <form onSubmit={send}>
        <h2 id={titleId}>
          {label} <span class="mono">{id}</span>
        </h2>
        <p>{what}</p>
        <label for={fieldId}>
          Why {needsReason ? '' : <span class="muted">(may be left empty)</span>}
        </label>
        <textarea
          ref={field}
          id={fieldId}
          rows={2}
          maxLength={1000}
          required={needsReason}
          value={reason.value}
          onInput={(event) => {
            reason.value = event.currentTarget.value;
          }}
        />
        <p class="muted small">Kept in the history with your name. The same in a terminal:</p>
        <Command text={commandLine(command, id, reason.value)} />
        {error.value !== '' && <Failure message={error.value} />}
        <div class="actions end">
          <button type="button" class="plain" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class={style === 'plain' ? 'primary' : style} disabled={isSending}>
            {label}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function commandLine(command: string, id: string, reason: string): string {
  const words = reason.trim();
  return `headgate ${command} ${id}${words === '' ? '' : ` --reason ${quoted(words)}`}`;
}

/** As a shell reads it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
