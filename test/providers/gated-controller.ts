/** `headgate serve` on a mesh of one service in three versions, with the gates and providers of a test. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GateView, RolloutView } from '../../controller/api/rollout-view.js';
import { checkout, meshFiles, routeFile } from '../../controller/demo/mesh-files.js';
import { createRepository } from '../../controller/demo/repository.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import { policyYaml } from '../support/policy-yaml.js';
import { until } from '../support/until.js';

export interface GatedController {
  readonly headgate: HeadgateProcess;
  /** Commits the route to `version`; its rollout, once it is there. */
  release(version: string): Promise<RolloutView>;
  /** Writes another policy with `gates`, each a line of YAML. */
  setGates(gates: readonly string[]): Promise<void>;
  /** The result of a gate, once `isIt`. */
  gate(rollout: string, name: string, isIt: (gate: GateView) => boolean): Promise<GateView>;
  stop(): Promise<void>;
}

/** `providers` are lines of the config file; nothing is a proxy, so nothing has to be acknowledged. */
export async function startGated(options: {
  readonly providers: readonly string[];
  readonly gates: readonly string[];
}): Promise<GatedController> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-gated-'));
  const ports = { v1: 9001, v2: 9002, v3: 9003 };
  const repository = await createRepository(folder);
  const files = meshFiles({ checkout: ports, app: ports });
  await repository.commit('first', { ...files, 'policy.yaml': policy(options.gates) });
  const config = join(folder, 'headgate.yaml');
  await writeFile(
    config,
    ['providers:', ...options.providers.map((one) => `  - ${one}`)].join('\n'),
  );
  const headgate = await startHeadgate([
    ...['--repo', repository.bare, '--poll', '100ms', '--config', config],
    ...['--xds', '127.0.0.1:0', '--http', '127.0.0.1:0', '--state', join(folder, 'state.db')],
  ]);
  await until('the first commit is served', async () => {
    const { revision } = await headgate.status();
    return revision.applied !== null && revision.applied === revision.desired;
  });
  const known: string[] = [];
  return {
    headgate,
    release: async (version) => {
      await repository.commit(`release ${version}`, { [routeFile]: checkout(version) });
      const rollout = await headgate.newRollout(known);
      known.push(rollout.id);
      return rollout;
    },
    setGates: async (gates) => {
      const commit = await repository.commit('other gates', { 'policy.yaml': policy(gates) });
      // What a held change keeps from being applied is the rest of the desired state, not the policy.
      await until(
        'the policy is desired',
        async () => (await headgate.status()).revision.desired === commit,
      );
      known.push(...(await headgate.rollouts()).map(({ id }) => id));
    },
    gate: async (rollout, name, isIt) => {
      let found: GateView | undefined;
      await until(`gate ${name} of ${rollout}`, async () => {
        const one = (await headgate.rollouts()).find(({ id }) => id === rollout);
        found = one?.gates.find((gate) => gate.name === name);
        return found !== undefined && isIt(found);
      });
      return found as GateView;
    },
    stop: async () => {
      await headgate.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function policy(gates: readonly string[]): string {
  return policyYaml({
    name: 'gated',
    steps: ['{ progress: 50, bake: 1s }', '{ progress: 100, bake: 1s }'],
    gates,
  });
}
