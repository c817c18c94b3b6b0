/** From a measured gate to the question that its provider is asked about this rollout, at this step. */

import type { TemplateName } from '../../mesh/gate-template.js';
import type { HttpGate, MeasuredGate } from '../../mesh/gates.js';
import type { Mesh } from '../../mesh/model.js';
import type { Rollout } from '../rollout.js';
import { losingNodes } from '../targets.js';
import type { Question } from './measurement.js';
import { canaryNodes, fillIn, type TemplateStyle } from './subject.js';

/** The question, or a name in it that stands for nothing, so that it cannot be asked. */
export function questionOf(
  gate: MeasuredGate,
  rollout: Rollout,
  mesh: Mesh,
): Question | { readonly unbound: TemplateName } {
  switch (gate.kind) {
    case 'query': {
      const filled = fillIn(gate.query, promQl, { rollout, mesh, windowMs: gate.windowMs });
      return 'unbound' in filled ? filled : { kind: 'query', query: filled.text };
    }
    case 'http': {
      const filled = fillIn(gate.path, urlPart, { rollout, mesh });
      return 'unbound' in filled ? filled : request(gate, filled.text, rollout, mesh);
    }
    case 'grpc':
      return { kind: 'grpc', service: gate.service };
  }
}

/**
 * Lists are alternatives for `=~`. Of what names are made of only the dot has a meaning there, and a class
 * of one is a dot in every kind of PromQL's quotes.
 */
const promQl: TemplateStyle = {
  list: (names) => names.map((name) => name.replaceAll('.', '[.]')).join('|'),
  text: (value) => value,
};

const urlPart: TemplateStyle = {
  list: (names) => names.map(encodeURIComponent).join(','),
  text: encodeURIComponent,
};

function request(gate: HttpGate, path: string, rollout: Rollout, mesh: Mesh): Question {
  const { method, statuses, json, timeoutMs } = gate;
  return {
    kind: 'http',
    method,
    path,
    body: method === 'POST' ? JSON.stringify(describe(rollout, mesh)) : undefined,
    statuses,
    json:
      json === undefined
        ? undefined
        : { pointer: json.pointer, type: json.equals === undefined ? 'number' : 'scalar' },
    timeoutMs,
  };
}

/** What a judge that is sent a POST is told of what it judges. */
function describe(rollout: Rollout, mesh: Mesh): object {
  const { id, name, revision, plan, step } = rollout;
  return {
    rollout: id,
    mesh: rollout.mesh,
    name,
    revision: revision.id,
    step: step + 1,
    steps: plan.steps.length,
    progress: plan.steps[step]?.progress ?? 0,
    canary: canaryNodes(rollout, mesh),
    stable: losingNodes(rollout.group),
  };
}
