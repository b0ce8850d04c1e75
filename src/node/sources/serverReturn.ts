import { connect } from 'node:net';
import type { Disposable, Scheduler } from '../../core/ports.ts';

/** On this machine a connection is accepted or refused at once, and a refused one costs nobody anything. */
const LOOK_INTERVAL_MS = 200;

/** The host and port of a URL on the loopback interface; undefined for any other. */
export function loopbackOf(url: string): { readonly host: string; readonly port: number } | undefined {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (!/^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)) return undefined;
  return { host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
}

/**
 * Looks out for servers of this machine that refuse connections, as a development server does while it is started anew, so
 * that the moment of its return is noticed and nothing has to be asked again and again. Connects only while nobody accepts.
 */
export class ServerReturn implements Disposable {
  readonly #scheduler: Scheduler;
  readonly #isWanted: (origin: string) => boolean;
  readonly #onBack: (origin: string) => void;
  readonly #looking = new Map<string, Disposable>();

  /** @param isWanted whether anybody still waits for the server. @param onBack it accepts connections again. */
  constructor(scheduler: Scheduler, isWanted: (origin: string) => boolean, onBack: (origin: string) => void) {
    this.#scheduler = scheduler;
    this.#isWanted = isWanted;
    this.#onBack = onBack;
  }

  /** Waits for the server of a URL that has just refused a connection; what is on another machine is left alone. */
  lookFor(url: string): void {
    const place = loopbackOf(url);
    const { origin } = new URL(url);
    if (place === undefined || this.#looking.has(origin)) return;
    const look = (): Disposable => this.#scheduler.after(LOOK_INTERVAL_MS, () => tryOnce());
    const tryOnce = (): void => {
      if (!this.#isWanted(origin)) {
        this.#looking.delete(origin);
        return;
      }
      const socket = connect(place);
      this.#looking.set(origin, { dispose: () => socket.destroy() });
      socket.once('connect', () => {
        socket.destroy();
        if (!this.#looking.delete(origin)) return;
        this.#onBack(origin);
      });
      socket.once('error', () => {
        // Refused once more; one that was given up is not in the list any more.
        if (this.#looking.has(origin)) this.#looking.set(origin, look());
      });
    };
    this.#looking.set(origin, look());
  }

  dispose(): void {
    const looking = [...this.#looking.values()];
    this.#looking.clear();
    for (const one of looking) one.dispose();
  }
}
