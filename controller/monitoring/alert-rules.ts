/** The alerts as Prometheus reads them, and their runbooks as people do. */
import { type Alert, alertTable } from './alert-table.js';

/**
 * The rules' file. JSON's quotes are YAML's too, so texts need no other care. `runbooksUrl` is the page on
 * which the operator's people read the runbooks; undefined: there is none, and no rule links to it, since a
 * link that leads nowhere costs time at night.
 */
export function renderAlertRules(runbooksUrl?: string): string {
  const rules = alertTable.map(
    ({ name, expr, for: holds, severity, summary }) => `      - alert: ${name}
        expr: ${JSON.stringify(expr)}
        for: ${holds}
        labels: { severity: ${severity} }
        annotations:
          summary: ${JSON.stringify(summary)}
${runbooksUrl === undefined ? '' : `          runbook_url: ${JSON.stringify(`${runbooksUrl}#${name.toLowerCase()}`)}\n`}`,
  );
  return `groups:\n  - name: headgate\n    rules:\n${rules.join('')}`;
}

export function renderRunbooks(): string {
  return `# Runbooks

One part for each alert of [alerts.yaml](monitoring/alerts.yaml). Two things hold for all of them: Envoys keep serving what
they have whatever the controller does, and the way back needs nobody.

${alertTable.map(({ name, for: holds, severity }) => `- [${name}](#${name.toLowerCase()}), ${severity}${holds === '0m' ? '' : ` after ${holds}`}\n`).join('')}
${alertTable.map(renderRunbook).join('\n')}`;
}

function renderRunbook({ name, expr, for: holds, severity, runbook }: Alert): string {
  const { meaning, impact, look, act } = runbook;
  const numbered = (lines: readonly string[]) =>
    lines.map((line, index) => `${index + 1}. ${line}\n`).join('');
  return `## ${name}

${meaning}

**What traffic notices:** ${impact}

Look:

${numbered(look)}
Do:

${numbered(act)}
<details><summary>The rule: ${severity}, for ${holds}</summary>

\`\`\`promql
${expr}
\`\`\`

</details>
`;
}
