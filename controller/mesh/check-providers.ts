/**
 * Providers that gates name. What they are only the operator's configuration says: where that is known a
 * provider must be there and be of the kind that the gate needs, and elsewhere nobody can tell.
 */
import { nearestName } from '../base/nearest-name.js';
import type { MeshDocument } from './document.js';
import { isMeasured, type MeasuredGate, type ProviderName, providerKinds } from './gates.js';
import { declared, type Scope } from './scope.js';

/** `providers` undefined: the configuration is not at hand. */
export function checkProviders(scope: Scope, providers: readonly ProviderName[] | undefined): void {
  for (const [document, { gates }] of declared(scope, 'RolloutPolicy')) {
    for (const [index, gate] of gates.entries()) {
      if (isMeasured(gate)) {
        const path = ['spec', 'gates', index, gate.kind, 'provider'];
        checkProvider({ scope, document, path }, gate, providers);
      }
    }
  }
}

function checkProvider(
  at: {
    readonly scope: Scope;
    readonly document: MeshDocument;
    readonly path: readonly (string | number)[];
  },
  { provider, kind, name }: MeasuredGate,
  providers: readonly ProviderName[] | undefined,
): void {
  const { scope, document, path } = at;
  const found = provider;
  if (providers === undefined) {
    const text =
      `gate ${name} asks provider ${provider}, which is not looked for without the controller's ` +
      'configuration; name that with --config';
    scope.report(document, 'HG0615', path, text, { found });
    return;
  }
  const known = providers.find((one) => one.name === provider);
  const needed = providerKinds[kind];
  if (known === undefined) {
    const fitting = providers.filter((one) => one.kind === needed).map((one) => one.name);
    const suggestion = nearestName(provider, fitting);
    const hint =
      suggestion === undefined
        ? `of kind ${needed} there are ${fitting.join(', ') || 'none'}`
        : `did you mean ${suggestion}?`;
    const text = `gate ${name}: provider ${provider} is not in the controller's configuration; ${hint}`;
    scope.report(document, 'HG0613', path, text, { found, suggestion });
  } else if (known.kind !== needed) {
    const text =
      `gate ${name}: provider ${provider} is of kind ${known.kind}, and ${kind} gates need one of ` +
      `kind ${needed}`;
    scope.report(document, 'HG0614', path, text, { found, allowed: needed });
  }
}
