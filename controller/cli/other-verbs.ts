/** Verbs that people bring along from other tools, and what does the same here. */

/** By verb: the command line to type after `headgate`. */
const others: Readonly<Record<string, string>> = {
  analyze: 'validate DIR',
  describe: 'explain KIND/NAME',
  diff: 'plan',
  get: 'rollouts',
  lint: 'validate DIR',
  list: 'rollouts',
  log: 'history --watch',
  logs: 'history --watch',
  ls: 'rollouts',
  ps: 'proxies',
  'proxy-config': 'proxies PROXY --diff',
  'proxy-status': 'proxies',
  rollback: 'abort ROLLOUT',
  skip: 'promote ROLLOUT',
  suspend: 'pause ROLLOUT',
  translate: 'render NODE-ID DIR',
  undo: 'abort ROLLOUT',
  version: '--version',
  wait: 'rollouts ROLLOUT --wait',
  watch: 'status --watch',
};

/** What to type instead of `verb`; undefined where it is no verb of a tool that is like this one. */
export function sameHere(verb: string | undefined): string | undefined {
  return verb !== undefined && Object.hasOwn(others, verb) ? others[verb] : undefined;
}
