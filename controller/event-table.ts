/**
 * Every event that is logged, once: its name, the level it is logged at and what it means. The log, the
 * metric `headgate_events_total`, the history of the API and `docs/reference/events.md` use these names and
 * no others; a name, once released, keeps its meaning.
 */

export interface EventEntry {
  readonly level: 'info' | 'warn' | 'error';
  /** One sentence. */
  readonly meaning: string;
}

export const eventTable = {
  'admission.broken': {
    level: 'error',
    meaning:
      'A file of the xDS port’s certificates or tokens is broken; what was read before counts.',
  },
  'admission.reloaded': {
    level: 'info',
    meaning: 'Files of the xDS port’s certificates or tokens changed, and count now.',
  },
  'api.failed': { level: 'error', meaning: 'A request ended in an error of our own.' },
  'api.refused': { level: 'warn', meaning: 'Who asked may not do that.' },
  'api.signInRefused': { level: 'warn', meaning: 'Somebody could not show who they are.' },
  'api.signedIn': { level: 'info', meaning: 'Somebody signed in.' },
  'certificates.missing': {
    level: 'warn',
    meaning: 'A node’s resources name a secret that is not there.',
  },
  'certificates.refused': {
    level: 'warn',
    meaning: 'A secret’s files are broken; what was good before is served on.',
  },
  'certificates.rotated': { level: 'info', meaning: 'A secret changed, and is served.' },
  'certificates.taken': { level: 'info', meaning: 'A secret was found.' },
  'certificates.unreadable': { level: 'warn', meaning: 'The folder of secrets cannot be read.' },
  'clock.jumped': {
    level: 'warn',
    meaning: 'The clock was set, or the machine slept; what was measured before does not count.',
  },
  'failpoint.armed': {
    level: 'warn',
    meaning: 'A test will kill this process at a place of its choice.',
  },
  'gate.error': { level: 'warn', meaning: 'A provider could not answer a gate.' },
  'gate.recovered': { level: 'info', meaning: 'A provider answers a gate again.' },
  'headgate.started': { level: 'info', meaning: 'All ports listen.' },
  'hook.received': { level: 'info', meaning: 'A Git server said that something was pushed.' },
  'hook.refused': { level: 'warn', meaning: 'A push webhook had no good signature.' },
  'invariant.violated': {
    level: 'error',
    meaning: 'A bug of ours was kept from doing harm: what is served stays as it was.',
  },
  'lease.notRenewed': {
    level: 'warn',
    meaning: 'The leading replica could not renew its lease, and tries again.',
  },
  'node.outdated': { level: 'warn', meaning: 'This version of Node.js has known faults.' },
  'notify.delivered': { level: 'info', meaning: 'A notification was taken.' },
  'notify.failed': {
    level: 'warn',
    meaning: 'A notification could not be delivered, and is tried again.',
  },
  'notify.gaveUp': { level: 'error', meaning: 'A notification will not be delivered.' },
  'notify.storeFailed': {
    level: 'warn',
    meaning: 'The store could not be asked for what is to be delivered.',
  },
  'replica.cannotLead': {
    level: 'error',
    meaning:
      'This replica took the lease and could not read the state; it tries again when the lease has run out.',
  },
  'replica.changeFailed': {
    level: 'error',
    meaning: 'Beginning or ending to lead failed in a way that nobody foresaw.',
  },
  'replica.commandsUnread': {
    level: 'warn',
    meaning:
      'Commands that were given to other replicas could not be read, and are looked for again.',
  },
  'replica.gone': {
    level: 'warn',
    meaning: 'Another replica left or was silent for too long; its proxies count no more.',
  },
  'replica.goesOn': {
    level: 'info',
    meaning: 'The database is as new again as what this replica has seen.',
  },
  'replica.hearsNothing': {
    level: 'warn',
    meaning: 'What other replicas tell could not be read.',
  },
  'replica.leads': { level: 'info', meaning: 'This replica leads from now on.' },
  'replica.leadsNoMore': {
    level: 'warn',
    meaning: 'This replica no longer leads; it goes on serving what it served.',
  },
  'replica.leftBehind': {
    level: 'error',
    meaning:
      'A newer version has changed the tables: this replica serves what it has and leads no more.',
  },
  'replica.notAsked': {
    level: 'warn',
    meaning: 'The leader could not be asked to look at the repository.',
  },
  'replica.notTold': {
    level: 'warn',
    meaning: 'News of this replica’s proxies could not be told to the others.',
  },
  'revision.accepted': { level: 'info', meaning: 'A commit is valid: it is what is desired now.' },
  'revision.read': { level: 'info', meaning: 'A new commit was fetched.' },
  'revision.rejected': {
    level: 'error',
    meaning: 'A commit has errors; nothing of it is applied.',
  },
  'rollout.aborted': { level: 'warn', meaning: 'A person asked for the way back.' },
  'rollout.command': { level: 'info', meaning: 'A person told a rollout what to do.' },
  'rollout.moved': { level: 'info', meaning: 'A rollout came to another phase or step.' },
  'rollout.paused': { level: 'warn', meaning: 'A rollout stands still until somebody resumes it.' },
  'rollout.rolledBack': {
    level: 'error',
    meaning: 'A rollout failed: every proxy gets the last good state again.',
  },
  'rollout.started': { level: 'info', meaning: 'The first step of a rollout is served.' },
  'rollout.succeeded': { level: 'info', meaning: 'A change is served in full.' },
  'rollout.superseded': {
    level: 'info',
    meaning: 'A newer commit changes the same, so its rollout takes over.',
  },
  'rollout.waitingForApproval': { level: 'warn', meaning: 'A rollout waits for a person’s word.' },
  'setting.unknown': { level: 'warn', meaning: 'A variable or key is no setting.' },
  'snapshot.inconsistent': {
    level: 'error',
    meaning: 'A bug of ours: a proxy would have got a dangling reference; it keeps what it had.',
  },
  'source.ancestryUnknown': {
    level: 'warn',
    meaning: 'It could not be found out whether history was rewritten.',
  },
  'source.broken': { level: 'error', meaning: 'Reading the repository failed unexpectedly.' },
  'source.cacheDiscarded': {
    level: 'warn',
    meaning: 'The cache of Git objects was broken, and is fetched anew.',
  },
  'source.fetching': {
    level: 'info',
    meaning: 'How much of the first revision has come, in percent.',
  },
  'source.failed': { level: 'warn', meaning: 'The repository could not be read; polling goes on.' },
  'source.rewritten': {
    level: 'warn',
    meaning: 'The branch no longer holds the commit that it pointed to.',
  },
  'source.watchFailed': {
    level: 'warn',
    meaning: 'The directory cannot be watched; it is looked at now and then.',
  },
  'state.regressed': {
    level: 'error',
    meaning: 'The database has lost commits: what is served stays, and nothing is decided.',
  },
  'store.connectionLost': { level: 'warn', meaning: 'An idle connection to the database ended.' },
  'store.failed': { level: 'error', meaning: 'The state cannot be stored: nothing advances.' },
  'store.listening': {
    level: 'info',
    meaning: 'Changes of the database are announced to this replica again.',
  },
  'store.notListening': {
    level: 'warn',
    meaning: 'Changes of the database are not announced; they are found by looking.',
  },
  'store.notNotified': {
    level: 'warn',
    meaning:
      'A pooler keeps what the database announces to itself; changes are found by looking, each second.',
  },
  'store.notReachedYet': {
    level: 'warn',
    meaning: 'The database cannot be reached at the start, and is tried again.',
  },
  'store.opened': { level: 'info', meaning: 'The state was opened.' },
  'store.outboxTrimmed': {
    level: 'warn',
    meaning: 'More notifications wait than are kept; the oldest were dropped.',
  },
  'store.recovered': { level: 'info', meaning: 'The state can be stored again.' },
  'telemetry.broken': {
    level: 'error',
    meaning: 'A bug of ours: metrics or traces stop at what they had; everything else goes on.',
  },
  'tracing.failed': {
    level: 'warn',
    meaning:
      'The collector of traces does not take spans; they are lost, and nothing waits for it.',
  },
  'tracing.recovered': { level: 'info', meaning: 'The collector of traces takes spans again.' },
  'tracing.started': { level: 'info', meaning: 'Traces are sent to a collector.' },
  'xds.broken': {
    level: 'error',
    meaning: 'A bug of ours: the stream at which it showed was ended; all others go on.',
  },
  'xds.connected': { level: 'info', meaning: 'A proxy opened a stream.' },
  'xds.denied': { level: 'warn', meaning: 'A connection, stream or node was refused.' },
  'xds.disconnected': { level: 'info', meaning: 'A proxy’s stream ended.' },
  'xds.refused': { level: 'warn', meaning: 'A proxy refused a resource (NACK).' },
  'xds.rejected': { level: 'warn', meaning: 'A stream broke the protocol, and was ended.' },
  'xds.stalled': { level: 'warn', meaning: 'A proxy does not read, and was disconnected.' },
  'xds.unanswered': { level: 'warn', meaning: 'A proxy has not answered a response for long.' },
} as const satisfies Readonly<Record<string, EventEntry>>;

export type EventName = keyof typeof eventTable;
