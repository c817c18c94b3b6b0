/** The gate `grpc`: what a server says of itself by gRPC's own health check. */
import { renderDuration } from '../../base/duration.js';
import type { GrpcGate } from '../../mesh/gates.js';
import { judgeMeasured, misfit } from './judge-measured.js';
import type { GateKind, GateQuestion, Judgement } from './kind.js';
import { figure } from './text.js';

export const grpc: GateKind<GrpcGate> = {
  judge: judgeGrpc,
  windowMs: () => 0,
  describe: ({ provider, service, intervalMs }) =>
    `${provider} says that ${nameOf(service)} is SERVING (every ${renderDuration(intervalMs)})`,
};

function judgeGrpc(question: GateQuestion<GrpcGate>): Judgement {
  return judgeMeasured(question, {
    metric: 'grpc',
    windowMs: 0,
    judge: (answer) => {
      const { status } = answer.kind === 'health' ? answer : misfit(answer);
      const hasPassed = status === 'SERVING';
      return {
        verdict: hasPassed ? 'pass' : 'fail',
        samples: 1,
        text: figure({
          metric: nameOf(question.gate.service),
          observed: status,
          op: hasPassed ? '=' : '≠',
          limit: 'SERVING',
          samples: '1 answer',
        }),
      };
    },
  });
}

function nameOf(service: string): string {
  return service === '' ? 'the server' : `service ${service}`;
}
