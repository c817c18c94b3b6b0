/**
 * The operator's folder of secrets as tools write it: by hand, by rename, by the swapped symbolic links
 * of Kubernetes, half and in the wrong order. Real files, real certificates, and a clock that the test
 * moves: each look is asked for and waited for.
 */
import { copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createSecretFolder,
  type FolderSecrets,
} from '../../controller/certificates/secret-folder.js';
import { certificateFolder, type Issued, issueCertificate } from '../support/certificates.js';
import { manualClock } from '../support/clock.js';
import { type RecordingLogger, recordingLogger } from '../support/recording-logger.js';
import { withTempFolder } from '../support/temp-folder.js';
import { until } from '../support/until.js';

interface Watched {
  readonly folder: string;
  readonly logger: RecordingLogger;
  /** One look, awaited. */
  look(): Promise<void>;
  /** All that were told, the first ones first. */
  readonly told: readonly FolderSecrets[];
}

const test = suite('the folder of secrets');
const [first, second] = [
  await issueCertificate('folder-1', 'web'),
  await issueCertificate('folder-2', 'web'),
];
const authorities = join(await certificateFolder(), 'ca.pem');

async function watched(
  prepare: (folder: string) => Promise<unknown>,
  use: (watched: Watched) => Promise<void>,
): Promise<void> {
  await withTempFolder(async (folder) => {
    await prepare(folder);
    const clock = manualClock();
    const logger = recordingLogger();
    const source = createSecretFolder(folder, { clock, logger });
    const told: FolderSecrets[] = [];
    told.push(await source.start((secrets) => told.push(secrets)));
    const look = async () => {
      clock.advance(500);
      await until('the look is over', () => clock.waitingMs().length > 0);
    };
    try {
      await use({ folder, logger, look, told });
    } finally {
      await source.stop();
      assert.equal(clock.waitingMs(), [], 'a stopped source looks no more');
    }
  });
}

/** Writes the pair as `cp` does, in place. */
async function put(folder: string, { chain, key }: Issued): Promise<void> {
  await mkdir(folder, { recursive: true });
  await copyFile(chain, join(folder, 'tls.crt'));
  await copyFile(key, join(folder, 'tls.key'));
}

function chainOf(secrets: FolderSecrets | undefined, name: string): string | undefined {
  const chain = secrets?.get(name)?.certificate?.chain;
  return chain && Buffer.from(chain).toString();
}

async function isServed(
  told: readonly FolderSecrets[],
  issued: Issued,
  name = 'web',
): Promise<void> {
  assert.is(chainOf(told.at(-1), name), await readFile(issued.chain, 'utf8'));
  assert.equal(
    told.at(-1)?.get(name)?.certificate?.key,
    await readFile(issued.key),
    'the key of the same pair',
  );
}

function reasons({ lines }: RecordingLogger): readonly unknown[] {
  return lines
    .filter(({ event }) => event === 'certificates.refused')
    .map(({ fields }) => `${fields.name} ${fields.reason}`);
}

test('what is there at the start is told at once, by encoded name and by use', async () => {
  const spiffe = 'spiffe://mesh/web';
  const prepare = async (folder: string) => {
    await put(join(folder, 'web'), first);
    await put(join(folder, encodeURIComponent(spiffe)), second);
    await copyFile(authorities, join(folder, 'web', 'ca.crt'));
    await mkdir(join(folder, 'authorities'));
    await copyFile(authorities, join(folder, 'authorities', 'ca.crt'));
    await writeFile(join(folder, 'README'), 'a file is no secret');
    await put(join(folder, '..2024_hidden'), second);
  };
  await watched(prepare, async ({ told, logger }) => {
    assert.equal([...(told[0]?.keys() ?? [])].sort(), ['authorities', spiffe, 'web']);
    await isServed(told, first);
    await isServed(told, second, spiffe);
    assert.equal(told[0]?.get('authorities'), {
      certificate: undefined,
      trust: { kind: 'trust', authorities: await readFile(authorities) },
    });
    assert.ok(told[0]?.get('web')?.trust, 'one folder may hold both');
    assert.equal(reasons(logger), []);
  });
});

test('without the folder nothing starts', async () => {
  const source = createSecretFolder('/nowhere/secrets', {
    clock: manualClock(),
    logger: recordingLogger(),
  });
  try {
    await source.start(() => {});
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), 'the folder of secrets /nowhere/secrets cannot be read: ENOENT');
  }
});

test('a pair that is renamed into place is told once, and only when two looks saw it', async () => {
  await watched(
    (folder) => put(join(folder, 'web'), first),
    async ({ folder, look, told, logger }) => {
      await look();
      assert.is(told.length, 1, 'nothing changed');
      await put(join(folder, '.next'), second);
      for (const name of ['tls.crt', 'tls.key']) {
        await rename(join(folder, '.next', name), join(folder, 'web', name));
      }
      await look();
      assert.is(told.length, 1, 'it may not be all');
      await look();
      await isServed(told, second);
      await look();
      assert.is(told.length, 2);
      const rotated = logger.lines.filter(({ event }) => event === 'certificates.rotated');
      assert.equal(
        rotated.map(({ fields }) => [fields.name, fields.use]),
        [['web', 'certificate']],
      );
    },
  );
});

test('links that Kubernetes swaps are followed', async () => {
  const prepare = async (folder: string) => {
    const mount = join(folder, 'web');
    await put(join(mount, '..data_1'), first);
    await symlink('..data_1', join(mount, '..data'));
    for (const name of ['tls.crt', 'tls.key']) {
      await symlink(join('..data', name), join(mount, name));
    }
  };
  await watched(prepare, async ({ folder, look, told }) => {
    await isServed(told, first);
    const mount = join(folder, 'web');
    await put(join(mount, '..data_2'), second);
    await symlink('..data_2', join(mount, '..data_tmp'));
    await rename(join(mount, '..data_tmp'), join(mount, '..data'));
    await rm(join(mount, '..data_1'), { recursive: true });
    await look();
    await look();
    await isServed(told, second);
  });
});

const broken: readonly (readonly [string, string, (folder: string) => Promise<unknown>])[] = [
  [
    'a certificate without its key',
    'web tls.key does not belong to the first certificate of tls.crt',
    (web) => copyFile(second.chain, join(web, 'tls.crt')),
  ],
  [
    'half of a certificate',
    'web tls.crt is cut off',
    async (web) => {
      const whole = await readFile(second.chain, 'utf8');
      await writeFile(join(web, 'tls.crt'), whole.slice(0, whole.length / 2));
    },
  ],
  [
    'an empty file',
    'web tls.crt holds no certificate',
    (web) => writeFile(join(web, 'tls.crt'), ''),
  ],
  ['a lost key', 'web has no tls.key', (web) => rm(join(web, 'tls.key'))],
  ['a lost folder', 'web is gone', (web) => rm(web, { recursive: true })],
  [
    'text instead of a key',
    'web tls.key holds 0 private keys, expected one',
    (web) => writeFile(join(web, 'tls.key'), 'hunter2'),
  ],
  [
    'a key where the certificate belongs',
    'web tls.crt holds something other than certificates',
    async (web) => {
      const { chain, key } = second;
      const both = [await readFile(chain), await readFile(key)];
      await writeFile(join(web, 'tls.crt'), Buffer.concat(both));
    },
  ],
  [
    'a folder in place of a file',
    'web tls.key is no file of at most 1048576 bytes',
    async (web) => {
      await rm(join(web, 'tls.key'));
      await mkdir(join(web, 'tls.key'));
    },
  ],
];

for (const [what, reason, spoil] of broken) {
  test(`${what} does not replace what is good, and is spoken of once`, async () => {
    await watched(
      (folder) => put(join(folder, 'web'), first),
      async ({ folder, look, told, logger }) => {
        const web = join(folder, 'web');
        await spoil(web);
        for (let looks = 0; looks < 4; looks += 1) {
          await look();
        }
        assert.equal(reasons(logger), [reason]);
        assert.is(told.length, 1);
        await isServed(told, first);
        await rm(web, { recursive: true, force: true });
        await put(web, second);
        await look();
        await look();
        await isServed(told, second);
      },
    );
  });
}

test('a secret that comes later is told, beside one that was broken from the start', async () => {
  const prepare = async (folder: string) => {
    await put(join(folder, 'bad'), { chain: first.chain, key: second.key });
  };
  await watched(prepare, async ({ folder, look, told, logger }) => {
    assert.is(told[0]?.size, 0);
    await put(join(folder, 'web'), first);
    await look();
    await look();
    assert.equal([...(told.at(-1)?.keys() ?? [])], ['web']);
    assert.equal(reasons(logger), [
      'bad tls.key does not belong to the first certificate of tls.crt',
    ]);
  });
});

test('the same bytes written again are the same object', async () => {
  await watched(
    (folder) => put(join(folder, 'web'), first),
    async ({ folder, look, told }) => {
      await put(join(folder, 'web'), first);
      await put(join(folder, 'other'), second);
      await look();
      await look();
      assert.is(told.length, 2);
      assert.is(told[1]?.get('web'), told[0]?.get('web'));
    },
  );
});

test('a name that is not encoded is refused, since two folders could stand for it', async () => {
  const prepare = (folder: string) => put(join(folder, 'a b'), first);
  await watched(prepare, async ({ told, logger }) => {
    assert.is(told[0]?.size, 0);
    assert.equal(reasons(logger), ['a b is no name as encodeURIComponent writes it']);
  });
});

test('a folder that goes away changes nothing, and is spoken of once', async () => {
  await watched(
    (folder) => put(join(folder, 'web'), first),
    async ({ folder, look, told, logger }) => {
      const away = `${folder}-away`;
      await rename(folder, away);
      await look();
      await look();
      assert.is(told.length, 1);
      const lines = logger.lines.filter(({ event }) => event === 'certificates.unreadable');
      assert.equal(
        lines.map(({ fields }) => fields.reason),
        ['cannot be read: ENOENT'],
      );
      await rename(away, folder);
      await put(join(folder, 'web'), second);
      await look();
      await look();
      await isServed(told, second);
    },
  );
});

test('no line of the log holds any of a key', async () => {
  const key = (await readFile(first.key, 'utf8')).split('\n').slice(1, -2).join('');
  const prepare = async (folder: string) => {
    await put(join(folder, 'web'), first);
    await put(join(folder, 'cut'), first);
    const whole = await readFile(first.key, 'utf8');
    await writeFile(join(folder, 'cut', 'tls.key'), whole.slice(0, -40));
  };
  await watched(prepare, async ({ logger }) => {
    const log = JSON.stringify(logger.lines);
    assert.equal(reasons(logger), ['cut tls.key is cut off']);
    for (let at = 0; at + 16 <= key.length; at += 16) {
      assert.not(log.includes(key.slice(at, at + 16)));
    }
  });
});

test.run();
