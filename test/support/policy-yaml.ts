/** Rollout policies as documents of a mesh repository, for tests that run the program. */

export interface PolicyText {
  readonly name: string;
  /** Each as YAML in one line, as `{ progress: 10, bake: 2s }`. */
  readonly steps: readonly string[];
  /** As `successGate()`. */
  readonly gates?: readonly string[];
  /** Further fields of the spec, as `noData: pass`. */
  readonly fields?: readonly string[];
}

export function policyYaml({ name, steps, gates = [], fields = [] }: PolicyText): string {
  const listOf = (field: string, items: readonly string[]): readonly string[] =>
    items.length === 0 ? [] : [`  ${field}:`, ...items.map((item) => `    - ${item}`)];
  const lines = [
    'apiVersion: headgate/v1',
    'kind: RolloutPolicy',
    `metadata: { name: ${name} }`,
    'spec:',
    ...listOf('steps', steps),
    ...listOf('gates', gates),
    ...fields.map((field) => `  ${field}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** At least 99 percent of the requests of the last `window` succeed, of which there are so many. */
export function successGate(window: string, minRequests: number): string {
  return `{ name: success, successRate: { min: 99, window: ${window}, minRequests: ${minRequests} } }`;
}
