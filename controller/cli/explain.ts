/** `headgate explain WHAT`: the page of a problem's code, what a kind and its fields mean, or a resource. */
import { Command } from 'commander';
import { nearestName } from '../base/nearest-name.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { addHelp, addOutputOption, addServerOption, serverOf } from './options.js';
import { type OutputFormat, renderTable } from './print.js';
import { problemTitles } from './problem-titles.js';

interface ExplainOptions {
  readonly server?: string;
  readonly output: OutputFormat;
}

export function explainCommand(io: Io): Command {
  const command = new Command('explain')
    .summary('explain a problem, a field or a resource')
    .description(
      'Explains the code of a problem (HG0401), or a kind and its fields (VirtualRouter, ' +
        'VirtualRouter.spec.routes.httpRoute). Without anything it lists both. Of a resource ' +
        '(VirtualRouter/reviews) it asks the controller where it stands in Git, in which commit, and ' +
        'what of it is served.',
    )
    .argument('[what]', 'a code, KIND[.FIELD…], or [MESH/]KIND/NAME')
    .action(async (what: string | undefined, options: ExplainOptions) => {
      io.out(await explain(what, options, io));
    });
  return addHelp(addServerOption(addOutputOption(command)), [
    'headgate explain HG0401',
    'headgate explain VirtualNode.spec.listeners',
    'headgate explain VirtualRouter/reviews',
  ]);
}

async function explain(what: string | undefined, options: ExplainOptions, io: Io): Promise<string> {
  const { output } = options;
  if (what?.includes('/')) {
    const { explainResource } = await import('./explain-resource.js');
    return explainResource(what, { server: serverOf(options, io.env), output }, io);
  }
  if (output !== 'table') {
    throw new CliError(`-o ${output} is for resources, as VirtualRouter/reviews`, usageExitCode);
  }
  if (what === undefined) {
    return list();
  }
  return /^hg\w*$/i.test(what) ? explainCode(what.toUpperCase()) : explainField(what);
}

async function list(): Promise<string> {
  const [titles, { knownKinds }] = await Promise.all([
    problemTitles(),
    import('../decode/validate.js'),
  ]);
  const codes = Object.keys(titles).sort();
  const kinds = knownKinds.map((kind) => [kind, 'a kind'] as const);
  return renderTable(
    ['what', 'meaning'],
    [...kinds, ...codes.map((code) => [code, titles[code] ?? ''] as const)],
  );
}

async function explainCode(code: string): Promise<string> {
  const [titles, { problemTable }] = await Promise.all([
    problemTitles(),
    import('../decode/problems.js'),
  ]);
  const title = titles[code];
  if (title === undefined) {
    const nearest = nearestName(code, Object.keys(titles));
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    throw new CliError(`there is no problem with the code ${code}${hint}`, usageExitCode);
  }
  const entry = problemTable[code];
  const head = `${code}  ${title}\n`;
  if (entry === undefined) {
    return `${head}\nThe files themselves are refused, before anything in them is read; the message says why.\n`;
  }
  const example = entry.example.split('\n').map((line) => `  ${line}\n`);
  return `${head}\n${entry.cause}\n\nWhat to do: ${entry.resolution}\n\nExample:\n${example.join('')}`;
}

async function explainField(what: string): Promise<string> {
  const [{ knownKinds, schemaFileOf }, walk] = await Promise.all([
    import('../decode/validate.js'),
    import('../decode/schema-walk.js'),
  ]);
  const [word = '', ...path] = what.replace(/\[\d*\]/g, '').split('.');
  const kind = knownKinds.find((known) => known.toLowerCase() === word.toLowerCase());
  if (kind === undefined) {
    throw unknown(word, 'kind', knownKinds);
  }
  let schema = walk.schemaOf(schemaFileOf(kind));
  let description = String(schema.node.description ?? '');
  const names: string[] = [kind];
  for (const part of path) {
    const field = walk.fieldOfSchema(schema, part);
    if (field === undefined) {
      throw unknown(part, `field of ${names.join('.')}`, walk.fieldNames(schema));
    }
    names.push(field.name);
    description = field.description;
    if (field.refusal !== undefined) {
      return `${names.join('.')}\n\nNot taken: ${field.refusal}.\n`;
    }
    // The fields of a list are those of its elements.
    schema = walk.itemsOf(field.schema) ?? field.schema;
  }
  const fields = walk.fieldNames(schema).flatMap((name) => {
    const field = walk.fieldOfSchema(schema, name);
    return field === undefined || field.refusal !== undefined ? [] : [field];
  });
  const rows = fields.map((field) => [
    `${field.name}${field.isRequired ? ' *' : ''}`,
    typeText(walk.typeOf(field.schema), walk.wordsOf(field.schema)),
    field.description,
  ]);
  const own = typeText(walk.typeOf(schema), walk.wordsOf(schema));
  const table =
    rows.length === 0 ? '' : `\n${renderTable(['field', 'type', 'meaning'], rows)}\n* needed\n`;
  return `${names.join('.')} (${own})\n\n${description}\n${table}`;
}

function typeText(type: string, words: readonly string[]): string {
  const names: Readonly<Record<string, string>> = {
    object: 'mapping',
    array: 'list',
    string: 'text',
  };
  return words.length > 0 ? words.join(' | ') : (names[type] ?? (type || 'mapping'));
}

function unknown(word: string, what: string, known: readonly string[]): CliError {
  const nearest = nearestName(word, known);
  const hint =
    nearest === undefined ? `; known are ${known.join(', ')}` : `; did you mean ${nearest}?`;
  return new CliError(`${word || 'nothing'} is no ${what}${hint}`, usageExitCode);
}
