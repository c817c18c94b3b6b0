/**
 * Which certificate may be which node, as the operator's rules say: one rule a line,
 * `spiffe://shop.example/ns/{mesh}/sa/{name} => mesh/{mesh}/virtualNode/{name}`. What is captured on the
 * left fills the right. A name in braces, and `*`, stand for one segment: no slash, in host names no dot.
 */

/** One rule, ready to be asked. */
export interface Rule {
  readonly text: string;
  /** The nodes that the name may be; undefined: the rule is about other names. */
  match(name: CertificateName): Grant | undefined;
}

export type Grant =
  | { readonly kind: 'operator' }
  | { readonly kind: 'node'; readonly isNode: (nodeId: string) => boolean };

export type CertificateName =
  | { readonly kind: 'uri'; readonly text: string }
  | { readonly kind: 'dns'; readonly text: string };

/** What a rule looks like, for messages. */
export const ruleForm =
  'NAME => NODE-ID or NAME => operator, as spiffe://shop.example/{name} => mesh/shop/virtualNode/{name} ' +
  'or dns:{name}.shop.internal => mesh/shop/virtualNode/{name}';

/** Rules in `text`, a line or a comma apart; the first that cannot be read is told in `allowed`. */
export function parseRules(
  text: string,
): { readonly value: readonly Rule[] } | { readonly allowed: string } {
  const lines = text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const rules = lines.map(parseRule);
  const isComplete = (rule: Rule | undefined): rule is Rule => rule !== undefined;
  return rules.length > 0 && rules.every(isComplete) ? { value: rules } : { allowed: ruleForm };
}

const variable = /\{([A-Za-z][A-Za-z0-9]*)\}/g;

function parseRule(line: string): Rule | undefined {
  const [left = '', right = '', ...more] = line.split('=>').map((side) => side.trim());
  const kind = left.startsWith('spiffe://') ? 'uri' : 'dns';
  const name = left.replace(/^dns:/, '');
  const isName = kind === 'uri' || (left.startsWith('dns:') && /^[A-Za-z0-9.*{}_-]+$/.test(name));
  const captured = new Set([...name.matchAll(variable)].map(([, one = '']) => one));
  const used = [...right.matchAll(variable)].map(([, one = '']) => one);
  if (more.length > 0 || !isName || right === '' || used.some((one) => !captured.has(one))) {
    return undefined;
  }
  if (/\s/.test(left) || (right !== 'operator' && !/^[^\s/]+(\/[^\s/]+)+$/.test(right))) {
    return undefined;
  }
  const pattern = compile(kind === 'dns' ? name.toLowerCase() : name, kind);
  return {
    text: line,
    match: (candidate) => {
      const text = kind === 'dns' ? candidate.text.toLowerCase() : candidate.text;
      const found = candidate.kind === kind ? pattern.exec(text) : null;
      if (found === null) {
        return undefined;
      }
      return right === 'operator'
        ? { kind: 'operator' }
        : { kind: 'node', isNode: nodeMatcher(fill(right, found.groups ?? {}, kind)) };
    },
  };
}

/** Segments hold no more than names in meshes do, so none can reach into the next. */
const segment = { uri: '[A-Za-z0-9._-]+', dns: '[a-z0-9_-]+' } as const;

/** Names that are captured twice must be the same twice. */
function compile(pattern: string, kind: 'uri' | 'dns'): RegExp {
  const seen = new Set<string>();
  const parts = pattern.split(/(\{[A-Za-z][A-Za-z0-9]*\}|\*)/).map((part) => {
    const name = /^\{(.*)\}$/.exec(part)?.[1];
    if (part === '*') {
      return segment[kind];
    }
    if (name === undefined) {
      return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    }
    // Host names have no case, and group names do.
    const isKnown = seen.has(name);
    seen.add(name);
    return isKnown ? `\\k<${name}>` : `(?<${name}>${segment[kind]})`;
  });
  return new RegExp(`^${parts.join('')}$`);
}

function fill(
  right: string,
  groups: Readonly<Record<string, string>>,
  kind: 'uri' | 'dns',
): string {
  return right.replace(variable, (_, name: string) => groups[groupName(name, kind)] ?? '');
}

/** The pattern of host names is lower case as a whole, names of its captures included. */
function groupName(name: string, kind: 'uri' | 'dns'): string {
  return kind === 'dns' ? name.toLowerCase() : name;
}

/** Whether a node id is `pattern`, in which `*` stands for one segment. */
export function nodeMatcher(pattern: string): (nodeId: string) => boolean {
  const expected = pattern.split('/');
  return (nodeId) => {
    const found = nodeId.split('/');
    return (
      found.length === expected.length &&
      expected.every((part, index) => (part === '*' ? found[index] !== '' : part === found[index]))
    );
  };
}

const entry = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;

/**
 * The names in a certificate's subjectAltName as Node prints it. A value that Node quotes has characters
 * in it that no name of ours has (a comma, a quote, NUL): it is nobody's name, and is passed over whole.
 */
export function namesOf(subjectAltName: string): readonly CertificateName[] {
  const names: CertificateName[] = [];
  entry.lastIndex = 0;
  while (entry.lastIndex < subjectAltName.length) {
    const found = entry.exec(subjectAltName);
    if (found === null) {
      return [];
    }
    const [, kind, text = ''] = found;
    if (!text.startsWith('"') && (kind === 'URI' || kind === 'DNS')) {
      names.push({ kind: kind === 'URI' ? 'uri' : 'dns', text });
    }
  }
  return names;
}
