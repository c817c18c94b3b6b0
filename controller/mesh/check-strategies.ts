/**
 * Whether the routes that a rollout policy selects can be told apart as it asks: TCP connections have no
 * headers and are not copied, gRPC clients keep no cookies, and gRPC calls are POST requests.
 */
import type { DeclaredRouter, FieldPath, MeshDocument } from './document.js';
import type { Protocol, RolloutPolicy } from './model.js';
import { declared, type Scope } from './scope.js';
import { hasLabels } from './selects.js';
import type { Mirror, RequestMatch, Sticky } from './strategies.js';

export function checkStrategies(scope: Scope): void {
  const policies = declared(scope, 'RolloutPolicy');
  for (const [, router] of declared(scope, 'VirtualRouter')) {
    const [document, policy] = policyOf(router, policies) ?? [];
    if (document !== undefined && policy !== undefined) {
      checkRouter(scope, document, policy, router);
    }
  }
}

type Declared = readonly (readonly [MeshDocument, RolloutPolicy])[];

/** As `selectPolicy` of `rollout/plan.ts` chooses for a change of the router alone. */
function policyOf(
  { name, labels }: DeclaredRouter,
  policies: Declared,
): Declared[number] | undefined {
  return (
    policies.find(([, { selector }]) => selector.virtualRouters.includes(name)) ??
    policies.find(([, { selector }]) => hasLabels(labels, selector.matchLabels)) ??
    policies.find(([, { selector }]) => selector.isDefault)
  );
}

function checkRouter(
  scope: Scope,
  document: MeshDocument,
  policy: RolloutPolicy,
  router: DeclaredRouter,
): void {
  const needs = needsOf(policy);
  for (const { name, protocol } of router.routes) {
    const unmet = needs.find(({ lacks }) => lacks[protocol] !== undefined);
    if (unmet !== undefined) {
      const text =
        `${unmet.what}, and route ${name} of VirtualRouter ${router.name}, which the policy ` +
        `selects, is ${protocol}: ${unmet.lacks[protocol]}`;
      scope.report(document, 'HG0623', unmet.path, text, { found: protocol });
      // One a router: the policy is wrong for it, however many routes it has.
      return;
    }
  }
}

/** What a policy asks of the routes that it selects. */
interface Need {
  readonly path: FieldPath;
  readonly what: string;
  /** Why a protocol does not have it, and what to do. */
  readonly lacks: Partial<Readonly<Record<Protocol, string>>>;
}

const ownPolicy = 'select that router by a policy of its own';
const tcpHeaders = `a connection has no headers; ${ownPolicy}`;

function needsOf({ steps, sticky, isBlueGreen }: RolloutPolicy): readonly Need[] {
  const bySteps = steps.flatMap(({ match, mirror }, index): readonly Need[] => {
    const path = isBlueGreen ? ['spec', 'blueGreen', 'preview'] : ['spec', 'steps', index];
    return [
      ...(match === undefined ? [] : [needOfMatch(match, [...path, 'match'])]),
      ...(mirror === undefined ? [] : [needOfMirror(mirror, [...path, 'mirror'])]),
    ];
  });
  return sticky === undefined ? bySteps : [...bySteps, needOfSticky(sticky)];
}

function needOfMatch({ cookies }: RequestMatch, path: FieldPath): Need {
  const grpc = `gRPC clients keep no cookies; match headers, or ${ownPolicy}`;
  return {
    path,
    what: `a step tells requests apart by ${cookies.length > 0 ? 'cookies' : 'headers'}`,
    lacks: cookies.length > 0 ? { tcp: tcpHeaders, grpc } : { tcp: tcpHeaders },
  };
}

function needOfMirror({ methods }: Mirror, path: FieldPath): Need {
  const tcp = `connections are not copied; ${ownPolicy}`;
  const grpc =
    'its calls are POST requests; add methods: [POST] where calls may be made twice, or ' +
    ownPolicy;
  return {
    path,
    what: `a step copies ${methods.join(' and ')} requests`,
    lacks: methods.includes('POST') ? { tcp } : { tcp, grpc },
  };
}

function needOfSticky({ kind }: Sticky): Need {
  const grpc = `gRPC clients keep no cookies; tell clients apart by a header, or ${ownPolicy}`;
  return {
    path: ['spec', 'sticky', kind],
    what: `sticky tells clients apart by a ${kind}`,
    lacks: kind === 'cookie' ? { tcp: tcpHeaders, grpc } : { tcp: tcpHeaders },
  };
}
