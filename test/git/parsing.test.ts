/** What git prints, well-formed and not: errors, commits, listings and batches of objects. */
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpError } from '../../controller/base/op-error.js';
import { parseCommit } from '../../controller/git/commit.js';
import { gitMessage, redact, remoteError } from '../../controller/git/git-error.js';
import { BatchReader, parseTreeLines } from '../../controller/git/object-parser.js';

test('an error of git is one short line without control characters or secrets', () => {
  const stderr = [
    'Cloning into bare repository…',
    'remote: \u001b[31mHello\u001b[0m',
    "fatal: unable to access 'https://ada:hunter2@example.com/': no\twith hunter2 and p%40ss",
    '',
  ].join('\n');
  assert.is(
    gitMessage(stderr, ['hunter2', 'p@ss']),
    "fatal: unable to access 'https://[redacted]@example.com/': no with [redacted] and [redacted]",
  );
  assert.is(gitMessage('\u001b[2Jodd\u0007 text\n', []), '[2Jodd text');
  assert.is(gitMessage('\n', []), 'git failed without a message');
  assert.is(gitMessage(`fatal: ${'x'.repeat(10_000)}`, []).length, 500);
  assert.is(redact('https://token@a/ http://b/@c', ['']), 'https://[redacted]@a/ http://b/@c');
});

test('an error of git has a code that says who can help', () => {
  const codes = {
    "fatal: could not read Username for 'https://x': terminal prompts disabled": 'git-auth',
    "fatal: Authentication failed for 'https://x/'": 'git-auth',
    "fatal: unable to access 'https://x/': The requested URL returned error: 403": 'git-auth',
    "fatal: unable to access 'https://x/': The requested URL returned error: 503":
      'git-unreachable',
    "fatal: repository 'https://x/' not found": 'repository-missing',
    "fatal: '/x' does not appear to be a git repository": 'repository-missing',
    "fatal: couldn't find remote ref refs/heads/main": 'branch-missing',
    'error: Server does not allow request for unadvertised object 12ab': 'revision-missing',
    'fatal: write error: No space left on device': 'disk-full',
    "fatal: unable to access 'https://x/': Could not resolve host: x": 'git-unreachable',
    '': 'git-unreachable',
  };
  for (const [stderr, code] of Object.entries(codes)) {
    assert.is(`${remoteError(stderr, []).code}: ${stderr}`, `${code}: ${stderr}`);
  }
});

test('a commit is read in the encoding that it names, signed or merged as it may be', () => {
  const text = [
    `tree ${'1'.repeat(40)}`,
    `parent ${'2'.repeat(40)}`,
    `parent ${'3'.repeat(40)}`,
    'author J\u00f6rg <j@example.com> 1700000000 +0100',
    'committer Eve <e@example.com> 1700000100 -0500',
    'encoding ISO-8859-1',
    'gpgsig -----BEGIN PGP SIGNATURE-----',
    ' parent 4444444444444444444444444444444444444444',
    ' -----END PGP SIGNATURE-----',
    '',
    'Gr\u00fc\u00dfe\n\nparent 5\n',
  ].join('\n');
  assert.equal(parseCommit(Buffer.from(text, 'latin1')), {
    parents: ['2'.repeat(40), '3'.repeat(40)],
    author: 'J\u00f6rg <j@example.com>',
    committedAtMs: 1_700_000_100_000,
    message: 'Gr\u00fc\u00dfe\n\nparent 5',
  });
});

test('a commit with nonsense in it is shown as far as it makes sense', () => {
  const nothing = { parents: [], author: '', committedAtMs: 0, message: '' };
  assert.equal(parseCommit(Buffer.alloc(0)), nothing);
  const odd =
    'author nobody\ncommitter x <y> 99999999999999999999 +0000\nencoding x-unknown\n\n\u00fc';
  assert.equal(parseCommit(Buffer.from(odd)), { ...nothing, message: '\u00fc' });
  const long = parseCommit(Buffer.from(`tree 1\n\nx${'\u00fc'.repeat(100_000)}`));
  assert.is(
    long.message,
    `x${'\u00fc'.repeat(32_767)}`,
    'cut before the character that the limit divides',
  );
});

/** `bytes` in pieces of `size`, as a pipe may deliver them. */
async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) {
    yield bytes.subarray(start, start + size);
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof OpError ? error.code : `not an OpError: ${String(error)}`;
}

test('a listing is read however it is cut up, and half a one is not', async () => {
  const listing = `100644 blob ${'a'.repeat(40)}      12\ta\n b\x00160000 commit ${'b'.repeat(40)}       -\tsub\0`;
  const read = async (bytes: Buffer, size: number): Promise<string[]> => {
    const lines: string[] = [];
    for await (const { mode, objectId, sizeBytes, name } of parseTreeLines(pieces(bytes, size))) {
      lines.push(`${mode} ${objectId.slice(0, 2)} ${sizeBytes} ${JSON.stringify(String(name))}`);
    }
    return lines;
  };
  for (const size of [1, 7, 64, 1000]) {
    const lines = await read(Buffer.from(listing), size);
    assert.equal(lines, ['100644 aa 12 "a\\n b"', '160000 bb 0 "sub"'], `pieces of ${size}`);
  }
  for (const broken of [
    listing.slice(0, -1),
    'nonsense\0',
    `100644 blob ${'a'.repeat(40)} x\ta\0`,
  ]) {
    assert.is(await codeOf(read(Buffer.from(broken), 64)), 'cache-corrupt');
  }
});

/** An object as `cat-file --batch` prints it, with its id. */
function object(type: string, content: string): { readonly id: string; readonly text: string } {
  const header = `${type} ${Buffer.byteLength(content)}`;
  const id = createHash('sha1').update(`${header}\0${content}`).digest('hex');
  return { id, text: `${id} ${header}\n${content}\n` };
}

test('a batch is read however it is cut up, and only what has its id is believed', async () => {
  const commit = object('commit', 'x'.repeat(300));
  const blob = object('blob', '\n\nname: \u00fc\n');
  const empty = object('blob', '');
  const batch = Buffer.from(commit.text + blob.text + empty.text);
  for (const size of [1, 5, 64, 1000]) {
    const reader = new BatchReader(pieces(batch, size));
    const cut = await reader.read(commit.id, 100);
    assert.equal([cut.type, cut.sizeBytes, String(cut.bytes)], ['commit', 300, 'x'.repeat(100)]);
    assert.is(String((await reader.read(blob.id, 1000)).bytes), '\n\nname: \u00fc\n');
    assert.is((await reader.read(empty.id, 1000)).bytes.length, 0);
    assert.is(await codeOf(reader.read(empty.id, 1000)), 'cache-corrupt', 'there is no more');
  }
  const broken = {
    missing: `${blob.id} missing\n`,
    'another object': empty.text,
    'a changed byte': blob.text.replace('name', 'game'),
    'cut content': blob.text.slice(0, -4),
    'a longer object': blob.text.replace(/\n$/, 'x\n'),
    'no object': 'fatal: what\n',
  };
  for (const [what, text] of Object.entries(broken)) {
    const reader = new BatchReader(pieces(Buffer.from(text), 16));
    assert.is(`${what}: ${await codeOf(reader.read(blob.id, 1000))}`, `${what}: cache-corrupt`);
  }
});

test.run();
