/**
 * The program `xds-target` itself: what it answers over HTTP, that real clients take everything it
 * serves, and its synthetic mesh.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { startEnvoy } from '../support/envoy.js';
import { until } from '../support/until.js';
import { DeltaOutsider, startTarget, type TargetProcess } from '../support/xds-target.js';

const test = suite('xds-target');

async function withTarget(
  args: readonly string[],
  use: (target: TargetProcess) => Promise<void>,
): Promise<void> {
  const target = await startTarget(args);
  try {
    await use(target);
  } finally {
    await target.stop();
  }
}

test('what it cannot serve it refuses, and says why', () =>
  withTarget([], async (target) => {
    for (const [path, body, status, error] of [
      ['/state', '{', 400, /JSON/],
      ['/state', 'null', 400, /node is to be/],
      ['/state', '{"node":""}', 400, /node is to be/],
      ['/state', '{"node":"n","sds":["s"]}', 400, /sds: there is only/],
      ['/state', '{"node":"n","cds":"a"}', 400, /cds is to be a list/],
      ['/state', '{"node":"n","cds":["a","a:2"]}', 400, /a is there twice/],
      ['/state', '{"node":"n","rds":[":2"]}', 400, /a name is empty/],
      ['/state', Buffer.from('{"node":"\xff"}', 'latin1'), 400, /not valid for encoding utf-8/],
      ['/state', Buffer.alloc(65 * 1024 * 1024, ' '), 400, /over 67108864 bytes/],
      ['/trigger', '', 400, /start with --services/],
      ['/other', '', 404, /there is POST \/state/],
    ] as const) {
      const answer = await target.post(path, body);
      assert.is(answer.status, status, `${path} ${body.slice(0, 40)}`);
      assert.match((answer.json as { error: string }).error, error);
    }
  }));

test('a label that is wrong is no start', async () => {
  for (const args of [['--services', '0'], ['--views', 'none'], ['--views', 'each'], ['--what']]) {
    const failed = await startTarget(args).then(
      () => 'started',
      (error: Error) => error.message,
    );
    assert.match(failed, /ended with 2: xds-target: .*\nusage: /s, args.join(' '));
  }
});

for (const protocol of ['delta', 'sotw'] as const) {
  test(`a real Envoy takes all that a state can have, and what its variants change (${protocol})`, () =>
    withTarget([], async (target) => {
      const state = (variant: string) => ({
        cds: [`a${variant}`, 'b'],
        eds: [`a${variant}`],
        lds: [`l${variant}`, 'm'],
        rds: [`l${variant}`, 'm'],
      });
      await target.serve('envoy', state(''));
      const envoy = await startEnvoy(
        renderBootstrap({ nodeId: 'envoy', xds: [target.xds], protocol }),
      );
      try {
        await envoy.waitUntilLive();
        for (const variant of [':2', ':anything']) {
          await target.serve('envoy', state(variant));
          const marks = ['alt_stat_name": "a', 'stat_prefix": "l', 'name": "l'];
          await until(`Envoy has ${variant}`, async () => {
            const dump = await envoy.admin('/config_dump');
            return marks.every((mark) => dump.includes(`${mark}${variant}"`));
          });
        }
        const wrong = '/stats?filter=update_rejected|warming';
        await until('Envoy is content', async () => !/: [1-9]/.test(await envoy.admin(wrong)));
      } finally {
        await envoy.stop();
      }
    }));
}

for (const [views, node] of [
  ['shared', 'anybody'],
  ['each', 'node-00001'],
] as const) {
  test(`the synthetic mesh is all there, and a trigger changes one route (${views})`, () =>
    withTarget(['--services', '3', '--nodes', '2', '--views', views], async (target) => {
      const proxy = new DeltaOutsider(target.client().delta(node));
      proxy.ask('cluster');
      const clusters = (await proxy.accept('cluster')).names;
      assert.equal(
        [...clusters].sort(),
        [0, 1, 2]
          .map((index) => `svc-000${index}.default.stable`)
          .concat('svc-0000.default.canary')
          .sort(),
      );
      proxy.ask('endpoint', clusters);
      const endpoints = await proxy.accept('endpoint');
      assert.is(endpoints.names.length, 4);
      assert.is((JSON.stringify(endpoints.resources[0]).match(/port_value/g) ?? []).length, 10);
      proxy.ask('listener');
      assert.is((await proxy.accept('listener')).names.length, 3);
      const routes = [0, 1, 2].map((index) => `svc-000${index}.default:80`);
      proxy.ask('route', routes);
      assert.match(JSON.stringify((await proxy.accept('route')).resources), '#m000001');
      for (const marker of ['#m000002', '#m000003']) {
        assert.equal((await target.post('/trigger', '')).json, { marker });
        const changed = await proxy.accept('route');
        assert.equal(changed.names, routes.slice(0, 1));
        assert.match(JSON.stringify(changed.resources), marker);
      }
      await proxy.silence();
    }));
}

test('with a view for each node, others are not known', () =>
  withTarget(['--services', '1', '--nodes', '2', '--views', 'each'], async (target) => {
    for (const id of ['node-00002', 'anybody']) {
      const proxy = new DeltaOutsider(target.client().delta(id));
      proxy.ask('cluster');
      await proxy.silence();
    }
  }));

test.run();
