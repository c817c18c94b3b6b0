/** Asks who the reader is, by the ways that the controller is set up for. */
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { loadSession, postJson, session } from '../api.ts';
import { Failure } from '../parts/basics.tsx';

export function SignInPage() {
  const methods = session.value?.methods ?? [];
  const token = useSignal('');
  const error = useSignal('');
  const fieldId = useId();
  const signIn = async (event: Event) => {
    event.preventDefault();
    error.value = '';
    try {
      await postJson('/api/v1/session', { token: token.value });
      await loadSession();
    } catch (failure) {
      error.value = (failure as Error).message;
    }
  };
  return (
    <section class="card sign-in" aria-labelledby="sign-in">
      <h1 id="sign-in">Sign in to Headgate</h1>
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
          {error.value !== '' && <Failure message={error.value} />}
          <button type="submit" class="primary">
            Sign in
          </button>
        </form>
      )}
    </section>
  );
}
