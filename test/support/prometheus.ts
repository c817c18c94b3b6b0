/** A real Prometheus (`prometheus` on the PATH), with a configuration and a data folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './until.js';

export interface PrometheusProcess {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** As a machine that loses its power. Resolves when it has ended. */
  kill(): Promise<void>;
}

/**
 * Starts one that scrapes `127.0.0.1:targetPort` four times a second and keeps its data in `folder`. `port` 0
 * takes any free one. Throws with its log where it ends.
 */
export function startPrometheus(options: {
  readonly folder: string;
  readonly targetPort: number;
  readonly port: number;
}): Promise<PrometheusProcess> {
  const { folder, targetPort, port } = options;
  const global = 'global: { scrape_interval: 250ms, scrape_timeout: 250ms }';
  const job = `{ job_name: services, static_configs: [{ targets: ["127.0.0.1:${targetPort}"] }] }`;
  return runPrometheus(`${global}\nscrape_configs: [${job}]\n`, { folder, port });
}

/** The same with a configuration of the test's own, whose file names are relative to `folder`. */
export async function runPrometheus(
  configuration: string,
  options: { readonly folder: string; readonly port: number },
): Promise<PrometheusProcess> {
  const { folder } = options;
  const config = join(folder, 'prometheus.yml');
  await writeFile(config, configuration);
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${options.port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = once(child, 'exit');
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  let port: string | undefined;
  await until('Prometheus listens', () => {
    port = /Listening on" address=127\.0\.0\.1:(\d+)/.exec(log)?.[1];
    return port !== undefined || child.exitCode !== null;
  });
  if (port === undefined) {
    throw new Error(`prometheus ended with ${child.exitCode}:\n${log}`);
  }
  const url = `http://127.0.0.1:${port}`;
  await until('Prometheus is ready', async () => (await fetch(`${url}/-/ready`)).status === 200);
  return {
    url,
    port: Number(port),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
