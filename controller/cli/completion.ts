/**
 * `headgate completion SHELL`: a script that lets the shell complete commands, options and their values, and
 * the names of what is there now: rollouts, proxies, node ids. The script asks `headgate complete`, so it
 * never has to be made anew.
 */
import { type Command, Option } from 'commander';
import type { MeshGraphView } from '../api/mesh-view.js';
import type { ProxyView } from '../api/proxy-view.js';
import type { RolloutView } from '../api/rollout-view.js';
import type { StatusView } from '../api/view.js';
import { getJson } from './client.js';
import type { Io } from './io.js';
import { serverOf } from './options.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** To be read by the shell: `source <(headgate completion bash)`. */
export const completionScripts: Readonly<Record<Shell, string>> = {
  bash: `# Completion of headgate for bash: source <(headgate completion bash)
_headgate() {
  local line words
  # What is typed, up to the cursor: bash itself would take words apart at each colon.
  read -ra words <<<"\${COMP_LINE:0:COMP_POINT}"
  [[ \${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    [ -n "$line" ] && COMPREPLY+=("$line")
  done < <(headgate complete -- "\${words[@]:1}" 2>/dev/null)
}
# Where nothing of ours fits, files do.
complete -o default -F _headgate headgate
`,
  zsh: `#compdef headgate
# Completion of headgate for zsh: source <(headgate completion zsh), or this in a file _headgate of $fpath
_headgate() {
  local -a lines found
  lines=("\${(@f)$(headgate complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  local line
  for line in $lines; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#found} )); then
    _describe headgate found
  else
    _files
  fi
}
compdef _headgate headgate
`,
  fish: `# Completion of headgate for fish: headgate completion fish | source
function __headgate_complete
  set -l words (commandline -opc) (commandline -ct)
  headgate complete -- $words[2..-1] 2>/dev/null
end
complete -c headgate -a '(__headgate_complete)'
`,
};

/** What may stand at the cursor: the text, and what it means. */
export interface Candidate {
  readonly value: string;
  readonly about: string;
}

/**
 * Candidates for the last of `words`, which may be empty. `program` is the whole tree; names come from the
 * controller, and are none where it does not answer.
 */
export async function candidatesFor(
  words: readonly string[],
  program: Command,
  io: Io,
): Promise<readonly Candidate[]> {
  const current = words.at(-1) ?? '';
  const { command, argumentsBefore, pending, server } = walk(words.slice(0, -1), program);
  const found =
    pending !== undefined
      ? [
          ...valuesOf(pending),
          ...(await namesOf(pending.attributeName(), () => serverOf({ server }, io.env))),
        ]
      : current.startsWith('-')
        ? optionsOf(command)
        : [
            ...commandsOf(command),
            ...(command.name() === 'explain' && argumentsBefore === 0 ? await explained() : []),
            ...(await namesFor(command, argumentsBefore, () => serverOf({ server }, io.env))),
          ];
  return found.filter(({ value }) => value.startsWith(current));
}

interface Place {
  readonly command: Command;
  /** How many arguments of the command stand before the cursor. */
  readonly argumentsBefore: number;
  /** The option whose value stands at the cursor. */
  readonly pending?: Option;
  readonly server?: string;
}

function walk(words: readonly string[], program: Command): Place {
  let command = program;
  let argumentsBefore = 0;
  let pending: Option | undefined;
  let server: string | undefined;
  for (const word of words) {
    if (pending !== undefined) {
      server = pending.long === '--server' ? word : server;
      pending = undefined;
    } else if (word.startsWith('-')) {
      const option = command.options.find(({ long, short }) => long === word || short === word);
      pending = option && (option.required || option.optional) ? option : undefined;
    } else {
      const inner = command.commands.find(
        (one) => one.name() === word || one.aliases().includes(word),
      );
      command = inner ?? command;
      argumentsBefore = inner === undefined ? argumentsBefore + 1 : 0;
    }
  }
  return { command, argumentsBefore, pending, server };
}

function valuesOf({ argChoices = [] }: Option): readonly Candidate[] {
  return argChoices.map((value) => ({ value, about: '' }));
}

function optionsOf(command: Command): readonly Candidate[] {
  const all = [...command.options, new Option('--help', 'Print help.')];
  return all.flatMap(({ long, description, hidden }) =>
    long && !hidden ? [{ value: long, about: description }] : [],
  );
}

function commandsOf(command: Command): readonly Candidate[] {
  return command.commands.flatMap((one) =>
    one.name() === hiddenCommand ? [] : [{ value: one.name(), about: one.summary() }],
  );
}

/** Asked by the scripts, named in no help. */
export const hiddenCommand = 'complete';

/** Names by what the argument is called, as help shows it. */
async function namesFor(
  command: Command,
  index: number,
  server: () => string,
): Promise<readonly Candidate[]> {
  return namesOf(command.registeredArguments[index]?.name(), server);
}

/** `what`: the name of an argument, or of an option that takes one. */
async function namesOf(
  what: string | undefined,
  server: () => string,
): Promise<readonly Candidate[]> {
  try {
    switch (what) {
      case 'rollout':
        return (await getJson<readonly RolloutView[]>(server(), '/api/v1/rollouts')).map(
          ({ id, phase, mesh }) => ({ value: id, about: `${phase}, ${mesh}` }),
        );
      case 'proxy':
        return (await getJson<readonly ProxyView[]>(server(), '/api/v1/proxies')).map(
          ({ id, node, state }) => ({ value: id, about: `${node}, ${state}` }),
        );
      case 'node-id':
        return nodeIds(await getJson<readonly ProxyView[]>(server(), '/api/v1/proxies'));
      case 'what':
        return await resourcesAt(server());
      case 'shell':
        return shells.map((value) => ({ value, about: '' }));
      default:
        return [];
    }
  } catch {
    // Nobody wants an error in the middle of a word.
    return [];
  }
}

/** What `explain` knows without a controller: the codes of problems, and kinds. */
async function explained(): Promise<readonly Candidate[]> {
  const [{ problemTitles }, { knownKinds }] = await Promise.all([
    import('./problem-titles.js'),
    import('../decode/validate.js'),
  ]);
  const codes = Object.entries(await problemTitles());
  return [
    ...knownKinds.map((value) => ({ value, about: 'a kind' })),
    ...codes.map(([value, about]) => ({ value, about })),
  ];
}

/** `KIND/NAME` of everything in the meshes that the controller has; with the mesh where there are several. */
async function resourcesAt(server: string): Promise<readonly Candidate[]> {
  const { meshes } = await getJson<StatusView>(server, '/api/v1/status');
  const lists = await Promise.all(
    meshes.map(async ({ name }) => {
      const path = `/api/v1/meshes/${encodeURIComponent(name)}`;
      const { vertices } = await getJson<MeshGraphView>(server, path);
      return vertices.map(({ id }) => ({
        value: meshes.length > 1 ? id : id.slice(name.length + 1),
        about: `in mesh ${name}`,
      }));
    }),
  );
  return lists.flat();
}

function nodeIds(proxies: readonly ProxyView[]): readonly Candidate[] {
  return [...new Set(proxies.map(({ node }) => node))].map((value) => ({ value, about: '' }));
}
