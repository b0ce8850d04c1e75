import type { SyncEngineConfig } from './syncEngineConfig.ts';

interface Circuit {
  failures: number;
  /** Monotonic milliseconds; nobody asks the server before. */
  closedUntilMs: number;
  /** The job that finds out whether the server is back. */
  probe: string | undefined;
}

/** More servers than these are not kept apart; the oldest is forgotten, and found dead again where it is. */
const MAX_SERVERS = 1_000;

/** Leaves servers alone that do not answer: after some failures in a row only one job at a time asks, less and less often. */
export class CircuitBreakers {
  readonly #circuits = new Map<string, Circuit>();

  /** When the server may be asked next, in monotonic milliseconds; `Infinity` while another job finds out whether it is back. */
  mayAskAt(server: string, config: SyncEngineConfig): number {
    const circuit = this.#circuits.get(server);
    if (circuit === undefined || circuit.failures < config.circuitFailures) return 0;
    return circuit.probe === undefined ? circuit.closedUntilMs : Infinity;
  }

  asks(server: string, jobId: string, config: SyncEngineConfig): void {
    const circuit = this.#circuits.get(server);
    if (circuit !== undefined && circuit.failures >= config.circuitFailures) circuit.probe = jobId;
  }

  /** Whether this job may ask now: it was chosen to find out, or nothing is known against the server. */
  mayAsk(server: string, jobId: string, nowMs: number, config: SyncEngineConfig): boolean {
    return this.#circuits.get(server)?.probe === jobId || this.mayAskAt(server, config) <= nowMs;
  }

  /** A job was cancelled: it has found out nothing. */
  letGo(server: string, jobId: string): void {
    const circuit = this.#circuits.get(server);
    if (circuit?.probe === jobId) circuit.probe = undefined;
  }

  /** The server answered, whatever it said. @returns whether it was counted dead before. */
  answered(server: string, config: SyncEngineConfig): boolean {
    const wasDead = (this.#circuits.get(server)?.failures ?? 0) >= config.circuitFailures;
    this.#circuits.delete(server);
    return wasDead;
  }

  failed(server: string, nowMs: number, config: SyncEngineConfig): void {
    const circuit = this.#circuits.get(server) ?? { failures: 0, closedUntilMs: 0, probe: undefined };
    circuit.failures += 1;
    circuit.probe = undefined;
    const beyond = circuit.failures - config.circuitFailures;
    const closedMs = Math.min(config.retryMaxDelayMs, config.circuitOpenMs * 2 ** Math.min(beyond, 20));
    if (beyond >= 0) circuit.closedUntilMs = nowMs + closedMs;
    this.#circuits.set(server, circuit);
    const [oldest] = this.#circuits.keys();
    if (this.#circuits.size > MAX_SERVERS && oldest !== undefined) this.#circuits.delete(oldest);
  }
}
