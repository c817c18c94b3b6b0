/** Asks who the reader is, by the ways that the controller is set up for. */
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { loadSession, postJson, session } from '../api.ts';
import { Failure } from '../parts/basics.tsx';
import { query } from '../router.ts';

/** What came of a sign-in elsewhere; any other text in the address is shown to nobody. */
const refusals: Readonly<Record<string, string>> = {
  'oidc-refused': 'You are signed in with your organisation, and that account has no role here.',
  'oidc-failed': 'The sign-in failed; the log of the controller says why. Try again.',
};

export function SignInPage() {
  const methods = session.value?.methods ?? [];
  const token = useSignal('');
  const error = useSignal(refusals[query.value.get('error') ?? ''] ?? '');
  const fieldId = useId();
  const signIn = async (event: Event) => {
    event.preventDefault();
    error.value = '';
    try {
      await postJson('/api/v1/session/token', { token: token.value });
      await loadSession();
    } catch (failure) {
      error.value = (failure as Error).message;
    }
  };
  return (
    <section class="card sign-in" aria-labelledby="sign-in">
      <h1 id="sign-in">Sign in to Headgate</h1>
      {error.value !== '' && <Failure message={error.value} />}
      {methods.includes('oidc') && (
        <a class="button primary" href="/api/v1/session/oidc">
          Sign in with your organisation
        </a>
      )}
      {methods.includes('token') && (
        <form onSubmit={signIn}>
          <label for={fieldId}>Token</label>
          <input
            id={fieldId}
            type="password"
            autocomplete="current-password"
            required
            value={token.value}
            onInput={(event) => {
              token.value = event.currentTarget.value;
            }}
          />
          <button type="submit" class="primary">
            Sign in
          </button>
        </form>
      )}
    </section>
  );
}
