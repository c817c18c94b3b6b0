/** The demo's Envoys, each of which can be killed as a machine would take it down, and started again. */
import type { SocketAddress } from '../envoy/snapshot.js';
import { type DemoEnvoy, type EnvoySettings, startEnvoy } from './envoys.js';
import type { Ran } from './repository.js';

export interface FleetMember {
  /** Unique; names its files. */
  readonly name: string;
  readonly virtualNode: string;
  readonly ingress?: SocketAddress;
  readonly egress?: SocketAddress;
}

export class Fleet {
  private readonly common: Pick<EnvoySettings, 'binary' | 'folder' | 'xds'>;
  private readonly members = new Map<string, FleetMember>();
  private readonly running = new Map<string, DemoEnvoy>();

  constructor(common: Pick<EnvoySettings, 'binary' | 'folder' | 'xds'>) {
    this.common = common;
  }

  /** How many there are, running or not. */
  get size(): number {
    return this.members.size;
  }

  /** Starts one that is new or was killed. */
  async start(member: FleetMember): Promise<Ran> {
    this.members.set(member.name, member);
    const { virtualNode, ...addresses } = member;
    const nodeId = `mesh/shop/virtualNode/${virtualNode}`;
    const envoy = await startEnvoy({ ...this.common, ...addresses, nodeId });
    this.running.set(member.name, envoy);
    return { command: `envoy -c ${member.name}.json &`, output: `[1] ${envoy.pid}` };
  }

  /** Kills without a goodbye: connections break, and nobody is told. */
  async kill(name: string): Promise<Ran> {
    const envoy = this.running.get(name);
    if (envoy === undefined) {
      throw new Error(`assertion failed: no Envoy ${name} runs`);
    }
    this.running.delete(name);
    await envoy.kill();
    return { command: `kill -9 ${envoy.pid}   # ${name}'s Envoy`, output: '' };
  }

  async bringBack(name: string): Promise<Ran> {
    const member = this.members.get(name);
    if (member === undefined) {
      throw new Error(`assertion failed: there is no Envoy ${name}`);
    }
    return this.start(member);
  }

  /** Of those that stand before `virtualNode`, the last that runs. */
  lastOf(virtualNode: string): string | undefined {
    const names = [...this.running.keys()];
    return names.findLast((name) => this.members.get(name)?.virtualNode === virtualNode);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.running.values()].map((envoy) => envoy.stop()));
  }
}
