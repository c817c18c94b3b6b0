/** Settings from flags, environment, file and defaults: which wins, what is refused, and in what words. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfigFile } from '../controller/config/file.js';
import type { RepositorySettings } from '../controller/config/repositories.js';
import type { SettingSources } from '../controller/config/sources.js';
import { flagOf, type SettingName, settingNames, variableOf } from '../controller/config/table.js';
import { resolveSettings, type Settings } from '../controller/config.js';

const config = suite('config');

function resolve(sources: Partial<SettingSources> & { readonly text?: string }) {
  const file =
    sources.text === undefined ? undefined : parseConfigFile('headgate.yaml', sources.text);
  return resolveSettings({ flags: sources.flags ?? {}, env: sources.env ?? {}, file });
}

function settingsOf(sources: Parameters<typeof resolve>[0]): Settings {
  const { settings, problems } = resolve(sources);
  assert.equal(problems, []);
  if (settings === undefined) {
    throw new Error('there are no settings and no problems');
  }
  return settings;
}

/** The one repository of `settings`. */
function only({ repositories }: Settings): RepositorySettings {
  const [repository, ...more] = repositories;
  if (repository === undefined || more.length > 0) {
    throw new Error(`there are ${repositories.length} repositories`);
  }
  return repository;
}

/** `place: message` of everything that is wrong. */
function complaints(sources: Parameters<typeof resolve>[0]): readonly string[] {
  return resolve(sources).problems.map(({ place, message }) => `${place}: ${message}`);
}

config('a repository is all that must be given', () => {
  assert.equal(settingsOf({ flags: { repo: '/srv/mesh.git' } }), {
    repositories: [
      {
        name: '',
        repo: '/srv/mesh.git',
        branch: 'main',
        tag: undefined,
        semver: undefined,
        commit: undefined,
        trust: { signersFile: undefined, keyringFile: undefined, revokedFile: undefined },
        path: '.',
        pollMs: 5000,
        cache: 'headgate.db.git',
        git: {
          tokenFile: undefined,
          username: undefined,
          caFile: undefined,
          keyFile: undefined,
          knownHostsFile: undefined,
        },
        hooks: {},
      },
    ],
    xds: { address: '127.0.0.1', port: 18000 },
    xdsAdmission: undefined,
    http: { address: '127.0.0.1', port: 8080 },
    state: 'headgate.db',
    stateUrlFile: undefined,
    statePasswordFile: undefined,
    replica: undefined,
    leaseMs: 15_000,
    secrets: undefined,
    insecure: false,
    loadReportIntervalMs: 1000,
    ackDeadlineMs: 30_000,
    drainMs: 5000,
    logLevel: 'info',
    logFormat: 'auto',
    notifications: [],
    publicUrl: undefined,
    hooks: {},
    secretVariables: [],
    providers: [],
    access: { tokensFile: undefined, oidc: undefined },
  });
});

/** Every JSON text is YAML. */
const quote = (text: string) => JSON.stringify(text);

/** For each setting three texts (flag, environment, file) and where its value ends up. */
const samples: Readonly<
  Record<SettingName, readonly [string, string, string, (settings: Settings) => unknown]>
> = {
  repo: [
    'https://a.example/m.git',
    'https://b.example/m.git',
    'https://c.example/m.git',
    (all) => only(all).repo,
  ],
  branch: ['one', 'two', 'feature/three', (all) => only(all).branch],
  tag: ['v1', 'v2', 'release/3', (all) => only(all).tag],
  semver: ['^1.0', '~2.1', '>=3 <4', (all) => only(all).semver],
  commit: ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(64), (all) => only(all).commit],
  gitSignersFile: ['one', 'two', 'three', (all) => only(all).trust.signersFile],
  gitKeyringFile: ['one', 'two', 'three', (all) => only(all).trust.keyringFile],
  gitRevokedFile: ['one', 'two', 'three', (all) => only(all).trust.revokedFile],
  path: ['one', 'two/three', 'four', (all) => only(all).path],
  poll: ['1s', '2s', '3s', (all) => only(all).pollMs],
  xds: ['127.0.0.1:1', '127.0.0.1:2', '[::1]:3', ({ xds }) => xds],
  xdsCert: ['one', 'two', 'three', ({ xdsAdmission }) => xdsAdmission?.certificate],
  xdsKey: ['one', 'two', 'three', ({ xdsAdmission }) => xdsAdmission?.key],
  xdsClientCa: ['one', 'two', 'three', ({ xdsAdmission }) => xdsAdmission?.clientCa],
  xdsCrl: ['one', 'two', 'three', ({ xdsAdmission }) => xdsAdmission?.crl],
  xdsClients: [
    'dns:a => operator',
    'dns:b => operator, dns:c => mesh/shop/virtualNode/c',
    'spiffe://shop/{name} => mesh/shop/virtualNode/{name}',
    ({ xdsAdmission }) => xdsAdmission?.rules.map(({ text }) => text),
  ],
  xdsTokenKey: ['one', 'two', 'three', ({ xdsAdmission }) => xdsAdmission?.tokenKey],
  xdsTokensRevoked: ['one', 'two', 'three', ({ xdsAdmission }) => xdsAdmission?.tokensRevoked],
  http: ['127.0.0.1:0', 'localhost:5', '127.0.0.1:6', ({ http }) => http],
  publicUrl: [
    'https://a.example',
    'https://b.example/headgate',
    'http://[::1]:8080',
    ({ publicUrl }) => publicUrl,
  ],
  state: ['one.db', 'two.db', 'three.db', ({ state }) => state],
  stateUrlFile: ['one', 'two', 'three', ({ stateUrlFile }) => stateUrlFile],
  statePasswordFile: ['one', 'two', 'three', ({ statePasswordFile }) => statePasswordFile],
  replica: ['one', 'two.b', 'three-c', ({ replica }) => replica],
  lease: ['2s', '3s', '4s', ({ leaseMs }) => leaseMs],
  cache: ['one', 'two', 'three', (all) => only(all).cache],
  secrets: ['one', 'two', 'three', ({ secrets }) => secrets],
  gitTokenFile: ['one', 'two', 'three', (all) => only(all).git.tokenFile],
  gitUsername: ['one', 'two', 'three', (all) => only(all).git.username],
  gitCaFile: ['one', 'two', 'three', (all) => only(all).git.caFile],
  gitKeyFile: ['one', 'two', 'three', (all) => only(all).git.keyFile],
  gitKnownHostsFile: ['one', 'two', 'three', (all) => only(all).git.knownHostsFile],
  insecure: ['true', 'false', 'true', ({ insecure }) => insecure],
  loadReportInterval: ['1s', '500ms', '100ms', ({ loadReportIntervalMs }) => loadReportIntervalMs],
  ackDeadline: ['1s', '2s', '3s', ({ ackDeadlineMs }) => ackDeadlineMs],
  drain: ['1s', '0', '3s', ({ drainMs }) => drainMs],
  logLevel: ['info', 'warn', 'error', ({ logLevel }) => logLevel],
  tokensFile: ['one', 'two', 'three', ({ access }) => access.tokensFile],
  oidcIssuer: [
    'https://a.example',
    'https://b.example/realm',
    'http://127.0.0.1:1',
    ({ access }) => access.oidc?.issuer,
  ],
  oidcClientId: ['one', 'two', 'three', ({ access }) => access.oidc?.clientId],
  oidcClientSecretFile: ['one', 'two', 'three', ({ access }) => access.oidc?.clientSecretFile],
  oidcOperators: ['ann', 'ann, bob@b.example', '*', ({ access }) => access.oidc?.operators],
  oidcViewers: ['ann', 'ann,bob', '*', ({ access }) => access.oidc?.viewers],
  oidcScopes: ['email', 'groups', 'email groups', ({ access }) => access.oidc?.scopes],
  logFormat: ['json', 'pretty', 'auto', ({ logFormat }) => logFormat],
};

/** What the settings of OpenID Connect need beside them. */
const companions = {
  oidcIssuer: 'https://idp.example',
  oidcClientId: 'headgate',
  oidcClientSecretFile: 'secret',
  oidcOperators: 'platform',
};

/** What authentication on the xDS port needs beside its settings. */
const wholeAdmission = {
  xdsCert: 'tls.crt',
  xdsKey: 'tls.key',
  xdsClientCa: 'ca.crt',
  xdsClients: 'dns:{name}.shop => mesh/shop/virtualNode/{name}',
  xdsTokenKey: 'token.key',
};

for (const name of settingNames) {
  config(`${name}: the flag wins over the environment, that over the file`, () => {
    const [flag, variable, line, pick] = samples[name];
    const isOfOidc = name.startsWith('oidc');
    const isOfXds = name.startsWith('xds') && name !== 'xds';
    const isOfReplicas = name === 'replica' || name === 'statePasswordFile';
    const beside = {
      ...(isOfOidc && companions),
      ...(isOfXds && wholeAdmission),
      ...(isOfReplicas && { stateUrlFile: 'url' }),
    };
    const given = { repo: 'mesh', ...beside, [name]: undefined };
    // Quoted, as [::1]:8080 must be in YAML.
    const written = { ...given, [name]: line };
    const file = {
      text: Object.entries(written)
        .map((entry) => entry.map(quote).join(': '))
        .join('\n'),
    };
    const env = { [variableOf(name)]: variable };
    const flags = { [name]: flag };
    const alone = (value: string) => pick(settingsOf({ flags: { ...given, [name]: value } }));
    assert.equal(pick(settingsOf(file)), alone(line), 'the file alone');
    assert.equal(pick(settingsOf({ ...file, env })), alone(variable), 'file and environment');
    assert.equal(pick(settingsOf({ ...file, env, flags })), alone(flag), 'all three');
  });
}

config('names in flags and in the environment follow from the key', () => {
  assert.is(flagOf('loadReportInterval'), '--load-report-interval');
  assert.is(variableOf('loadReportInterval'), 'HEADGATE_LOAD_REPORT_INTERVAL');
});

config('an empty variable counts as unset', () => {
  assert.is(
    only(settingsOf({ flags: { repo: 'm' }, env: { HEADGATE_BRANCH: '' } })).branch,
    'main',
  );
});

config('the cache lies beside the state', () => {
  assert.is(
    only(settingsOf({ flags: { repo: 'm', state: '/var/lib/h.db' } })).cache,
    '/var/lib/h.db.git',
  );
});

config('without a repository nothing starts', () => {
  assert.equal(complaints({}), [
    '--repo: is missing; name the Git repository of the mesh, or a directory',
  ]);
});

config('every mistake is reported, each at its place', () => {
  const text = 'repo: mesh\n# two wrong\npoll: 5\nhttp: 8080\n';
  const flags = { branch: '-x', logLevel: 'loud' };
  const env = { HEADGATE_ACK_DEADLINE: '2h', HEADGATE_INSECURE: 'yes' };
  assert.equal(complaints({ text, flags, env }), [
    '--branch: branch is "-x"; expected text that does not begin with -',
    'headgate.yaml:3: poll is "5"; expected a duration from 100ms to 24h, as 5s or 1m30s',
    'headgate.yaml:4: http is "8080"; expected HOST:PORT, as 127.0.0.1:8080 or [::1]:8080',
    'HEADGATE_INSECURE: insecure is "yes"; expected true or false',
    'HEADGATE_ACK_DEADLINE: ackDeadline is "2h"; expected a duration from 100ms to 1h, as 5s or 1m30s',
    '--log-level: logLevel is "loud"; expected one of info, warn, error',
  ]);
});

config('unknown keys of the file are errors with the nearest name', () => {
  const text = 'repo: mesh\npol: 1s\nzzz: 1\nnotification: {}\n__proto__: {}\n';
  const [pol, zzz, notification, proto] = complaints({ text });
  assert.is(pol, 'headgate.yaml:2: pol is not known; did you mean poll?');
  assert.match(zzz ?? '', /^headgate\.yaml:3: zzz is not known; known are repo, branch, /);
  assert.match(notification ?? '', /did you mean notifications\?$/);
  assert.match(proto ?? '', /^headgate\.yaml:5: __proto__ is not known/);
});

config(
  'a variable that is almost a setting is a warning, and Kubernetes service links are not',
  () => {
    const env = {
      HEADGATE_REPO: 'mesh',
      HEADGATE_BRANCHE: 'main',
      HEADGATE_PORT: 'tcp://10.0.0.1:80',
      HEADGATE_SERVICE_HOST: '10.0.0.1',
    };
    const { settings, problems } = resolve({ env });
    assert.is(settings?.repositories[0]?.repo, 'mesh');
    assert.equal(problems, [
      {
        severity: 'warning',
        place: 'HEADGATE_BRANCHE',
        message: 'is no setting; did you mean HEADGATE_BRANCH?',
      },
    ]);
  },
);

config('sign-in takes the place of --insecure for HTTP, and only there', () => {
  const flags = { repo: 'm', http: '0.0.0.0:8080', tokensFile: 'tokens' };
  settingsOf({ flags });
  assert.match(complaints({ flags: { ...flags, xds: '0.0.0.0:18000' } }).join(), /^--xds: xds is/);
});

config('settings of OpenID Connect are of no use without one another', () => {
  const of = (flags: Record<string, string>) => complaints({ flags: { repo: 'm', ...flags } });
  assert.equal(of({ oidcIssuer: 'https://idp.example' }), [
    '--oidc-client-id: oidcClientId is missing; sign-in by OpenID Connect needs oidcIssuer, oidcClientId, oidcClientSecretFile',
    '--oidc-client-secret-file: oidcClientSecretFile is missing; sign-in by OpenID Connect needs oidcIssuer, oidcClientId, oidcClientSecretFile',
    '--oidc-viewers: nobody could sign in; name groups or e-mail addresses in oidcOperators or oidcViewers, or *',
  ]);
  const complaint = of({ ...companions, oidcIssuer: 'http://idp.example' }).join();
  assert.match(complaint, /^--oidc-issuer: .*a provider elsewhere needs https$/);
});

config('listening where other machines reach it needs --insecure', () => {
  for (const address of ['0.0.0.0:18000', '[::]:18000', '10.1.2.3:18000', 'mesh.internal:18000']) {
    const [complaint, ...rest] = complaints({ flags: { repo: 'm', xds: address } });
    assert.match(complaint ?? '', /^--xds: xds is .*; give it --xds-cert, .* or say --insecure/);
    assert.equal(rest, []);
    settingsOf({ flags: { repo: 'm', xds: address, insecure: true } });
  }
  for (const address of ['127.8.9.1:1', 'localhost:1', '[::1]:1', '[0:0:0:0:0:0:0:1]:1']) {
    settingsOf({ flags: { repo: 'm', http: address } });
  }
});

config('an xDS port that asks who is there may be reached by other machines', () => {
  const { xdsTokenKey: _, ...byCertificate } = wholeAdmission;
  for (const admission of [wholeAdmission, byCertificate]) {
    const flags = { repo: 'm', xds: '0.0.0.0:18000', secrets: 'secrets', ...admission };
    assert.equal(complaints({ flags }), []);
  }
});

config('half of an admission is none', () => {
  const words = (flags: Readonly<Record<string, string>>) =>
    complaints({ flags: { repo: 'm', ...flags } }).join('\n');
  assert.match(words({ xdsCert: 'c' }), /^--xds-cert: xdsCert needs xdsKey, .*; give --xds-key/);
  assert.match(words({ xdsCert: 'c', xdsKey: 'k' }), /nothing says who its Envoys are/);
  assert.match(words({ xdsClientCa: 'c' }), /xdsClientCa needs xdsCert/);
  assert.match(words({ xdsClientCa: 'c' }), /xdsClientCa needs xdsClients, .*spiffe:/);
  assert.match(words({ xdsCrl: 'c' }), /xdsCrl needs xdsClientCa/);
  assert.match(words({ xdsClients: 'dns:a' }), /expected NAME => NODE-ID or NAME => operator/);
  assert.match(
    words({ xds: '0.0.0.0:1', xdsTokenKey: 'k' }),
    /^--xds-token-key: tokens would pass in plain text to 0\.0\.0\.0:1; give --xds-cert/,
  );
});

config('secrets for whoever reaches the port are warned of', () => {
  const flags = { repo: 'm', secrets: 'secrets', insecure: true };
  assert.equal(complaints({ flags }), []);
  const { settings, problems } = resolve({ flags: { ...flags, xds: '0.0.0.0:18000' } });
  assert.is(settings?.secrets, 'secrets');
  assert.equal(
    problems.map(({ severity, place }) => `${severity} ${place}`),
    ['warning --secrets'],
  );
});

config('one port cannot serve both, but two free ports can', () => {
  const flags = { repo: 'm', xds: '127.0.0.1:9000', http: '127.0.0.1:9000' };
  assert.match(complaints({ flags }).join(), /each needs its own port/);
  settingsOf({ flags: { repo: 'm', xds: '127.0.0.1:0', http: '127.0.0.1:0' } });
});

config('a password on the command line is refused, and not repeated', () => {
  const repo = 'https://bot:hunter2@git.example/m.git';
  const complaint = complaints({ flags: { repo } }).join();
  assert.match(complaint, /^--repo: holds a password/);
  assert.not.match(complaint, /hunter2/);
  assert.is(only(settingsOf({ env: { HEADGATE_REPO: repo } })).repo, repo);
});

config('what is deployed is said once', () => {
  const flags = { repo: 'm', branch: 'main', tag: 'v1' };
  assert.equal(complaints({ flags }), [
    '--branch: --branch and --tag each say what is deployed; name one of them',
  ]);
});

config('a PostgreSQL URL with a password is refused on the command line, and not repeated', () => {
  const state = 'postgres://headgate:hunter2@db/headgate';
  const complaint = complaints({ flags: { repo: 'm', state } }).join();
  assert.match(complaint, /^--state: holds a password/);
  assert.not.match(complaint, /hunter2/);
  const settings = settingsOf({ flags: { repo: 'm' }, env: { HEADGATE_STATE: state } });
  assert.is(settings.state, state);
  assert.is(only(settings).cache, 'headgate.git');
});

config('what is for several replicas needs a PostgreSQL state', () => {
  assert.match(
    complaints({ flags: { repo: 'm', replica: 'a' } }).join(),
    /^--replica: replica is of/,
  );
  settingsOf({ flags: { repo: 'm', replica: 'a', stateUrlFile: 'url' } });
});

config('notification targets say where their secrets stand', () => {
  const text = `
repo: mesh
notifications:
  slack:
    - { name: team, urlFile: /run/secrets/slack, events: [rollout.rolledBack], minSeverity: warning, services: [checkout] }
  webhooks:
    - { name: audit, url: "https://audit.example/in", secretEnv: AUDIT_SECRET, meshes: [shop] }
`;
  assert.equal(settingsOf({ text }).notifications, [
    {
      name: 'team',
      kind: 'slack',
      url: { kind: 'file', path: '/run/secrets/slack' },
      events: ['rollout.rolledBack'],
      meshes: undefined,
      services: ['checkout'],
      minSeverity: 'warning',
    },
    {
      name: 'audit',
      kind: 'webhook',
      url: { kind: 'text', text: 'https://audit.example/in' },
      secret: { kind: 'environment', variable: 'AUDIT_SECRET' },
      events: undefined,
      meshes: ['shop'],
      services: undefined,
      minSeverity: undefined,
    },
  ]);
});

config('several repositories each have their own, and share what is trusted', () => {
  const text = `
branch: trunk
gitCaFile: /etc/ca.pem
gitSignersFile: /etc/signers
repositories:
  - { name: base, repo: "https://a.example/base.git", gitTokenFile: /run/base, hooks: { github: { secretEnv: B } } }
  - { name: payments, repo: "git@b.example:pay.git", tag: live, path: mesh, poll: 1m, gitSignersFile: /etc/other }
notifications:
  commitStatuses: [{ name: s, provider: github, repository: team/pay, of: payments, tokenEnv: T }]
`;
  const { repositories } = settingsOf({ text });
  assert.equal(
    repositories.map(({ name, branch, tag, path, pollMs, cache, git, trust, hooks }) => ({
      ...{ name, branch, tag, path, pollMs, cache, hooks },
      ...{ token: git.tokenFile, ca: git.caFile, signers: trust.signersFile },
    })),
    [
      {
        ...{ name: 'base', branch: 'trunk', tag: undefined, path: '.', pollMs: 5000 },
        cache: 'headgate.db.git-base',
        hooks: { github: { kind: 'environment', variable: 'B' } },
        ...{ token: '/run/base', ca: '/etc/ca.pem', signers: '/etc/signers' },
      },
      {
        ...{ name: 'payments', branch: 'trunk', tag: 'live', path: 'mesh', pollMs: 60_000 },
        ...{ cache: 'headgate.db.git-payments', hooks: {} },
        ...{ token: undefined, ca: '/etc/ca.pem', signers: '/etc/other' },
      },
    ],
  );
});

config('what is wrong with several repositories is said of each', () => {
  const text = `
gitTokenFile: /run/token
repositories:
  - { name: Base, repo: m }
  - { name: a, repo: m, branch: main, tag: v1 }
  - { name: a, repo: n, poll: 1ms, gitTokenFiles: x }
  - { name: b }
notifications:
  commitStatuses: [{ name: s, provider: github, repository: team/pay, tokenEnv: T }]
  reverts: [{ name: r, provider: github, repository: team/pay, of: c, tokenEnv: T }]
`;
  assert.equal(complaints({ text, flags: { repo: 'm' } }), [
    'headgate.yaml:3: repositories[0].name is missing or no name of lower-case letters, digits, dashes',
    'headgate.yaml:3: repositories[1] has branch and tag, which each say what is deployed; name one of them',
    'headgate.yaml:3: repositories[2].gitTokenFiles is not known; did you mean gitTokenFile?',
    "headgate.yaml:3: repositories[2].name is a, as another's; give each a name of its own",
    'headgate.yaml:3: repositories[2].poll is "1ms"; expected a duration from 100ms to 24h, as 5s or 1m30s',
    'headgate.yaml:3: repositories[3].repo is missing; name the Git repository of the mesh, or a directory',
    '--repo: repo is of one repository; write it into each of `repositories`',
    'headgate.yaml:2: gitTokenFile is of one repository; write it into each of `repositories`',
    'notifications: s has to be `of` one of a, a, b',
    'notifications: r has to be `of` one of a, a, b',
  ]);
  const of = '{ name: s, provider: github, repository: team/pay, of: c, tokenEnv: T }';
  assert.equal(complaints({ text: `repo: m\nnotifications: { commitStatuses: [${of}] }\n` }), [
    'notifications: s is of c, and there is no `repositories`',
  ]);
  for (const value of ['{}', '[]', '[1]']) {
    assert.match(
      complaints({ text: `repositories: ${value}\n` })[0] ?? '',
      /^headgate\.yaml:1: repositories/,
    );
  }
});

config('each form of notification has what it needs, and what is left out is the usual', () => {
  const text = `
repo: mesh
notifications:
  teams: [{ name: t, urlEnv: T }]
  discord: [{ name: d, urlEnv: D }]
  googleChat: [{ name: g, urlEnv: G }]
  slackBots: [{ name: b, tokenFile: /run/secrets/bot, channel: C0123456789 }]
  cloudEvents: [{ name: e, url: "https://events.example/in" }]
  commitStatuses:
    - { name: h, provider: github, repository: team/mesh, tokenEnv: H }
    - { name: l, provider: gitlab, repository: team/infra/mesh, tokenEnv: L }
    - { name: f, provider: gitea, repository: team/mesh, tokenEnv: F, apiUrl: "https://git.example/api/v1" }
    - { name: k, provider: bitbucket, repository: team/mesh, tokenEnv: K }
`;
  const { notifications } = settingsOf({ text });
  assert.equal(
    notifications.map((target) => `${target.name} ${target.kind}`),
    [
      't teams',
      'd discord',
      'g googleChat',
      'b slackBot',
      'e cloudEvents',
      'h commitStatus',
      'l commitStatus',
      'f commitStatus',
      'k commitStatus',
    ],
  );
  assert.equal(
    notifications.flatMap((target) => ('apiUrl' in target ? [target.apiUrl] : [])),
    [
      'https://slack.com/api',
      'https://api.github.com',
      'https://gitlab.com/api/v4',
      'https://git.example/api/v1',
      'https://api.bitbucket.org/2.0',
    ],
  );
});

config('what a commit status cannot do without is named', () => {
  const text = `
repo: mesh
notifications:
  slackBots: [{ name: b, tokenEnv: B, channel: "#general" }]
  commitStatuses:
    - { name: one, provider: svn, repository: team/mesh, tokenEnv: T }
    - { name: two, provider: gitea, repository: team/mesh, tokenEnv: T }
    - { name: three, provider: github, repository: ../mesh, tokenEnv: T }
    - { name: four, provider: github, repository: team/mesh }
`;
  assert.equal(
    complaints({ text }).map((found) => found.replace('headgate.yaml:3: notifications.', '')),
    [
      'slackBots[0].channel is missing or no id of a channel, as C0123456789',
      'commitStatuses[0].provider is none of github, gitlab, gitea, bitbucket',
      'commitStatuses[1] has no apiUrl, which gitea needs, as https://git.example.com/api/v1',
      'commitStatuses[2].repository is missing or no owner/name',
      'commitStatuses[3] has no tokenFile and no tokenEnv; one of them says where the token stands',
    ],
  );
});

config('secrets of proxies come from the environment, by the name in the variable', () => {
  const env = {
    HEADGATE_REPO: 'm',
    HEADGATE_TLS_CRT_WEB: 'c',
    HEADGATE_TLS_KEY_WEB: 'k',
    HEADGATE_CA_CRT_ALL: 'a',
    HEADGATE_TLS_CRT_NOT: '',
  };
  assert.equal(settingsOf({ env }).secretVariables, [
    { name: 'ALL', chain: undefined, key: undefined, authorities: 'HEADGATE_CA_CRT_ALL' },
    {
      name: 'WEB',
      chain: 'HEADGATE_TLS_CRT_WEB',
      key: 'HEADGATE_TLS_KEY_WEB',
      authorities: undefined,
    },
  ]);
  const mistyped = complaints({ env: { ...env, HEADGATE_TLS_CERT_WEB: 'c' } });
  assert.equal(mistyped, [
    'HEADGATE_TLS_CERT_WEB: is no setting; did you mean HEADGATE_TLS_CRT_WEB?',
  ]);
  const exposed = { ...env, HEADGATE_XDS: '0.0.0.0:18000', HEADGATE_INSECURE: 'true' };
  assert.match(
    complaints({ env: exposed }).join(),
    'environment: secrets are served in plain text',
  );
});

config('targets come from the environment too, and the _FILE form wins', () => {
  const env = {
    HEADGATE_REPO: 'm',
    HEADGATE_SLACK_URL: 'https://hooks.slack.com/services/T/B/x',
    HEADGATE_WEBHOOK_URL: 'https://audit.example/in',
    HEADGATE_WEBHOOK_URL_FILE: '/run/secrets/webhook',
  };
  assert.equal(settingsOf({ env }).notifications, [
    {
      name: 'slack',
      kind: 'slack',
      url: { kind: 'environment', variable: 'HEADGATE_SLACK_URL' },
    },
    {
      name: 'webhook',
      kind: 'webhook',
      url: { kind: 'file', path: '/run/secrets/webhook' },
      secret: undefined,
    },
  ]);
});

config('mistakes in notification targets are all named', () => {
  const text = `
repo: mesh
notifications:
  slack:
    - { name: one, url: https://hooks.slack.com/services/T/B/x }
    - { name: one two, urlEnv: A, urlFile: b, events: [rollout.start], minSeverity: bad }
    - 7
  webhooks:
    - { name: two, url: "https://user:hunter2@audit.example/in", secretFile: "" }
    - { name: three, meshes: [], services: checkout }
  email: []
`;
  const found = complaints({ text });
  assert.equal(
    found.map((complaint) => complaint.replace('headgate.yaml:3: notifications.', '')),
    [
      'email is not known; known are slack, teams, discord, googleChat, slackBots, webhooks, cloudEvents, commitStatuses, reverts',
      'slack[2] is no mapping',
      'slack[0].url is not known; known are name, urlFile, urlEnv, templates, events, meshes, services, minSeverity',
      'slack[0] has no urlFile and no urlEnv; one of them says where the url stands',
      'slack[1].name is missing or no name of letters, digits, dots, dashes',
      'slack[1] has both urlFile and urlEnv; one is enough',
      'slack[1].events has rollout.start, which is no event; did you mean rollout.started?',
      'slack[1].minSeverity is none of info, warning, error',
      'webhooks[0].url is no http or https URL without a password; for a secret one use urlFile',
      'webhooks[0].secretFile is no text',
      'webhooks[1] has no url, no urlFile and no urlEnv',
      'webhooks[1].meshes is no list of names; leave it out to mean all',
      'webhooks[1].services is no list of names; leave it out to mean all',
    ],
  );
});

config('two targets of one name are refused', () => {
  const text = `
repo: m
notifications: { slack: [{ name: a, urlEnv: A }], webhooks: [{ name: a, url: "http://x.example" }] }`;
  assert.match(complaints({ text }).join(), /two targets are called a/);
});

config('providers are read, with where their secrets stand', () => {
  const text = `
repo: m
providers:
  - { name: prometheus, kind: prometheus, url: "https://prom.example/base", tokenFile: /run/token, headers: { X-Scope-OrgID: a } }
  - { name: smoke, kind: http, url: "http://smoke.example:8080", username: ann, passwordEnv: P, timeout: 30s }
  - { name: up, kind: grpc, url: "grpcs://up.example:443", caFile: ca.pem }
`;
  assert.equal(settingsOf({ text }).providers, [
    {
      name: 'prometheus',
      kind: 'prometheus',
      url: 'https://prom.example/base',
      credentials: { kind: 'bearer', token: { kind: 'file', path: '/run/token' } },
      headers: { 'X-Scope-OrgID': 'a' },
      caFile: undefined,
      timeoutMs: 5000,
    },
    {
      name: 'smoke',
      kind: 'http',
      url: 'http://smoke.example:8080/',
      credentials: {
        kind: 'basic',
        username: 'ann',
        password: { kind: 'environment', variable: 'P' },
      },
      headers: {},
      caFile: undefined,
      timeoutMs: 30_000,
    },
    {
      name: 'up',
      kind: 'grpc',
      url: 'grpcs://up.example:443',
      credentials: undefined,
      headers: {},
      caFile: 'ca.pem',
      timeoutMs: 5000,
    },
  ]);
});

config('mistakes in providers are all named, and no password is repeated', () => {
  const text = `
repo: m
providers:
  - 7
  - { name: a b, kind: prom, url: "http://x" }
  - { name: one, kind: http, url: "ftp://x" }
  - { name: two, kind: http, url: "http://ann:hunter2@x" }
  - { name: three, kind: grpc, url: "grpc://x" }
  - { name: four, kind: http, url: "http://x", username: ann, tokenEnv: T, timeout: 1h }
  - { name: five, kind: http, url: "http://x", headers: { Authorization: hunter2, "a b": c }, tokenfile: t }
  - { name: six, kind: http, url: "http://x" }
  - { name: six, kind: http, url: "http://y" }
`;
  const found = complaints({ text });
  assert.equal(
    found.map((complaint) => complaint.replace('headgate.yaml:3: ', '')),
    [
      'providers[0] is no mapping',
      'providers[1].kind is none of prometheus, http, grpc',
      'providers[1].name is missing or no name of letters, digits, dots, dashes',
      'providers[2].url is no URL with http:// or https://',
      'providers[3].url has credentials, a query or a fragment; use tokenFile, or username and passwordFile',
      'providers[4].url has no port',
      'providers[5] has one of username and passwordFile; they belong together',
      'providers[5].timeout is 1h; expected a duration from 100ms to 10m, as 5s or 1m30s',
      'providers[6].tokenfile is not known; did you mean tokenFile?',
      'providers[6].headers.Authorization is a secret; use tokenFile, or username and passwordFile',
      'providers[6].headers.a b is no header with a text',
      'providers has two called six; give each a name of its own',
    ],
  );
});

config('a file that is no YAML mapping is refused with its line', () => {
  assert.match(
    complaints({ text: 'repo: m\nrepo: n\n' })[0] ?? '',
    /^headgate\.yaml:2: .*no valid YAML/,
  );
  assert.match(complaints({ text: '- a\n' })[0] ?? '', /^headgate\.yaml: is no mapping/);
  assert.match(complaints({ text: 'a: &x 1\nb: *x\n' })[0] ?? '', /no valid YAML/);
  assert.match(complaints({ text: 'a: '.padEnd(70_000, '[') })[0] ?? '', /at most 65536/);
  assert.match(complaints({ text: `a: ${'['.repeat(2000)}` })[0] ?? '', /no valid YAML/);
  assert.is(only(settingsOf({ flags: { repo: 'm' }, text: '# nothing yet\n' })).repo, 'm');
});

config.run();
