/**
 * Which part of the program may import which: downward only, as `controller/ARCHITECTURE.md` tells. A
 * part is a folder below `controller/`, or a file of the program's own beside them (`config.ts` belongs to
 * `config/`). Whoever needs a line here that is missing has most likely put code into the wrong folder.
 */

export interface ImportRule {
  /** Parts that may be imported. */
  readonly parts?: readonly string[];
  /** Parts of which only types may be imported. */
  readonly types?: readonly string[];
  /** Packages and Node modules. */
  readonly packages?: readonly string[];
}

const pure = ['base', 'mesh', 'decode', 'diff', 'rollout', 'envoy'];
const files = ['node:fs', 'node:fs/promises', 'node:os', 'node:path', 'node:url', 'node:util'];
const programs = ['node:child_process', ...files];

/** `loop/ports` is a part of its own here: adapters see that file of the loop and no other. */
export const importTable: Readonly<Record<string, ImportRule>> = {
  base: { packages: ['node:crypto'] },
  mesh: { parts: ['base'] },
  decode: {
    parts: ['base', 'mesh', 'generated'],
    packages: ['ajv', 'ajv/dist/2020.js', 'js-yaml', 're2js'],
  },
  diff: { parts: ['base', 'mesh'] },
  import: {
    parts: ['base', 'mesh', 'decode', 'generated'],
    packages: ['js-yaml', 'yaml'],
  },
  rollout: { parts: ['base', 'mesh', 'diff'] },
  plan: { parts: ['base', 'mesh', 'diff', 'rollout', 'envoy'] },
  annotations: { parts: ['base', 'decode'] },
  review: { parts: ['base', 'http'] },
  envoy: { parts: ['base', 'mesh', 'generated'], packages: ['protobufjs'] },
  loop: { parts: [...pure, 'loop/ports'] },
  'loop/ports': { types: ['base', 'envoy', 'rollout', 'event-table'] },
  'event-table': {},

  git: {
    parts: ['base'],
    types: ['loop/ports'],
    packages: [
      'chokidar',
      'ignore',
      'semver',
      'simple-git',
      'node:crypto',
      'node:diagnostics_channel',
      'node:stream',
      ...programs,
    ],
  },
  certificates: {
    parts: ['base'],
    types: ['loop/ports', 'envoy', 'config'],
    packages: ['node:crypto', 'node:fs', 'node:fs/promises', 'node:path'],
  },
  http: { parts: ['base'], types: ['loop/ports'], packages: ['undici'] },
  providers: {
    parts: ['base', 'http', 'mesh', 'rollout'],
    types: ['loop/ports', 'config'],
    packages: ['@grpc/grpc-js', 'protobufjs/minimal.js', 'node:fs'],
  },
  store: {
    parts: ['base'],
    types: ['loop/ports', 'replicas'],
    packages: [
      ...['better-sqlite3', 'node:sqlite', 'pg', 'node:fs', 'node:path', 'node:tls', 'node:url'],
    ],
  },
  replicas: {
    parts: ['base', 'loop', 'loop/ports', 'rollout'],
    types: ['envoy', 'notify'],
  },
  notify: {
    parts: ['base', 'http'],
    types: ['loop/ports', 'loop', 'config'],
    packages: ['node:crypto'],
  },
  xds: {
    parts: ['base', 'envoy', 'generated'],
    types: ['loop/ports'],
    packages: [
      'protobufjs',
      're2js',
      'node:events',
      'node:http2',
      'node:net',
      'node:tls',
      'node:v8',
    ],
  },
  admission: {
    parts: ['base'],
    types: ['loop/ports', 'xds'],
    packages: ['node:crypto', 'node:fs', 'node:tls'],
  },
  access: {
    parts: ['base'],
    types: ['config'],
    packages: ['openid-client', 'node:crypto', 'node:fs'],
  },
  api: {
    parts: [...pure, 'access'],
    types: ['loop/ports', 'loop', 'replicas', 'config', 'event-table'],
    packages: [
      ...['express', 'node:crypto', 'node:http', 'node:net'],
      ...['node:fs', 'node:path', 'node:url'],
    ],
  },
  telemetry: {
    parts: ['base', 'rollout', 'envoy', 'loop', 'api', 'event-table'],
    types: ['loop/ports', 'replicas'],
    packages: [
      ...['prom-client', '@opentelemetry/api', '@opentelemetry/exporter-trace-otlp-http'],
      ...['@opentelemetry/resources', '@opentelemetry/sdk-trace'],
    ],
  },
  dashboard: {
    parts: ['base'],
    types: ['api', 'loop/ports', 'rollout'],
    packages: [
      ...['preact', 'preact/hooks', '@preact/signals', 'uplot', '@dagrejs/dagre'],
      ...['vite', '@preact/preset-vite', 'node:fs', 'node:path', 'node:url', 'node:zlib'],
    ],
  },

  config: { parts: ['base', 'admission'], types: ['loop'], packages: ['js-yaml'] },
  decoder: {
    parts: ['base', 'diff', 'decoder-border'],
    types: ['decode', 'mesh'],
    packages: ['node:worker_threads'],
  },
  'decoder-border': { parts: ['base', 'diff'], types: ['decode', 'mesh'] },
  'decoder-thread': {
    parts: ['base', 'decode', 'decoder-border'],
    types: ['decoder'],
    packages: ['node:worker_threads'],
  },
  clock: { types: ['loop/ports'] },
  'log-output': { packages: ['node:fs'] },
  log: {
    parts: ['base', 'log-output'],
    types: ['loop/ports', 'config'],
    packages: ['pino', 'pino-pretty'],
  },
  secrets: { parts: ['base'], types: ['config'], packages: ['node:fs'] },
  version: { packages: ['node:module'] },
  app: {
    parts: [
      ...pure,
      ...[
        'git',
        'certificates',
        'providers',
        'store',
        'notify',
        'xds',
        'admission',
        'access',
        'api',
        'telemetry',
        'loop',
        'loop/ports',
        'replicas',
      ],
      ...['config', 'clock', 'decoder', 'log', 'secrets', 'version'],
    ],
    packages: ['node:os'],
  },
  demo: {
    parts: [...pure, 'app', 'api', 'config', 'log'],
    types: ['event-table', 'loop/ports'],
    packages: ['express', 'node:crypto', 'node:http', 'node:net', ...programs],
  },
  'demo-page': {
    parts: ['base', 'dashboard'],
    types: ['demo'],
    packages: ['preact', 'preact/hooks', '@preact/signals'],
  },
  check: {
    parts: [
      ...['base', 'access', 'admission', 'certificates', 'git', 'http'],
      ...['clock', 'config', 'decoder', 'secrets'],
    ],
    types: ['api', 'loop/ports'],
    packages: ['node:net', ...programs],
  },
  cli: {
    parts: [
      ...pure,
      ...['access', 'admission', 'import', 'plan', 'annotations', 'review', 'http', 'monitoring'],
      ...[
        'app',
        'check',
        'demo',
        'config',
        'log',
        'clock',
        'secrets',
        'git',
        'notify',
        'store',
        'version',
      ],
    ],
    types: ['api', 'loop', 'loop/ports'],
    packages: ['commander', 'js-yaml', 'picocolors', ...files],
  },
  main: { parts: ['cli'] },
  monitoring: {},
  reference: {
    parts: [
      ...['telemetry', 'event-table', 'monitoring', 'cli', 'config', 'decode', 'decoder', 'git'],
      ...['api', 'version'],
    ],
    packages: ['commander', 'node:fs', 'node:path'],
  },
  'xds-target': {
    parts: ['base', 'envoy', 'xds', 'clock', 'log'],
    types: ['loop/ports'],
    packages: ['node:http', 'node:net', 'node:stream/consumers', 'node:util'],
  },
};

/** Packages that only these files of their part may import. */
export const onlyImportedBy: Readonly<Record<string, readonly string[]>> = {
  '@grpc/grpc-js': ['controller/providers/grpc-health.ts'],
  'node:http2': [
    'controller/xds/grpc-stream.ts',
    'controller/xds/serve-call.ts',
    'controller/xds/server.ts',
    'controller/xds/session.ts',
  ],
};

/** What may not be called in a part, and what to use instead. */
export interface Ban {
  readonly pattern: RegExp;
  readonly replacement: string;
}

const timeAndChance: readonly Ban[] = [
  { pattern: /\bDate\.now\b|\bnew Date\(\)/, replacement: 'an argument nowMs, or Clock.now' },
  { pattern: /\bset(?:Timeout|Interval)\(/, replacement: 'Clock.after' },
  { pattern: /\bMath\.random\b|\brandom(?:UUID|Bytes|Int)\(/, replacement: 'Random' },
  { pattern: /\bconsole\./, replacement: 'Logger' },
];

const world: readonly Ban[] = [
  ...timeAndChance,
  { pattern: /\bperformance\./, replacement: 'an argument nowMs' },
  { pattern: /\bprocess\./, replacement: 'an argument' },
  {
    pattern: /\bsetImmediate\(|\bqueueMicrotask\(/,
    replacement: 'a value that the caller acts on',
  },
  { pattern: /\bfetch\(/, replacement: 'an adapter' },
];

/** What is absent here may call everything: the edges of the program, where clocks and timers are made. */
export const bansOf: Readonly<Record<string, readonly Ban[]>> = {
  ...Object.fromEntries(
    [...pure, 'import', 'plan', 'annotations', 'loop/ports'].map((part) => [part, world]),
  ),
  ...Object.fromEntries(
    ['loop', 'git', 'certificates', 'providers', 'store', 'notify', 'xds', 'api', 'app'].map(
      (part) => [part, timeAndChance],
    ),
  ),
};
