/**
 * Faults and abuses, A01 to G11: (a) bad mesh files, (b) Git, (c) xDS, (d) the process and its state,
 * (e) gates, (f) notifications, (g) the API. Each names the tests that cover it, or says why none does; a
 * test whose name begins with a number covers that entry without a line here.
 */
import type { TestReference, TortureEntry } from './entry.js';

const decoded: TestReference = { file: 'decode/golden', name: 'is decoded as written down' };
const script: TestReference = { file: 'rollout/scripts', name: "name.replace('.txt', '')" };

export const tortureEntries: readonly TortureEntry[] = [
  {
    number: 'A01',
    fault: 'A thousand mutations of valid files',
    expected: 'problems or a mesh, never a crash',
    tests: [{ file: 'decode/mutations', name: 'mutations are problems or meshes' }],
  },
  {
    number: 'A02',
    fault: 'A key twice in one mapping',
    expected: 'an error at the second one',
    tests: [decoded],
  },
  {
    number: 'A03',
    fault: 'Alias bombs, above and below the limit of aliases',
    expected: 'refused before anything walks them',
    tests: [
      { file: 'decode/limits', name: 'an alias bomb is refused before' },
      { file: 'decode/limits', name: 'few aliases that stand for very much' },
    ],
  },
  {
    number: 'A04',
    fault: 'Brackets, braces, blocks and dashes nested up to 10,000 deep, 50 times in one process',
    expected: 'an error, never the end of the process',
    tests: [{ file: 'decode/limits', name: 'nested too deep are refused, 50 times each' }],
  },
  {
    number: 'A05',
    fault: 'A merge bomb',
    expected: 'refused at its first merge',
    tests: [{ file: 'decode/limits', name: 'a merge bomb is refused' }],
  },
  {
    number: 'A06',
    fault: 'A byte more than a file or the whole may have',
    expected: 'refused before it is read; exact to the byte',
    tests: [
      { file: 'git/tree', name: 'may hold a file of exactly the limit' },
      { file: 'git/tree', name: 'may hold exactly the limit in all' },
    ],
  },
  {
    number: 'A07',
    fault: '10,000 valid files',
    expected: 'read whole, with the main thread free',
    tests: [
      { file: 'git/tree', name: 'of 10,000 files is read whole' },
      { file: 'decoder', name: 'timers run on while a large revision is read' },
    ],
  },
  {
    number: 'A08',
    fault: 'More files than the limit',
    expected: 'refused by the listing, no content read',
    tests: [{ file: 'git/tree', name: 'of more files than the limit is refused by its listing' }],
  },
  {
    number: 'A09',
    fault: '`__proto__`, `constructor`, `toString` as keys and names',
    expected: 'plain fields or errors; the prototype stays as it is',
    tests: [
      { file: 'decode/limits', name: 'keys of the prototype are fields like any other' },
      { file: 'decode/limits', name: 'a resource and a label may be called constructor' },
    ],
  },
  {
    number: 'A10',
    fault: 'References to nothing, of every kind',
    expected: 'an error that names both ends',
    tests: [decoded],
  },
  {
    number: 'A11',
    fault: 'Cycles',
    expected: 'legal where calls go round; an error between policies that wait for one another',
    tests: [decoded, { file: 'decode/golden', name: 'each code of the table is produced' }],
  },
  {
    number: 'A12',
    fault: 'Weights that are negative, fractions, texts, NaN, infinite, octal or far too large',
    expected: 'each its own error',
    tests: [decoded],
  },
  {
    number: 'A13',
    fault: 'Weights that do not sum to 100',
    expected: 'taken as shares of their sum, as App Mesh takes them',
    tests: [{ file: 'envoy/traffic', name: 'weights' }],
    why: 'App Mesh asks for no sum, so none is an error; the sum that is served is always 10,000.',
  },
  {
    number: 'A14',
    fault: 'A port, a host name or a resource declared twice',
    expected: 'an error that names both places',
    tests: [
      decoded,
      { file: 'decode/combine-revisions', name: 'a resource of two repositories is an error' },
    ],
  },
  {
    number: 'A15',
    fault: 'Expressions that RE2 does not have, or that are too long',
    expected: 'refused by RE2 rules, never run by JavaScript',
    tests: [
      { file: 'decode/regex', name: 'is none' },
      { file: 'decode/regex', name: 'no expression of the user is compiled by JavaScript' },
      { file: 'decode/regex', name: 'what is longer than 1,024 characters' },
    ],
  },
  {
    number: 'A16',
    fault: 'Text of users inside expressions that we make',
    expected: 'none is ever put into one',
    tests: [],
    why: 'No expression is made from text: exact, prefix and suffix matches are Envoy’s own fields, and the only pattern of a rewrite is a constant.',
  },
  {
    number: 'A17',
    fault: 'Host names with control characters, too long, empty, in odd forms',
    expected: 'normalised or refused with the form that is allowed',
    tests: [decoded, { file: 'decode/secrets', name: 'what a terminal obeys or an eye misreads' }],
  },
  {
    number: 'A18',
    fault: 'A host of another team',
    expected: 'refused',
    tests: [],
    why: 'Ownership is by repository: what two repositories declare is an error (A14). Inside one repository who may change which folder is for the Git server to say (CODEOWNERS).',
  },
  {
    number: 'A19',
    fault: 'BOM, CR LF, tabs, no last line end, UTF-16, bytes that are no UTF-8, NUL',
    expected: 'the first two and the missing line end change nothing, the others are named',
    tests: [
      { file: 'decode/text', name: 'a byte order mark, CR LF and a missing last line end' },
      { file: 'decode/text', name: 'each encoding that is not UTF-8 has its own code' },
    ],
  },
  {
    number: 'A20',
    fault: 'A binary file, a Git LFS pointer, an empty file, comments alone',
    expected: 'named, or nothing at all',
    tests: [
      { file: 'git/tree', name: 'names Git LFS pointers' },
      { file: 'decode/text', name: 'empty files, blank files and lone comments' },
      decoded,
    ],
  },
  {
    number: 'A21',
    fault: 'Symbolic links out of the tree, to folders, in circles, dangling',
    expected: 'named; none is opened',
    tests: [{ file: 'git/tree', name: 'names every link and opens none' }],
  },
  {
    number: 'A22',
    fault: 'Submodules',
    expected: 'named, and nothing is fetched',
    tests: [{ file: 'git/tree', name: 'names submodules, and fetches nothing' }],
  },
  {
    number: 'A23',
    fault: 'Paths with line feeds, options, other cases, other accents',
    expected: 'read as they are; twins and what cannot be shown are errors',
    tests: [
      { file: 'git/tree', name: 'may have any printable name' },
      { file: 'git/tree', name: 'may not have names that differ only in case' },
      { file: 'git/tree', name: 'may not have names that are not UTF-8' },
    ],
  },
  {
    number: 'A24',
    fault: 'Unknown fields, kinds, tags, versions',
    expected: 'an error with the nearest name',
    tests: [decoded, { file: 'decode/golden', name: 'each code of the table is produced' }],
  },
  {
    number: 'A25',
    fault: '200,000 problems',
    expected: 'a hundred, and one that counts the rest',
    tests: [{ file: 'decode/limits', name: '200,000 problems are 100' }],
  },
  {
    number: 'A26',
    fault: 'Values that look like secrets',
    expected: 'in no problem, log or message',
    tests: [{ file: 'decode/secrets', name: 'is in no part of any problem' }],
  },
  {
    number: 'A27',
    fault: 'One bad file among good ones',
    expected: 'the whole commit is rejected, and only that file is named',
    tests: [
      { file: 'envoy/main-loop', name: 'a rejected commit changes nothing' },
      { file: 'repositories/several', name: 'a bad commit holds up its own repository' },
    ],
  },
  {
    number: 'A28',
    fault: 'Mutated bytes for minutes',
    expected: 'no crash, nothing above a second',
    tests: [],
  },
  {
    number: 'B01',
    fault: 'The server refuses, has no name, says nothing or has a foreign certificate',
    expected: 'what is served stays, the first failure is shown',
    tests: [
      { file: 'git/refused', name: 'starts no program' },
      { file: 'git/https', name: 'trusts no certificate' },
      { file: 'git/https', name: 'gives a silent server a minute' },
      { file: 'envoy/main-loop', name: 'with Git gone it serves' },
    ],
  },
  {
    number: 'B02',
    fault: 'No or old credentials',
    expected: 'told apart from other failures, no prompt',
    tests: [
      { file: 'git/https', name: 'says that credentials are asked for' },
      { file: 'git/https', name: 'does not wait at a prompt' },
    ],
  },
  {
    number: 'B03',
    fault: 'Credentials in a URL, a header, a key, a prompt',
    expected: 'in no argument, log, error or message',
    tests: [
      { file: 'git/https', name: 'shows the credentials of its URL to the server alone' },
      { file: 'git/parsing', name: 'an error of git is one short line' },
      { file: 'git/environment', name: 'holds a short list of names' },
    ],
  },
  {
    number: 'B04',
    fault: 'A push that replaces history',
    expected: 'followed, and said in the log',
    tests: [{ file: 'git/git-source', name: 'follows a force-push' }],
    why: 'Deployed is what the branch says. Who wants no rewritten history forbids it where it is pushed, or asks for signatures.',
  },
  {
    number: 'B05',
    fault: 'The applied commit is gone from the server',
    expected: 'the way back needs no Git',
    tests: [
      { file: 'envoy/main-loop', name: 'with Git gone it serves' },
      { file: 'repositories/several', name: 'after a restart the last good ones are there' },
    ],
  },
  {
    number: 'B06',
    fault: 'The branch is deleted and comes back',
    expected: 'held, then followed again',
    tests: [{ file: 'git/git-source', name: 'fails while its branch is gone' }],
  },
  {
    number: 'B07',
    fault: 'The default branch is renamed, HEAD points elsewhere',
    expected: 'the configured branch counts',
    tests: [{ file: 'git/git-source', name: 'takes its own branch, wherever HEAD points' }],
  },
  {
    number: 'B08',
    fault: 'An empty repository',
    expected: 'no commit, and nothing is deleted',
    tests: [{ file: 'git/git-source', name: 'tells an empty repository' }],
  },
  {
    number: 'B09',
    fault: 'The folder is emptied or removed by a commit',
    expected: 'refused; nothing is taken from anybody',
    tests: [
      { file: 'git/git-source', name: 'refuses a commit without any mesh file' },
      { file: 'decode/combine-revisions', name: 'no mesh that is served can be lost' },
    ],
  },
  {
    number: 'B10',
    fault: 'A damaged cache: head, pack, object, right to write',
    expected: 'replaced within the poll',
    tests: [
      { file: 'git/cache', name: 'is replaced within the poll' },
      { file: 'git/cache', name: 'that gives other bytes than a file has' },
    ],
  },
  {
    number: 'B11',
    fault: 'Locks and half packs of a killed process',
    expected: 'in nobody’s way',
    tests: [{ file: 'git/killed', name: 'leaves locks, half packs' }],
  },
  {
    number: 'B12',
    fault: 'Killed at any moment of a fetch',
    expected: 'the next one works in the folder',
    tests: [{ file: 'git/killed', name: 'at any moment of a fetch' }],
  },
  {
    number: 'B13',
    fault: 'The disk is full',
    expected: 'a failure that passes',
    tests: [{ file: 'git/cache', name: 'on a disk that takes no more' }],
  },
  {
    number: 'B14',
    fault: 'A server that is slow, stalls or never ends',
    expected: 'ended with its helpers at the deadline; polls do not pile up',
    tests: [
      { file: 'git/https', name: 'gives a silent server a minute' },
      { file: 'git/poller', name: 'makes one poll of all that are asked for' },
    ],
  },
  {
    number: 'B15',
    fault: 'A huge history',
    expected: 'only the newest commit is fetched',
    tests: [{ file: 'git/https', name: 'fetches the newest commit alone' }],
    why: '`npm run bench:inputs` measures 100,000 commits; a million are not made.',
  },
  {
    number: 'B16',
    fault: 'The base of a comparison is not in a shallow clone',
    expected: 'the comparison needs no Git',
    tests: [
      { file: 'git/git-source', name: 'does not take several commits at once' },
      { file: 'decode/combine-revisions', name: 'one that is rejected is tried again' },
    ],
  },
  {
    number: 'B17',
    fault: 'Commit times of other centuries',
    expected: 'order is the order of fetching',
    tests: [{ file: 'git/parsing', name: 'a commit with nonsense in it' }],
  },
  {
    number: 'B18',
    fault: 'Two processes on one cache',
    expected: 'the second one is refused',
    tests: [
      { file: 'git/killed', name: 'gives its folder to the next one' },
      { file: 'git/killed', name: 'keeps a second source of its own process out' },
    ],
  },
  {
    number: 'B19',
    fault: 'URLs that are commands or options',
    expected: 'refused before any program starts',
    tests: [{ file: 'git/refused', name: 'starts no program for anything that is refused' }],
  },
  {
    number: 'B20',
    fault: 'Branches and paths that are options',
    expected: 'refused before any program starts',
    tests: [{ file: 'git/refused', name: 'starts no program for anything that is refused' }],
  },
  {
    number: 'B21',
    fault: 'A hostile environment: configuration, hooks, fsmonitor',
    expected: 'of no effect',
    tests: [
      { file: 'git/environment', name: 'is not what the user or the repository would make it' },
    ],
  },
  {
    number: 'B22',
    fault: 'A redirection to another server',
    expected: 'not followed',
    tests: [{ file: 'git/https', name: 'does not follow a redirection' }],
  },
  {
    number: 'B23',
    fault: 'Unsigned, wrongly signed, expired, revoked, moved signatures',
    expected: 'rejected, the last good commit stays',
    tests: [
      { file: 'git/signatures', name: 'no signature is none' },
      { file: 'git/signatures', name: 'a signature that was moved' },
      { file: 'git/signatures', name: 'GPG: an expired key' },
      { file: 'git/signatures', name: 'SSH: a key that ran out' },
    ],
  },
  {
    number: 'B24',
    fault: 'Push webhooks: a storm, forged, replayed, huge, nonsense',
    expected: 'refused, or one poll',
    tests: [
      { file: 'api/hooks', name: 'is refused with' },
      { file: 'api/hooks', name: 'a replay does' },
      { file: 'api/hooks', name: 'a body of 50 MB is refused' },
      { file: 'git/poller', name: 'makes one poll of all' },
    ],
  },
  {
    number: 'C01',
    fault: 'A proxy refuses a resource',
    expected: 'the rollout goes back, the bytes are not sent again',
    tests: [
      { file: 'envoy/main-loop', name: 'a resource that Envoy refuses rolls back' },
      { file: 'xds/sotw', name: 'is not answered until something changes' },
    ],
  },
  {
    number: 'C02',
    fault: 'One of many refuses',
    expected: 'the rollout goes back',
    tests: [{ file: 'replicas/replicas', name: 'a refusal at a follower fails the rollout' }],
  },
  {
    number: 'C03',
    fault: 'A question that looks like a refusal',
    expected: 'told apart by error and nonce',
    tests: [{ file: 'xds/sotw', name: 'S13 (20): a repeated request' }],
  },
  {
    number: 'C04',
    fault: 'Stale, unknown, empty and foreign nonces',
    expected: 'ignored or answered as the protocol says',
    tests: [
      { file: 'xds/sotw', name: 'S04 (12)' },
      { file: 'xds/sotw', name: 'an empty nonce on a known type' },
    ],
  },
  {
    number: 'C05',
    fault: 'A proxy that does not read',
    expected: 'nothing queues; cut off after a while',
    tests: [
      { file: 'xds/transport', name: '40: for a proxy that does not read' },
      { file: 'xds/transport', name: '40: a proxy that reads nothing' },
    ],
  },
  {
    number: 'C06',
    fault: 'A peer that vanished',
    expected: 'noticed and forgotten',
    tests: [{ file: 'xds/transport', name: '42: a peer that vanished' }],
  },
  {
    number: 'C07',
    fault: 'Thousands connect at once',
    expected: 'all served, no more than one address may',
    tests: [{ file: 'xds/conduct', name: 'messages without end are too many' }],
    why: '`npm run bench:xds` measures it.',
  },
  {
    number: 'C08',
    fault: 'A proxy that connects again and again',
    expected: 'kept out for a while, nobody else',
    tests: [{ file: 'xds/conduct', name: 'who was cut is kept out' }],
  },
  {
    number: 'C09',
    fault: 'Reconnecting with the present version',
    expected: 'nothing is sent again',
    tests: [
      { file: 'xds/sotw', name: 'S20 (13): a version on reconnect spares a pure wildcard' },
      { file: 'xds/delta', name: 'D06 (35)' },
    ],
  },
  {
    number: 'C10',
    fault: 'Reconnecting to a replica that lags',
    expected: 'never sent something older',
    tests: [{ file: 'replicas/faults', name: 'at no moment did a proxy go back' }],
  },
  {
    number: 'C11',
    fault: 'Requests that are too large, unfinished, compressed',
    expected: 'refused, memory bounded',
    tests: [
      { file: 'xds/transport', name: '41: a request over the limit' },
      { file: 'xds/transport', name: 'a message that is never finished' },
      { file: 'xds/transport', name: '41: a compressed request' },
    ],
  },
  {
    number: 'C12',
    fault: 'Unknown types, no node, another node in mid-stream, too many names',
    expected: 'an error of that stream alone',
    tests: [
      { file: 'xds/transport', name: '3: a first request without a node' },
      { file: 'xds/transport', name: 'more names than anybody needs' },
      { file: 'xds/sotw', name: 'S18 (2)' },
    ],
  },
  {
    number: 'C13',
    fault: 'No, expired, foreign, revoked certificates',
    expected: 'nothing is accepted',
    tests: [
      { file: 'xds/closed', name: 'no certificate, an expired' },
      { file: 'xds/closed', name: 'a revoked certificate' },
    ],
  },
  {
    number: 'C14',
    fault: 'A certificate of one node, the name of another',
    expected: 'refused',
    tests: [{ file: 'xds/closed', name: 'a certificate is its node' }],
  },
  {
    number: 'C15',
    fault: 'A secret of another node',
    expected: 'not returned',
    tests: [{ file: 'xds/closed', name: 'a secret of another node' }],
  },
  {
    number: 'C16',
    fault: 'Certificates and authorities change',
    expected: 'streams stay',
    tests: [{ file: 'xds/closed', name: 'server certificate and authorities change' }],
  },
  {
    number: 'C17',
    fault: 'Floods of frames, resets, tiny pieces',
    expected: 'cut off, others unaffected',
    tests: [
      { file: 'xds/transport', name: 'a connection that opens and takes back streams' },
      { file: 'xds/conduct', name: 'end in a cut' },
    ],
  },
  {
    number: 'C18',
    fault: 'Malformed frames and messages',
    expected: 'the process lives',
    tests: [
      { file: 'xds/grpc-frames', name: 'is refused before it has come' },
      { file: 'xds/transport', name: 'a request that cannot be read' },
    ],
  },
  {
    number: 'C19',
    fault: 'Hundreds of connections of one peer',
    expected: 'so many and no more',
    tests: [{ file: 'xds/transport', name: 'one address has so many connections' }],
  },
  {
    number: 'C20',
    fault: 'Wildcards, names and both, asked for and given up',
    expected: 'exactly as the protocol says',
    tests: [
      { file: 'xds/sotw', name: 'S07 (7)' },
      { file: 'xds/delta', name: 'D15 (27)' },
    ],
  },
  {
    number: 'C21',
    fault: 'Asked for before it exists',
    expected: 'sent when it comes',
    tests: [{ file: 'xds/sotw', name: 'S12 (16)' }],
  },
  {
    number: 'C22',
    fault: 'Order of additions and removals',
    expected: 'no request is lost',
    tests: [
      { file: 'xds/make-before-break', name: 'a route moves to a new cluster' },
      { file: 'xds/envoy', name: 'nothing is lost while clusters' },
    ],
  },
  {
    number: 'C23',
    fault: 'A proxy that never acknowledges clusters',
    expected: 'gets no route to them, others do',
    tests: [],
  },
  {
    number: 'C24',
    fault: 'A snapshot of ours that drops everything',
    expected: 'refused',
    tests: [{ file: 'loop/loop', name: 'an unknown node is parked' }],
    why: 'A commit cannot lose a mesh (B09), and no snapshot with a dangling reference leaves; a share of removals is no rule of its own.',
  },
  {
    number: 'C25',
    fault: 'Stored bytes that were changed',
    expected: 'refused, not served',
    tests: [],
  },
  {
    number: 'C26',
    fault: 'A burst of commits',
    expected: 'the newest wins, newer state waits as one',
    tests: [{ file: 'xds/sotw', name: '39: newer state waits' }],
  },
  {
    number: 'C27',
    fault: 'Other versions of Envoy',
    expected: 'accepted',
    tests: [],
    why: 'Tested with the one supported version, Envoy 1.40, whose validation every kind of snapshot passes.',
  },
  {
    number: 'C28',
    fault: 'The controller is away',
    expected: 'Envoys keep what they have',
    tests: [{ file: 'envoy/main-loop', name: 'killed with -9 in mid-step' }],
  },
  {
    number: 'C29',
    fault: 'Another proxy’s state',
    expected: 'not shown',
    tests: [{ file: 'xds/closed', name: 'client status: a proxy sees itself' }],
  },
  {
    number: 'D01',
    fault: 'Killed at every boundary of store, network and notifier',
    expected: 'goes on where it was',
    tests: [{ file: 'store/kill', name: 'keeps every commit that had returned' }],
  },
  {
    number: 'D02',
    fault: 'Killed again and again',
    expected: 'ends promoted or back, weights legal',
    tests: [{ file: 'sim/engine', name: 'engine simulation' }],
  },
  {
    number: 'D03',
    fault: 'Killed in mid-bake',
    expected: 'the bake starts over, never ends early',
    tests: [script],
    why: 'A bake proves nothing over time in which nobody looked, so it starts over instead of going on.',
  },
  {
    number: 'D04',
    fault: 'The state is locked by another process',
    expected: 'refused with who has it',
    tests: [{ file: 'store/sqlite', name: 'a second store on an open file' }],
  },
  {
    number: 'D05',
    fault: 'The state’s disk is full',
    expected: 'nothing advances, and it recovers',
    tests: [
      { file: 'store/sqlite', name: 'on a full disk a commit fails whole' },
      { file: 'loop/loop', name: 'a store that is down lets nothing forward' },
    ],
  },
  {
    number: 'D06',
    fault: 'A damaged, empty, foreign or newer state',
    expected: 'refused with what to do',
    tests: [
      { file: 'store/sqlite', name: 'a damaged page is found' },
      { file: 'store/sqlite', name: 'an empty file is damage' },
    ],
  },
  {
    number: 'D07',
    fault: 'Two processes on one state',
    expected: 'the second one is refused',
    tests: [{ file: 'store/sqlite', name: 'a second store on an open file' }],
  },
  {
    number: 'D08',
    fault: 'The database restarts, ends sessions, takes no writes, is slow, is full',
    expected: 'serving goes on',
    tests: [],
  },
  {
    number: 'D09',
    fault: 'A database that lost commits',
    expected: 'not followed back',
    tests: [],
  },
  {
    number: 'D10',
    fault: 'A commit whose answer was lost',
    expected: 'happens once',
    tests: [],
  },
  {
    number: 'D11',
    fault: 'A leader that is paused and goes on',
    expected: 'its writes are refused',
    tests: [],
  },
  {
    number: 'D12',
    fault: 'A leader that is cut off',
    expected: 'steps down before another leads',
    tests: [],
  },
  {
    number: 'D13',
    fault: 'Replicas that start at once',
    expected: 'one leads an epoch',
    tests: [],
  },
  {
    number: 'D14',
    fault: 'A pooler in front of the database',
    expected: 'the lease works, polling covers the rest',
    tests: [],
  },
  {
    number: 'D15',
    fault: 'A lost NOTIFY',
    expected: 'found by looking',
    tests: [],
  },
  {
    number: 'D16',
    fault: 'Clocks that jump',
    expected: 'nothing is judged by times from before',
    tests: [{ file: 'loop/loop', name: 'serves what was served after a restart' }, script],
  },
  {
    number: 'D17',
    fault: 'SIGTERM',
    expected: 'streams end peer by peer, then the process',
    tests: [
      { file: 'xds/drain', name: '6: a server that stops' },
      { file: 'cli/serve', name: 'serve' },
    ],
  },
  {
    number: 'D18',
    fault: 'Out of memory while reading, an error nobody caught',
    expected: 'the reading thread ends and not the process',
    tests: [{ file: 'decoder', name: 'a thread that dies is a problem of its revision' }],
  },
  {
    number: 'D19',
    fault: 'No descriptors, a full log disk, a log that nobody reads',
    expected: 'serving goes on, and it ends when it is told to',
    tests: [],
  },
  {
    number: 'D20',
    fault: 'Upgrade and back in mid-rollout',
    expected:
      'versions go on beside each other; one that is too old for the state leads and starts no more',
    tests: [{ file: 'store/sqlite', name: 'a file of a newer version is refused' }],
  },
  {
    number: 'D21',
    fault: 'Days of commits',
    expected: 'flat memory',
    tests: [],
    why:
      'Not run in CI: `npm run soak` is a program of its own, with a commit every few seconds, 100 proxies and ' +
      'three Envoys under load. An hour of it is told of in docs/explanation/failures.md.',
  },
  {
    number: 'E01',
    fault: 'A provider refuses, is not found, is overloaded',
    expected: 'an error, which is no failed gate',
    tests: [
      { file: 'providers/prometheus', name: 'a dead port is unreachable' },
      { file: 'providers/prometheus', name: 'a host that is not known' },
      script,
      { file: 'providers/real-prometheus', name: 'with Prometheus killed it waits' },
    ],
  },
  {
    number: 'E02',
    fault: 'Answers that never come or drip',
    expected: 'left at the deadline',
    tests: [{ file: 'providers/prometheus', name: 'a server that says nothing, or never ends' }],
  },
  {
    number: 'E03',
    fault: 'Nothing, NaN, infinity, texts, two series, old samples',
    expected: 'no data',
    tests: [
      { file: 'providers/prometheus', name: 'what} is' },
      { file: 'providers/prometheus', name: 'a server that answers for a while ago' },
    ],
  },
  {
    number: 'E04',
    fault: 'Too little traffic',
    expected: 'no verdict',
    tests: [script],
  },
  {
    number: 'E05',
    fault: 'A gate that passes and fails in turn',
    expected: 'failures are counted, weights do not swing',
    tests: [script],
  },
  {
    number: 'E06',
    fault: 'Redirections of a provider',
    expected: 'not followed',
    tests: [{ file: 'providers/http', name: 'what} is' }],
  },
  {
    number: 'E07',
    fault: 'URLs of a mesh file that lead inside',
    expected: 'there are none: gates name providers of the operator',
    tests: [{ file: 'providers/http', name: 'a path stays below the URL' }],
    why: 'The operator’s own URLs may lead anywhere, as he wants.',
  },
  {
    number: 'E08',
    fault: 'Endless bodies, huge headers',
    expected: 'cut',
    tests: [
      { file: 'providers/prometheus', name: 'a server that says nothing, or never ends' },
      { file: 'notify/http-exchange', name: 'of an endless answer only the beginning' },
    ],
  },
  {
    number: 'E09',
    fault: 'A body that repeats the secret, or would be markup',
    expected: 'cut, escaped, without the secret',
    tests: [
      { file: 'providers/prometheus', name: 'a server that repeats what it was sent' },
      { file: 'providers/http', name: 'a value that repeats the token' },
    ],
  },
  {
    number: 'E10',
    fault: 'An answer that comes too late',
    expected: 'is nobody’s',
    tests: [
      { file: 'loop/loop', name: 'gates are asked while their step is served' },
      { file: 'providers/measurer', name: 'an order that is gone is cancelled' },
    ],
  },
  {
    number: 'E11',
    fault: 'The same gate after a crash',
    expected: 'asked anew by the same name',
    tests: [{ file: 'providers/http', name: 'a POST says what is judged' }],
  },
  {
    number: 'E12',
    fault: 'Names inside queries',
    expected: 'only what may stand in a name',
    tests: [{ file: 'providers/prometheus', name: 'the query is posted below the URL' }],
    why: 'Templates take names of resources alone, whose form has no quote and no backslash.',
  },
  {
    number: 'E13',
    fault: 'A hundred gates',
    expected: 'a few at a time, each is asked',
    tests: [{ file: 'providers/measurer', name: 'a hundred gates ask a provider a few at a time' }],
  },
  {
    number: 'F01',
    fault: 'A chat that is dead for an hour',
    expected: 'the rollout goes on; told later, in order',
    tests: [
      { file: 'notify/dispatcher', name: 'a server that is dead for an hour' },
      { file: 'envoy/main-loop', name: 'with chat gone nothing waits' },
    ],
  },
  {
    number: 'F02',
    fault: 'Killed between sending and remembering',
    expected: 'sent again with the same id',
    tests: [
      { file: 'notify/dispatcher', name: 'after a crash between the send and its mark' },
      { file: 'notify/slack-bot', name: 'a rollout is one message, edited' },
    ],
  },
  {
    number: 'F03',
    fault: '429, 5xx, 4xx, revoked',
    expected: 'waited for, tried again, or a dead letter',
    tests: [
      { file: 'notify/dispatcher', name: 'Retry-After is honoured' },
      { file: 'notify/dispatcher', name: 'a notification that is refused becomes a dead letter' },
      { file: 'notify/http-exchange', name: 'to be tried again' },
    ],
  },
  {
    number: 'F04',
    fault: 'An outbox that grows',
    expected: 'bounded; progress goes first',
    tests: [
      { file: 'store/sqlite', name: 'store-suite' },
      { file: 'notify/dispatcher', name: 'what could not be delivered for a week' },
    ],
  },
  {
    number: 'F05',
    fault: 'One slow chat',
    expected: 'delays no other',
    tests: [{ file: 'notify/dispatcher', name: 'a slow sink delays no other' }],
  },
  {
    number: 'F06',
    fault: 'Mentions, links and markup in commit messages',
    expected: 'text and nothing else',
    tests: [
      { file: 'notify/chat-forms', name: 'what an author writes becomes no link' },
      { file: 'notify/slack', name: 'text from outside can ping nobody' },
    ],
  },
  {
    number: 'F07',
    fault: 'Secrets of targets',
    expected: 'in no log, error or dead letter',
    tests: [
      { file: 'notify/dispatcher', name: 'no log line and no dead letter tells the URL' },
      { file: 'notify/http-exchange', name: 'a server that repeats the secret' },
    ],
  },
  {
    number: 'F08',
    fault: 'The leader changes while something is sent',
    expected: 'the new one sends it again with the same id',
    tests: [
      { file: 'notify/dispatcher', name: 'after a crash between the send and its mark' },
      { file: 'replicas/replicas', name: 'the leader is told to stop' },
    ],
  },
  {
    number: 'G01',
    fault: 'Every route with no, a bad or a weaker token',
    expected: '401 or 403',
    tests: [
      { file: 'api/access', name: 'nothing of the API is told to nobody' },
      { file: 'api/access', name: 'a viewer reads, an operator also commands' },
    ],
  },
  {
    number: 'G02',
    fault: 'Tokens of any length',
    expected: 'compared in constant time, no exception',
    tests: [
      { file: 'api/hooks', name: 'is refused with' },
      { file: 'api/access', name: 'who guesses is stopped' },
    ],
  },
  {
    number: 'G03',
    fault: 'Pages from elsewhere',
    expected: 'can give no command',
    tests: [
      { file: 'api/abuse', name: 'a page from elsewhere can give no command' },
      { file: 'api/access', name: 'a session commands only with its own CSRF token' },
      { file: 'api/abuse', name: 'only JSON is read' },
    ],
  },
  {
    number: 'G04',
    fault: 'Bodies and headers that are too large, slow, endless',
    expected: 'cut off, others are served',
    tests: [
      { file: 'api/abuse', name: 'a body is at most 64 KiB' },
      { file: 'api/abuse', name: 'who sends too slowly' },
      { file: 'api/abuse', name: 'headers beyond 16 KiB' },
    ],
  },
  {
    number: 'G05',
    fault: 'Paths that climb',
    expected: '404',
    tests: [
      { file: 'api/abuse', name: 'ids are looked up and never followed' },
      { file: 'api/abuse', name: 'paths that do not exist' },
    ],
  },
  {
    number: 'G06',
    fault: 'Control characters in names, headers, logs',
    expected: 'do not reach the reader',
    tests: [
      { file: 'log', name: 'control characters do not reach the reader' },
      { file: 'decode/secrets', name: 'what a terminal obeys' },
    ],
  },
  {
    number: 'G07',
    fault: 'Guessing and flooding',
    expected: '429 for who does it',
    tests: [
      { file: 'api/access', name: 'who guesses is stopped' },
      { file: 'api/access', name: 'a person commands sixty times a minute' },
    ],
  },
  {
    number: 'G08',
    fault: 'Scripts in messages, authors, branches',
    expected: 'text; the page runs nothing of it',
    tests: [
      { file: 'dashboard/pages', name: 'a path that is no page' },
      { file: 'api/abuse', name: 'every answer forbids framing' },
    ],
  },
  {
    number: 'G09',
    fault: 'Commands repeated, at once, of the wrong rollout',
    expected: 'once, or a conflict with the reason',
    tests: [{ file: 'api/api', name: 'a command that cannot be given now' }],
  },
  {
    number: 'G10',
    fault: 'SQL, template and log injection in every text',
    expected: 'none',
    tests: [
      { file: 'store/sqlite', name: 'store-suite' },
      { file: 'log', name: 'a line is one JSON object' },
    ],
    why: 'Every statement has parameters; the suite of both stores keeps quotes, line feeds and NUL as they are.',
  },
  {
    number: 'G11',
    fault: 'Supply chain',
    expected: 'lock file only, no scripts, licences and advisories checked',
    tests: [
      { file: 'package/dependencies', name: 'nothing that must be installed runs code' },
      { file: 'package/dependencies', name: 'licences of all that is shipped' },
    ],
  },
];
