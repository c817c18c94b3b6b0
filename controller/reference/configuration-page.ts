/** `docs/reference/configuration.md`: every setting of `serve`, by flag, variable and key. */
import { flagOf, type Setting, settingsTable, variableOf } from '../config/table.js';
import { markdownTable, type Page } from './page.js';

export function configurationPage(): Page {
  const rows = Object.entries<Setting<unknown>>(settingsTable).map(
    ([name, { help, placeholder, default: standard }]) => [
      `\`${name}\``,
      `\`${flagOf(name)}\``,
      `\`${variableOf(name)}\``,
      placeholder ?? 'a switch',
      standard === undefined ? '' : `\`${standard}\``,
      help,
    ],
  );
  const text = `# Settings of \`headgate serve\`

Each can be given as a flag, as a variable and as a key of the file that \`--config\` names (\`headgate.yaml\`, where there
is one). Flags win over variables, and those over the file. \`headgate check --pre\` says whether they work here.

Secrets are no settings: a setting names the file in which one stands, so that none is in a list of processes.

${markdownTable(['Key', 'Flag', 'Variable', 'Value', 'Default', 'Meaning'], rows)}
The file has sections besides, which have no flags: \`notifications\` and \`hooks\`
([notifications](../notifications.md)), \`providers\` ([gates](../gates.md)) and \`repositories\`
([Git](../git.md)). Traces follow OpenTelemetry's own variables ([traces](../operations/tracing.md)).
`;
  return { path: 'docs/reference/configuration.md', source: 'controller/config/table.ts', text };
}
