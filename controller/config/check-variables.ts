/** Variables of the environment that look like settings of ours and are none. */
import { nearestName } from '../base/nearest-name.js';
import { secretVariableKinds } from './environment.js';
import { hookProviders } from './hooks.js';
import type { Report, SettingSources } from './sources.js';
import { settingNames, variableOf } from './table.js';

/** Variables that are ours and no setting's: read elsewhere in this program. */
const otherVariables: readonly string[] = [
  ...['CONFIG', 'FAILPOINT', 'SERVER', 'TOKEN', 'TOKEN_FILE', 'ENVOY', 'ROOT'],
  ...['SLACK_URL', 'SLACK_URL_FILE'],
  ...hookProviders.flatMap((provider) => {
    const name = `${provider.toUpperCase()}_HOOK_SECRET`;
    return [name, `${name}_FILE`];
  }),
  ...['WEBHOOK_URL', 'WEBHOOK_URL_FILE', 'WEBHOOK_SECRET', 'WEBHOOK_SECRET_FILE'],
];

/** Those of secrets end in a name that is anybody's, so only what stands before it is compared. */
function nearestVariable(name: string, known: readonly string[]): string | undefined {
  const [, kind = '', secret] = /^([A-Z]+_[A-Z]+)_([A-Z0-9_]+)$/.exec(name) ?? [];
  if ((secretVariableKinds as readonly string[]).includes(kind)) {
    return undefined;
  }
  const nearest = nearestName(kind, secretVariableKinds);
  return nearest === undefined ? nearestName(name, known) : `${nearest}_${secret}`;
}

/** Kubernetes sets `HEADGATE_…` variables for a service of that name, so only likely mistakes are named. */
export function checkVariables(env: SettingSources['env'], report: Report): void {
  const prefix = variableOf('');
  const known = [
    ...settingNames.map((name) => variableOf(name).slice(prefix.length)),
    ...otherVariables,
  ];
  for (const variable of Object.keys(env)) {
    const name = variable.startsWith(prefix) ? variable.slice(prefix.length) : '';
    const nearest = known.includes(name) ? undefined : nearestVariable(name, known);
    if (name !== '' && nearest !== undefined) {
      report(variable, `is no setting; did you mean ${prefix}${nearest}?`, 'warning');
    }
  }
}
