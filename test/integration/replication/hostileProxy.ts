import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { SeededRandom } from '../../simulation/seededRandom.ts';

const MAX_STALL_MS = 60;
/** The handshake passes, or nothing would ever be tested after it. */
const QUIET_CHUNKS = 4;

/** Stands between a leader and its followers: splits, stalls, garbles and cuts what goes through, in both directions. */
export class HostileProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #random: SeededRandom;
  readonly #leaderPort: number;
  isHostile = true;
  #isCut = false;
  cuts = 0;
  garbled = 0;
  stalls = 0;

  private constructor(leaderPort: number, random: SeededRandom) {
    this.#leaderPort = leaderPort;
    this.#random = random;
    this.#server = createServer((socket) => {
      this.#serve(socket);
    });
  }

  static async listen(leaderPort: number, random: SeededRandom): Promise<HostileProxy> {
    const proxy = new HostileProxy(leaderPort, random);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** Nothing gets through while it is cut, neither old connections nor new ones. */
  set isCut(isCut: boolean) {
    this.#isCut = isCut;
    if (isCut) for (const socket of this.#sockets) socket.destroy();
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  dispose(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #serve(follower: Socket): void {
    if (this.#isCut) {
      follower.destroy();
      return;
    }
    const leader = connect(this.#leaderPort, '127.0.0.1');
    this.#sockets.add(follower).add(leader);
    const end = (): void => {
      follower.destroy();
      leader.destroy();
    };
    for (const socket of [follower, leader]) {
      socket.on('close', end);
      // The other end is torn down with it; there is nobody to tell.
      socket.on('error', end);
    }
    this.#pass(follower, leader, end, true);
    this.#pass(leader, follower, end, false);
  }

  #pass(from: Socket, to: Socket, end: () => void, isRequest: boolean): void {
    let chunks = 0;
    let before = Promise.resolve();
    from.on('data', (data: Buffer) => {
      chunks += 1;
      const isFirst = chunks === 1;
      const isQuiet = chunks <= QUIET_CHUNKS || !this.isHostile;
      before = before.then(async () => {
        if (isRequest && isFirst)
          to.write(
            data.toString('latin1').replace(`127.0.0.1:${String(this.port)}`, `127.0.0.1:${String(this.#leaderPort)}`),
            'latin1',
          );
        else if (isQuiet) to.write(data);
        else await this.#mistreat(data, to, end);
      });
    });
  }

  async #mistreat(data: Buffer, to: Socket, end: () => void): Promise<void> {
    if (this.#random.chance(0.01)) {
      this.cuts += 1;
      end();
      return;
    }
    if (this.#random.chance(0.05)) {
      this.stalls += 1;
      await new Promise((resolve) => setTimeout(resolve, this.#random.between(0, MAX_STALL_MS)));
    }
    if (this.#random.chance(0.02)) {
      this.garbled += 1;
      const at = this.#random.below(data.byteLength);
      data.writeUInt8((data[at] ?? 0) ^ (1 << this.#random.below(8)), at);
    }
    const middle = this.#random.below(data.byteLength);
    to.write(data.subarray(0, middle));
    await new Promise((resolve) => setImmediate(resolve));
    to.write(data.subarray(middle));
  }
}
