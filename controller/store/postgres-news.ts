/**
 * What replicas tell one another: a row for each proxy that says how it is, and batches of what happened.
 * Each replica writes its own rows alone and numbers them, so a reader that knows the last number of each
 * misses nothing, in whatever order transactions become visible.
 */
import type { News, PeerNews, PeerRow, SharedDatabase } from '../replicas/ports.js';
import type { PostgresConnection, Sql, SqlRow } from './postgres-connection.js';
import { text } from './rows.js';

/** Whoever reads more seldom than this has been away, and starts with what is. */
const newsKept = '60 seconds';
/** A replica that was silent for so long never comes back under this name. */
const replicasKept = '1 hour';

export async function tell(
  connection: PostgresConnection,
  replica: string,
  { seq, position, json, proxies, batch }: News,
): Promise<void> {
  await connection.transaction(async (sql) => {
    await sql.run(
      'INSERT INTO headgate_replicas (replica, seq, seen_at, epoch, state_seq, json) ' +
        'VALUES ($1, $2, clock_timestamp(), $3, $4, $5) ON CONFLICT (replica) DO UPDATE SET ' +
        'seq = excluded.seq, seen_at = excluded.seen_at, epoch = excluded.epoch, ' +
        'state_seq = excluded.state_seq, json = excluded.json',
      [replica, seq, position.epoch, position.seq, json],
    );
    if (proxies.size > 0) {
      await sql.run(
        'INSERT INTO headgate_proxies (replica, id, seq, at, json) ' +
          'SELECT $1, id, $2, clock_timestamp(), json FROM unnest($3::text[], $4::text[]) ' +
          'AS new (id, json) ON CONFLICT (replica, id) DO UPDATE SET ' +
          'seq = excluded.seq, at = excluded.at, json = excluded.json',
        [replica, seq, [...proxies.keys()], [...proxies.values()]],
      );
    }
    if (batch !== undefined) {
      await sql.run('INSERT INTO headgate_news VALUES ($1, $2, clock_timestamp(), $3)', [
        replica,
        seq,
        batch,
      ]);
    }
    await forget(sql, replica);
    if (proxies.size > 0 || batch !== undefined) {
      await sql.run("SELECT pg_notify('headgate', 'news')");
    }
  });
}

async function forget(sql: Sql, replica: string): Promise<void> {
  const isOld = `at < clock_timestamp() - interval '${newsKept}'`;
  await sql.run(`DELETE FROM headgate_news WHERE replica = $1 AND ${isOld}`, [replica]);
  await sql.run(`DELETE FROM headgate_proxies WHERE replica = $1 AND json IS NULL AND ${isOld}`, [
    replica,
  ]);
  const { rows } = await sql.run(
    `DELETE FROM headgate_replicas WHERE seen_at < clock_timestamp() - interval '${replicasKept}' ` +
      'RETURNING replica',
  );
  for (const row of rows) {
    await deleteRows(sql, text(row, 'replica'));
  }
}

async function deleteRows(sql: Sql, replica: string): Promise<void> {
  await sql.run('DELETE FROM headgate_news WHERE replica = $1', [replica]);
  await sql.run('DELETE FROM headgate_proxies WHERE replica = $1', [replica]);
}

export async function leave(connection: PostgresConnection, replica: string): Promise<void> {
  await connection.transaction(async (sql) => {
    await sql.run('DELETE FROM headgate_replicas WHERE replica = $1', [replica]);
    await deleteRows(sql, replica);
    await sql.run("SELECT pg_notify('headgate', 'news')");
  });
}

export function hear(
  connection: PostgresConnection,
  replica: string,
  heard: ReadonlyMap<string, number>,
): ReturnType<SharedDatabase['hear']> {
  const names = [...heard.keys()];
  const seqs = [...heard.values()];
  const isNew =
    'LEFT JOIN unnest($2::text[], $3::bigint[]) AS heard (name, last) ON name = replica ' +
    'WHERE replica <> $1 AND seq > COALESCE(last, -1)';
  return connection.transaction(
    async (sql) => {
      const peers = await sql.run(
        'SELECT replica, seq, epoch, state_seq, json, ' +
          'EXTRACT(EPOCH FROM clock_timestamp() - seen_at) * 1000 AS silent_ms ' +
          'FROM headgate_replicas WHERE replica <> $1',
        [replica],
      );
      const proxies = await sql.run(
        `SELECT replica, id, json FROM headgate_proxies ${isNew} ORDER BY seq`,
        [replica, names, seqs],
      );
      const batches = await sql.run(
        'SELECT replica, seq, json, EXTRACT(EPOCH FROM clock_timestamp() - at) * 1000 AS age_ms ' +
          `FROM headgate_news ${isNew} ORDER BY seq`,
        [replica, names, seqs],
      );
      return {
        peers: peers.rows.map(peerOf),
        news: peers.rows
          .filter((row) => Number(row.seq) > (heard.get(text(row, 'replica')) ?? -1))
          .map((row) => newsOf(row, proxies.rows, batches.rows)),
      };
    },
    { isSnapshot: true },
  );
}

function peerOf(row: SqlRow): PeerRow {
  return {
    replica: text(row, 'replica'),
    silentMs: Number(row.silent_ms),
    position: { epoch: Number(row.epoch), seq: Number(row.state_seq) },
    json: text(row, 'json'),
  };
}

function newsOf(peer: SqlRow, proxies: readonly SqlRow[], batches: readonly SqlRow[]): PeerNews {
  const isTheirs = (row: SqlRow) => row.replica === peer.replica;
  return {
    replica: text(peer, 'replica'),
    seq: Number(peer.seq),
    proxies: new Map(
      proxies
        .filter(isTheirs)
        .map((row) => [text(row, 'id'), row.json === null ? null : text(row, 'json')]),
    ),
    batches: batches.filter(isTheirs).map((row) => ({
      seq: Number(row.seq),
      json: text(row, 'json'),
      ageMs: Math.max(0, Number(row.age_ms)),
    })),
  };
}
