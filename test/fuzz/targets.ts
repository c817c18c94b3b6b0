/** Everything that takes bytes from people or programs that are not trusted. */

import { wholly } from '../../controller/base/in-parts.js';
import { hasErrors } from '../../controller/base/problem.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { problemTable } from '../../controller/decode/problems.js';
import { importAppMesh } from '../../controller/import/import-app-mesh.js';
import type { LoadReport } from '../../controller/loop/ports.js';
import { danglingReferences } from '../../controller/mesh/references.js';
import type { Call } from '../../controller/xds/call.js';
import type { Hub } from '../../controller/xds/hub.js';
import { LoadReportStream } from '../../controller/xds/load-reports.js';
import { encodeMessage } from '../../controller/xds/protos.js';
import { decodeRequest } from '../../controller/xds/requests.js';
import { type RunningApi, runApi } from '../api/running-api.js';
import { filesOf } from '../import/import-case.js';
import { goldenCases } from '../support/golden.js';
import { revisionOfFolder } from '../support/revision.js';
import type { FuzzTarget } from './fuzzer.js';

const yamlTokens = [
  ...'[]{}:,-?&*!|>\'"%@`#\t\n\r \\~=<'.split(''),
  ...[
    '\n---\n',
    '<<: *a',
    '&a ',
    '*a',
    '!!binary ',
    '!Sub ',
    '!GetAtt ',
    '__proto__: ',
    `\u0024{A}`,
    'null',
  ],
  ...[
    '.nan',
    '-.inf',
    '0x1F',
    '1e309',
    '9007199254740993',
    '\u0000',
    '\ufeff',
    '\u202e',
    '\u{1f6a6}',
  ],
  ...['constructor: ', 'toString', '{"a":', 'Fn::Sub: ', 'Ref: ', '- - - - ', '[[[[[[', '{{{{{{'],
];

/** Lengths, wire types and numbers that a reader of protobuf may stumble over. */
const wireTokens = [
  ...[
    [0xff, 0xff, 0xff, 0xff, 0x0f],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  ],
  ...[[0x0a, 0x00], [0x0a, 0xff, 0x7f], [0x0b], [0x0c], [0x1a, 0x01, 0x2a], [0x00], [0x80]],
].map((bytes) => Uint8Array.from(bytes));

const loader: FuzzTarget = {
  name: 'loader',
  tokens: yamlTokens,
  seeds: () =>
    goldenCases('decode')
      .filter(({ name }) => !/bomb|more-problems/.test(name))
      .flatMap(({ path }) => revisionOfFolder(path).files.map(({ bytes }) => bytes)),
  check: (bytes) => {
    const { meshes, problems } = loadMeshes({ files: [{ path: 'a.yaml', bytes }], problems: [] });
    expect(meshes.length > 0 === !hasErrors(problems), 'a mesh or errors');
    expect(
      problems.every(({ code }) => Object.hasOwn(problemTable, code)),
      'known codes',
    );
    expect(
      meshes.every((mesh) => danglingReferences(mesh).length === 0),
      'no dangling reference',
    );
    expectCleanPrototype();
  },
};

const importer: FuzzTarget = {
  name: 'importer',
  tokens: yamlTokens,
  seeds: () => goldenCases('import').flatMap(({ path }) => filesOf(path).map(({ bytes }) => bytes)),
  check: (bytes) => {
    for (const path of ['a.yaml', 'a.json']) {
      const files = [{ path, bytes }];
      const [first, second] = [1, 2].map(() => importAppMesh(files, { parameters: new Map() }));
      expect(JSON.stringify(first) === JSON.stringify(second), 'the same result each time');
    }
    expectCleanPrototype();
  },
};

let hookApi: RunningApi | undefined;

const hooks: FuzzTarget = {
  name: 'hooks',
  tokens: ['{', '}', '[]', '"ref"', 'sha256=', '\u0000', '\r\n', '{"__proto__":{"a":1}}', 'null'],
  seeds: () => [Buffer.from('{"ref":"refs/heads/main"}'), Buffer.from('[]'), Buffer.alloc(0)],
  check: async (body) => {
    hookApi ??= await runApi();
    for (const provider of ['github', 'gitlab', 'generic', 'forgejo']) {
      const response = await fetch(`${hookApi.url}/api/v1/hooks/${provider}`, {
        method: 'POST',
        body,
        // Where a header may hold it, the body is the signature, too.
        headers: { 'X-Hub-Signature-256': Buffer.from(body).toString('hex').slice(0, 200) },
      });
      await response.arrayBuffer();
      expect(response.status === 401, `401 and not ${response.status}`);
    }
    expect(hookApi.polls.length === 0, 'no poll');
  },
};

const node = { id: 'mesh/shop/virtualNode/web', cluster: 'web' };

const xdsRequests: FuzzTarget = {
  name: 'xds-requests',
  tokens: wireTokens,
  seeds: () => [
    encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', {
      node,
      version_info: '1',
      resource_names: ['a', 'b', '*'],
      type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
      response_nonce: '7',
      error_detail: { code: 3, message: 'no' },
    }),
    encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', {
      node,
      type_url: 'type.googleapis.com/envoy.config.listener.v3.Listener',
      resource_names_subscribe: ['a', '*'],
      resource_names_unsubscribe: ['b'],
      initial_resource_versions: { a: '1', b: '2' },
      response_nonce: '7',
    }),
  ],
  check: (input) => {
    for (const variant of ['sotw', 'delta'] as const) {
      // What cannot be read ends its stream with the words of the error.
      const request = orRefused(() => wholly(decodeRequest(variant, Buffer.from(input))));
      const typed = request && orRefused(() => wholly(request.as('cluster')));
      expect(typed === undefined || typeof typed.nonce === 'string', 'a request with its nonce');
    }
  },
};

const loadReports: FuzzTarget = {
  name: 'load-reports',
  tokens: wireTokens,
  seeds: () => [
    encodeMessage('envoy.service.load_stats.v3.LoadStatsRequest', {
      node: { ...node, client_features: ['envoy.lrs.supports_send_all_clusters'] },
      cluster_stats: [
        {
          cluster_name: 'cds_egress_shop_web_http_80',
          upstream_locality_stats: [
            { total_successful_requests: 9, total_error_requests: 1, total_issued_requests: 10 },
          ],
          load_report_interval: { seconds: 1, nanos: 5 },
        },
      ],
    }),
  ],
  check: (input) => {
    const reports: LoadReport[] = [];
    const stream = new LoadReportStream(
      hubOf((report) => reports.push(report)),
      silentCall,
    );
    stream.onMessage(Buffer.from(input));
    for (const { clusters } of reports) {
      for (const { cluster, ...figures } of clusters) {
        expect(typeof cluster === 'string', 'a name');
        for (const [key, figure] of Object.entries(figures)) {
          expect(Number.isFinite(figure) && figure >= 0, `${key} is ${figure}`);
        }
      }
    }
  },
};

export const fuzzTargets: readonly FuzzTarget[] = [
  loader,
  importer,
  hooks,
  xdsRequests,
  loadReports,
];

/** Ends what the targets have started. */
export async function closeTargets(): Promise<void> {
  await hookApi?.stop();
  hookApi = undefined;
}

/** As much of a hub as a stream of load reports touches. */
function hubOf(onReport: (report: LoadReport) => void): Hub {
  const hub = {
    loadReports: new Set(),
    settings: { loadReportIntervalMs: 1000 },
    mayBe: () => true,
    findStream: () => undefined,
    served: () => ({ snapshot: undefined }),
    deps: {
      identify: ({ id = '' }: { readonly id?: string }) => ({
        nodeId: id,
        instance: id,
        kind: 'envoy',
      }),
      onEvent: ({ report }: { readonly report: LoadReport }) => onReport(report),
    },
  };
  return hub as unknown as Hub;
}

const silentCall = {
  peer: '127.0.0.1:1',
  write: (_messages: readonly Buffer[], sent: () => void) => sent(),
  end: () => undefined,
} as unknown as Call;

/** Undefined where `read` refuses with an error that has words for the client. */
function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    expect(error instanceof Error && error.message !== '', 'an error with words');
    return undefined;
  }
}

function expect(isTrue: boolean, what: string): void {
  if (!isTrue) {
    throw new Error(`expected ${what}`);
  }
}

function expectCleanPrototype(): void {
  expect(Object.keys(Object.prototype).length === 0, 'an Object.prototype without keys');
}
