/** `docs/reference/errors.md`: every code that a problem of a mesh repository can have. */
import { problemTable } from '../decode/problems.js';
import { decoderProblemCodes } from '../decoder.js';
import { sourceProblemTitles } from '../git/problems.js';
import { markdownTable, type Page } from './page.js';

export function errorsPage(): Page {
  const short = { ...sourceProblemTitles, ...decoderProblemCodes };
  const explained = Object.entries(problemTable).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = `# Problems of a mesh repository

\`headgate validate\`, \`plan\`, the status of a commit and the dashboard name a problem by file, line, column and one of
these codes. A commit with one error is rejected whole, and what was served stays served. \`headgate explain HG0401\`
prints the same text; a code keeps its meaning.

## What the files themselves can have wrong

Found before anything in them is read; the message says why.

${markdownTable(
  ['Code', 'What'],
  Object.entries<string>(short).sort(([a], [b]) => (a < b ? -1 : 1)),
)}
${explained
  .map(
    ([code, { title, cause, resolution, example }]) => `## ${code}: ${title}

${cause}

**What to do:** ${resolution}

\`\`\`yaml
${example}
\`\`\`
`,
  )
  .join('\n')}`;
  const source = 'controller/decode/problems.ts, controller/mesh/problems.ts';
  return { path: 'docs/reference/errors.md', source, text };
}
