/**
 * CloudFormation's intrinsic functions, worked out as far as a template alone allows: in their short form
 * (`!Ref`) and their long one (`Ref`, `Fn::Sub`), lazily, and only in what belongs to App Mesh. What needs
 * AWS (attributes of other resources, imports of other stacks) is asked of the parameters by its name.
 * Nothing here calls anything: a macro or a function that only AWS can carry out is a fault at its line.
 */
import { nearestName } from '../base/nearest-name.js';
import type { FieldPath } from '../mesh/document.js';
import {
  childOf,
  FaultError,
  type Place,
  plainOf,
  type Resolved,
  type SourceEntry,
  type SourceMap,
  type SourceNode,
  textOf,
} from './source.js';
import { type Found, givenValue, type Values, valueOr } from './values.js';

export interface Template {
  readonly root: SourceMap;
  readonly values: Values;
  /** Told of what is read and leaves nothing: a condition, the branch that is not taken, no value. */
  readonly onSpent: (node: SourceNode, path: FieldPath, reason: string) => void;
  /** Conditions and attributes that are being worked out, against circles. */
  readonly open: Set<string>;
}

export interface Intrinsic {
  readonly name: string;
  readonly argument: SourceNode;
}

const known = [
  ...['Ref', 'GetAtt', 'Sub', 'Join', 'Select', 'Split', 'FindInMap', 'If', 'ImportValue'],
  ...['Equals', 'And', 'Or', 'Not', 'Condition'],
];

/** Functions that only AWS can carry out, or that make nothing that a mesh could hold. */
const onlyInAws = ['GetAZs', 'Cidr', 'Transform', 'Base64', 'Length', 'ToJsonString', 'ForEach'];

/** The function that `node` calls; undefined where it is a plain value. */
export function intrinsicOf(node: SourceNode): Intrinsic | undefined {
  if (node.tag?.startsWith('!') && node.tag.length > 1) {
    return { name: node.tag.slice(1), argument: { ...node, tag: undefined } };
  }
  const [entry, second] = node.kind === 'map' ? node.entries : [];
  if (entry === undefined || second !== undefined || !/^(?:Ref$|Fn::)/.test(entry.key)) {
    return undefined;
  }
  return { name: entry.key.replace(/^Fn::/, ''), argument: entry.node };
}

/**
 * `node` with every function in it worked out; undefined: `AWS::NoValue`, so its field is not there.
 * @throws FaultError at a function that is unknown, malformed or only AWS's.
 */
export function evaluate(
  node: SourceNode,
  template: Template,
  path: FieldPath = [],
): SourceNode | undefined {
  const intrinsic = intrinsicOf(node);
  if (intrinsic !== undefined) {
    return call(node, intrinsic, template, path);
  }
  if (node.kind === 'list') {
    const items = node.items.flatMap((item, index) => {
      const value = evaluate(item.node, template, [...path, index]);
      return value === undefined ? [] : [{ ...item, node: value }];
    });
    return { ...node, items };
  }
  if (node.kind === 'map') {
    const entries = node.entries.flatMap((entry): SourceEntry[] => {
      const value = evaluate(entry.node, template, [...path, entry.key]);
      return value === undefined ? [] : [{ ...entry, node: value }];
    });
    return { ...node, entries };
  }
  return node;
}

function call(
  node: SourceNode,
  intrinsic: Intrinsic,
  template: Template,
  path: FieldPath,
): SourceNode | undefined {
  const { name, argument } = intrinsic;
  switch (name) {
    case 'If':
      return evaluateIf(argument, node.place, template, path);
    case 'Ref':
      if (textOf(argument) === 'AWS::NoValue') {
        template.onSpent(node, path, 'AWS::NoValue: the field is not there');
        return undefined;
      }
      return scalar(node, intrinsic, [evaluateRef(argument, template)]);
    case 'GetAtt':
      return scalar(node, intrinsic, [evaluateGetAtt(argument, template)]);
    case 'Sub':
      return scalar(node, intrinsic, evaluateSub(argument, template));
    case 'Join':
      return scalar(node, intrinsic, evaluateJoin(argument, template));
    case 'Select':
      return evaluateSelect(node, intrinsic, template);
    case 'Split':
      return evaluateSplit(node, intrinsic, template);
    case 'FindInMap':
      return evaluateFindInMap(node, intrinsic, template);
    case 'ImportValue': {
      const exported = scalarOf(argument, template);
      const value = valueOr(template.values, exported.text, node.place);
      return scalar(node, intrinsic, [value], exported.resolved?.standIns);
    }
    default:
      throw unknownFunction(name, node.place);
  }
}

function unknownFunction(name: string, place: Place): FaultError {
  if (onlyInAws.includes(name)) {
    return new FaultError(
      place,
      `the function ${name} is left to AWS; write its value here, or make it a parameter`,
    );
  }
  const nearest = nearestName(name, known);
  const hint =
    nearest === undefined ? `; known are ${known.join(', ')}` : `; did you mean ${nearest}?`;
  return new FaultError(place, `the function ${name.slice(0, 60)} is not known${hint}`);
}

/** A value that a function made of `parts`. */
function scalar(
  node: SourceNode,
  intrinsic: Intrinsic,
  parts: readonly Found[],
  standIns: readonly string[] = [],
): SourceNode {
  const text = parts.map((part) => part.text).join('');
  const names = parts.flatMap((part) => part.standIns);
  const resolved: Resolved = {
    expression: renderIntrinsic(intrinsic),
    standIns: [...new Set([...standIns, ...names])],
  };
  return { kind: 'scalar', place: node.place, after: node.after, value: text, text, resolved };
}

/** `!Sub "${Project}.local"`, cut. */
export function renderIntrinsic({ name, argument }: Intrinsic): string {
  const shown = argument.kind === 'scalar' ? argument.text : JSON.stringify(plainOf(argument));
  const cut = shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
  return `!${name} ${cut}`;
}

function evaluateIf(
  argument: SourceNode,
  place: Place,
  template: Template,
  path: FieldPath,
): SourceNode | undefined {
  const [condition, yes, no] = argumentsOf(argument, 3, 'If', place);
  const name = textOf(condition) ?? '';
  const holds = conditionHolds(name, place, template);
  const [taken, other] = holds ? [yes, no] : [no, yes];
  for (const spent of [condition, other] as SourceNode[]) {
    template.onSpent(spent, path, `condition ${name} is ${holds}`);
  }
  return evaluate(taken as SourceNode, template, path);
}

/** Whether the condition `name` holds with the parameters that are known. */
export function conditionHolds(name: string, place: Place, template: Template): boolean {
  const condition = childOf(template.root, 'Conditions', name);
  if (condition === undefined) {
    throw new FaultError(place, `the condition ${name} is not in Conditions`);
  }
  return guarded(`condition ${name}`, place, template, () => decide(condition, template));
}

function decide(node: SourceNode, template: Template): boolean {
  const longCondition = childOf(node, 'Condition');
  const intrinsic =
    longCondition === undefined
      ? intrinsicOf(node)
      : { name: 'Condition', argument: longCondition };
  const name = intrinsic?.name ?? '';
  const argument = intrinsic?.argument ?? node;
  const items = argument.kind === 'list' ? argument.items.map((item) => item.node) : [argument];
  switch (name) {
    case 'Equals': {
      const [left, right] = argumentsOf(argument, 2, 'Equals', node.place);
      return scalarOf(left, template).text === scalarOf(right, template).text;
    }
    case 'And':
      return items.every((item) => decide(item, template));
    case 'Or':
      return items.some((item) => decide(item, template));
    case 'Not':
      return !items.every((item) => decide(item, template));
    case 'Condition':
      return conditionHolds(textOf(argument) ?? '', node.place, template);
    default:
      throw name === ''
        ? new FaultError(node.place, 'a condition is one of Equals, And, Or, Not and Condition')
        : unknownFunction(name, node.place);
  }
}

function evaluateRef(argument: SourceNode, template: Template): Found {
  const name = textOf(argument) ?? '';
  return refValue(name, argument.place, template);
}

function refValue(name: string, place: Place, template: Template): Found {
  const parameter = childOf(template.root, 'Parameters', name);
  if (parameter !== undefined) {
    return parameterValue(name, parameter, place, template);
  }
  const resource = childOf(template.root, 'Resources', name);
  if (resource === undefined && !name.startsWith('AWS::')) {
    const names = ['Parameters', 'Resources'].flatMap((section) => keysOf(template, section));
    const nearest = nearestName(name, names);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    throw new FaultError(
      place,
      `${name || 'nothing'} is neither a parameter nor a resource of the template${hint}`,
    );
  }
  const own = resource === undefined ? undefined : ownName(name, resource, template);
  return own ?? valueOr(template.values, name, place);
}

function keysOf(template: Template, section: string): readonly string[] {
  const node = childOf(template.root, section);
  return node?.kind === 'map' ? node.entries.map((entry) => entry.key) : [];
}

/** By a flag, the template's default, or the first allowed value; a number has no other stand-in. */
function parameterValue(
  name: string,
  parameter: SourceNode,
  place: Place,
  template: Template,
): Found {
  const given = givenValue(template.values, name);
  if (given !== undefined) {
    return { text: given, standIns: [] };
  }
  const written = childOf(parameter, 'Default');
  const isOfParameterStore = textOf(childOf(parameter, 'Type'))?.startsWith('AWS::SSM::') === true;
  if (written?.kind === 'scalar' && written.value !== null && !isOfParameterStore) {
    return { text: written.text, standIns: [] };
  }
  const allowed = childOf(parameter, 'AllowedValues');
  const [first] = allowed?.kind === 'list' ? allowed.items : [];
  const standIn = textOf(first?.node) ?? textOf(childOf(parameter, 'MinValue'));
  return valueOr(template.values, name, place, standIn);
}

/** Properties that name a resource, by its type. */
export const nameProperties: Readonly<Record<string, string>> = {
  'AWS::AppMesh::Mesh': 'MeshName',
  'AWS::AppMesh::VirtualNode': 'VirtualNodeName',
  'AWS::AppMesh::VirtualService': 'VirtualServiceName',
  'AWS::AppMesh::VirtualRouter': 'VirtualRouterName',
  'AWS::AppMesh::Route': 'RouteName',
  'AWS::AppMesh::VirtualGateway': 'VirtualGatewayName',
  'AWS::AppMesh::GatewayRoute': 'GatewayRouteName',
};

/** The name of a resource of App Mesh; without one of its own its logical id, from which AWS makes one. */
export function ownName(id: string, resource: SourceNode, template: Template): Found | undefined {
  const type = textOf(childOf(resource, 'Type')) ?? '';
  const property = Object.hasOwn(nameProperties, type) ? nameProperties[type] : undefined;
  if (property === undefined) {
    return undefined;
  }
  const written = childOf(resource, 'Properties', property);
  if (written === undefined) {
    return { text: id, standIns: [] };
  }
  return guarded(`resource ${id}`, written.place, template, () => {
    const { text, resolved } = scalarOf(written, template);
    return { text, standIns: resolved?.standIns ?? [] };
  });
}

function evaluateGetAtt(argument: SourceNode, template: Template): Found {
  const written =
    argument.kind === 'list'
      ? argument.items.map((item) => scalarOf(item.node, template).text)
      : [textOf(argument) ?? ''];
  return attributeValue(written.join('.'), argument.place, template);
}

function attributeValue(path: string, place: Place, template: Template): Found {
  const dot = path.indexOf('.');
  const id = path.slice(0, dot);
  const attribute = path.slice(dot + 1);
  const resource = dot === -1 ? undefined : childOf(template.root, 'Resources', id);
  if (resource === undefined) {
    throw new FaultError(
      place,
      `${path || 'nothing'} is no attribute of a resource of the template; expected RESOURCE.ATTRIBUTE`,
    );
  }
  const given = givenValue(template.values, path);
  if (given !== undefined) {
    return { text: given, standIns: [] };
  }
  const type = textOf(childOf(resource, 'Type')) ?? '';
  if (attribute === nameProperties[type]) {
    return ownName(id, resource, template) as Found;
  }
  // What a resource is given is also what it answers: MeshName of a node, Name of a Cloud Map service.
  const written = childOf(resource, 'Properties', attribute);
  if (written !== undefined && /Name$|^MeshOwner$/.test(attribute)) {
    const value = guarded(`attribute ${path}`, place, template, () => scalarOf(written, template));
    return { text: value.text, standIns: value.resolved?.standIns ?? [] };
  }
  return valueOr(template.values, path, place);
}

/** The parts of the text, literal and put in. */
function evaluateSub(argument: SourceNode, template: Template): readonly Found[] {
  const [text, variables] =
    argument.kind === 'list' ? argument.items.map((item) => item.node) : [argument];
  if (text?.kind !== 'scalar') {
    throw new FaultError(argument.place, 'Sub takes a text, or a list of a text and a mapping');
  }
  return String(text.text)
    .split(/(\$\{[^}]*\})/)
    .filter((part) => part !== '')
    .map((part) => {
      const name = /^\$\{([^}]*)\}$/.exec(part)?.[1]?.trim();
      if (name === undefined || name.startsWith('!')) {
        return { text: name === undefined ? part : `\${${name.slice(1)}}`, standIns: [] };
      }
      const variable = childOf(variables, name);
      if (variable !== undefined) {
        const value = scalarOf(variable, template);
        return { text: value.text, standIns: value.resolved?.standIns ?? [] };
      }
      return name.includes('.')
        ? attributeValue(name, text.place, template)
        : refValue(name, text.place, template);
    });
}

function evaluateJoin(argument: SourceNode, template: Template): readonly Found[] {
  const [separator, list] = argumentsOf(argument, 2, 'Join', argument.place);
  const items = listOf(list, template).map((item) => scalarOf(item, template));
  return items.map((item, index) => ({
    text: (index === 0 ? '' : (textOf(separator) ?? '')) + item.text,
    standIns: item.resolved?.standIns ?? [],
  }));
}

function evaluateSelect(
  node: SourceNode,
  intrinsic: Intrinsic,
  template: Template,
): SourceNode | undefined {
  const [index, list] = argumentsOf(intrinsic.argument, 2, 'Select', node.place);
  const items = listOf(list, template);
  const chosen = items[Number(scalarOf(index, template).text)];
  if (chosen === undefined) {
    throw new FaultError(
      node.place,
      `Select asks for an element that is not among the ${items.length}`,
    );
  }
  const standIns = chosen.resolved?.standIns ?? [];
  const resolved = { expression: renderIntrinsic(intrinsic), standIns };
  return { ...chosen, place: node.place, resolved };
}

function evaluateSplit(node: SourceNode, intrinsic: Intrinsic, template: Template): SourceNode {
  const [separator, text] = argumentsOf(intrinsic.argument, 2, 'Split', node.place);
  const delimiter = scalarOf(separator, template).text;
  if (delimiter === '') {
    throw new FaultError(node.place, 'Split needs a text to split at');
  }
  const whole = scalarOf(text, template);
  const standIns = whole.resolved?.standIns;
  const items = whole.text.split(delimiter).map((part) => ({
    node: scalar(node, intrinsic, [{ text: part, standIns: [] }], standIns),
  }));
  return { kind: 'list', place: node.place, items };
}

function evaluateFindInMap(
  node: SourceNode,
  intrinsic: Intrinsic,
  template: Template,
): SourceNode | undefined {
  const keys = argumentsOf(intrinsic.argument, 3, 'FindInMap', node.place).map((key) =>
    scalarOf(key, template),
  );
  const names = keys.map((key) => key.text);
  const found = childOf(template.root, 'Mappings', ...names);
  if (found !== undefined) {
    return found.kind === 'scalar'
      ? scalar(node, intrinsic, [{ text: found.text, standIns: [] }])
      : { ...found, place: node.place };
  }
  if (keys.some((key) => (key.resolved?.standIns.length ?? 0) > 0)) {
    return scalar(node, intrinsic, [valueOr(template.values, names.join('.'), node.place)]);
  }
  throw new FaultError(node.place, `Mappings has no ${names.join(', ')}`);
}

function argumentsOf(
  argument: SourceNode,
  count: number,
  name: string,
  place: Place,
): readonly SourceNode[] {
  const items = argument.kind === 'list' ? argument.items.map((item) => item.node) : [];
  if (items.length !== count) {
    throw new FaultError(place, `${name} takes a list of ${count}, and this has ${items.length}`);
  }
  return items;
}

function listOf(node: SourceNode | undefined, template: Template): readonly SourceNode[] {
  const value = node === undefined ? undefined : evaluate(node, template);
  if (value?.kind === 'list') {
    return value.items.map((item) => item.node);
  }
  if (value?.kind === 'scalar') {
    // A parameter of a list type is one text with commas.
    return value.text
      .split(',')
      .map((text) => ({ ...value, value: text.trim(), text: text.trim() }));
  }
  throw new FaultError(node?.place as Place, 'a list is expected here');
}

function scalarOf(node: SourceNode | undefined, template: Template) {
  const value = node === undefined ? undefined : evaluate(node, template);
  if (value?.kind !== 'scalar') {
    const place = node?.place ?? template.root.place;
    throw new FaultError(place, 'a single value is expected here');
  }
  return value;
}

/** Runs `work` unless `key` is being worked out already, or too much is. */
function guarded<T>(key: string, place: Place, template: Template, work: () => T): T {
  if (template.open.has(key)) {
    throw new FaultError(place, `the ${key} refers to itself`);
  }
  template.open.add(key);
  try {
    return work();
  } finally {
    template.open.delete(key);
  }
}
