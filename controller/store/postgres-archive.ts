/** What of the tables goes into an archive, and how a loss of commits is accepted. */
import type { Archive } from './archive.js';
import type { PostgresConnection } from './postgres-connection.js';
import { checkedRow } from './postgres-rows.js';
import { notification, text } from './rows.js';

/** One moment of the state, whoever uses it. */
export function readArchive(connection: PostgresConnection): Promise<Archive> {
  const { place } = connection.settings;
  return connection.transaction(
    async (sql) => {
      const rows = async (query: string) => (await sql.run(query)).rows;
      return {
        values: (
          await rows('SELECT kind, key, json, hash FROM headgate_state WHERE json IS NOT NULL')
        ).map((row) => checkedRow(row, place)),
        history: (await rows('SELECT at_ms, kind, json FROM headgate_history ORDER BY id')).map(
          (row) => ({ atMs: Number(row.at_ms), kind: text(row, 'kind'), json: text(row, 'json') }),
        ),
        outbox: (await rows('SELECT * FROM headgate_outbox ORDER BY seq')).map((row) => ({
          ...notification(row),
          expendable: row.expendable === true,
        })),
        deadLetters: (await rows('SELECT * FROM headgate_dead_letters ORDER BY seq')).map(
          (row) => ({ ...notification(row), error: text(row, 'error') }),
        ),
      };
    },
    { isSnapshot: true },
  );
}

/**
 * Brings the epoch and the count of commits above all that replicas have seen: what the database has is the
 * newest again.
 */
export async function acceptLoss(connection: PostgresConnection): Promise<void> {
  await connection.transaction(async (sql) => {
    const { rows } = await sql.run(
      'SELECT GREATEST(MAX(epoch), (SELECT MAX(epoch) FROM headgate_lease), ' +
        '(SELECT MAX(epoch) FROM headgate_head)) AS epoch, ' +
        'GREATEST(MAX(state_seq), (SELECT MAX(seq) FROM headgate_head)) AS seq ' +
        'FROM headgate_replicas',
    );
    const epoch = Number(rows[0]?.epoch) + 1;
    const seq = Number(rows[0]?.seq) + 1;
    await sql.run(
      "UPDATE headgate_lease SET epoch = $1, holder = '', ends_at = '-infinity' " +
        "WHERE name = 'leader'",
      [epoch],
    );
    // Everything counts as changed: nobody has to know what was lost.
    await sql.run(
      'UPDATE headgate_head SET epoch = $1, seq = $2, forgotten_seq = $2 WHERE id = 1',
      [epoch, seq],
    );
    await sql.run("SELECT pg_notify('headgate', 'state'), pg_notify('headgate', 'lease')");
  });
}
