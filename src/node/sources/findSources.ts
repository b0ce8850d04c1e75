import { readdir, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { detectOpenApi } from '../../core/openapi/detectOpenApi.ts';
import {
  addressesInPage,
  COMMON_PATHS,
  COMMON_PORTS,
  type Framework,
  isManifestName,
  PAGE_PATHS,
  recognizeFrameworks,
} from '../../core/sources/frameworks.ts';
import type { SpecFetcher } from '../../core/sources/specFetcher.ts';

/** A source that could be added. */
export interface FoundSource {
  readonly url: string;
  /** As the manifests say; undefined where only a server answers. */
  readonly framework: string | undefined;
  /** What the answer calls itself; undefined where nobody answers at the moment. */
  readonly title: string | undefined;
  readonly isRunning: boolean;
}

/** Manifests lie near the top. */
const MAX_DEPTH = 2;
const MAX_FOLDERS = 300;
const MAX_MANIFEST_BYTES = 2 * 1024 * 1024;
const IGNORED = /^(node_modules|\..*|vendor|dist|build|target|bin|obj|venv|__pycache__)$/;
/** A server of this machine accepts at once; whoever waits longer is none. */
const CONNECT_TIMEOUT_MS = 500;
const PROBE_TIMEOUT_MS = 3_000;
const MAX_PROBE_BYTES = 20 * 1024 * 1024;

/**
 * Looks for sources: frameworks by the manifests of the folder, and descriptions that servers of this machine serve at the
 * usual places. Nothing beyond the loopback interface is asked. Rejects when it is aborted.
 */
export async function findSources(
  folder: string,
  fetch: SpecFetcher,
  signal: AbortSignal,
  isOpen: (port: number) => Promise<boolean> = isListening,
): Promise<readonly FoundSource[]> {
  const frameworks = recognizeFrameworks(await readManifests(folder));
  const ports = [...new Set([...frameworks.flatMap((one) => one.ports), ...COMMON_PORTS])];
  const open = (await Promise.all(ports.map(async (port) => ((await isOpen(port)) ? [port] : [])))).flat();
  const running = await Promise.all(open.map((port) => probe(port, frameworks, fetch, signal)));
  const found = running.flatMap((one) => (one === undefined ? [] : [one]));
  const asleep = frameworks
    .filter(({ name }) => !found.some(({ framework }) => framework === name))
    .flatMap(({ name, ports: [port], paths: [path] }): FoundSource[] =>
      port === undefined || path === undefined
        ? []
        : [{ url: `http://localhost:${port}${path}`, framework: name, title: undefined, isRunning: false }],
    );
  return [...found, ...asleep];
}

async function probe(
  port: number,
  frameworks: readonly Framework[],
  fetch: SpecFetcher,
  signal: AbortSignal,
): Promise<FoundSource | undefined> {
  const here = frameworks.filter(({ ports }) => ports.includes(port));
  const base = `http://localhost:${port}`;
  const tried = new Set<string>();
  const ask = async (
    url: string,
  ): Promise<{ readonly text: string; readonly title: string | undefined } | undefined> => {
    if (tried.has(url)) return undefined;
    tried.add(url);
    signal.throwIfAborted();
    const answer = await fetch(
      {
        url,
        headers: {},
        etag: undefined,
        lastModified: undefined,
        timeoutMs: PROBE_TIMEOUT_MS,
        maxBytes: MAX_PROBE_BYTES,
        acceptSelfSigned: false,
        staysOnOrigin: true,
      },
      signal,
    );
    if (answer.kind !== 'text') return undefined;
    const detected = detectOpenApi(answer.text);
    return { text: answer.text, title: detected === undefined ? undefined : (detected.title ?? '') };
  };
  const nameOf = (path: string): string | undefined => here.find(({ paths }) => paths.includes(path))?.name;
  for (const path of new Set([...here.flatMap(({ paths }) => paths), ...COMMON_PATHS])) {
    const answer = await ask(base + path);
    if (answer?.title !== undefined)
      return { url: base + path, framework: nameOf(path), title: answer.title, isRunning: true };
  }
  for (const path of PAGE_PATHS) {
    const page = await ask(base + path);
    if (page === undefined) continue;
    const { specs, scripts } = addressesInPage(page.text, base + path);
    const inScripts = await Promise.all(
      scripts.map(async (script) => addressesInPage((await ask(script))?.text ?? '', script).specs),
    );
    for (const url of [...specs, ...inScripts.flat()]) {
      const answer = await ask(url);
      if (answer?.title !== undefined) return { url, framework: here[0]?.name, title: answer.title, isRunning: true };
    }
  }
  return undefined;
}

/** Whether somebody listens on the loopback interface, by IPv4 or IPv6. */
export async function isListening(port: number): Promise<boolean> {
  const tries = ['127.0.0.1', '::1'].map(
    (host) =>
      new Promise<boolean>((resolve) => {
        const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
        const end = (isThere: boolean): void => {
          socket.destroy();
          resolve(isThere);
        };
        socket.once('connect', () => end(true));
        socket.once('timeout', () => end(false));
        socket.once('error', () => end(false));
      }),
  );
  return (await Promise.all(tries)).includes(true);
}

async function readManifests(folder: string): Promise<{ readonly name: string; readonly text: string }[]> {
  const found: { readonly name: string; readonly text: string }[] = [];
  const open = [{ path: folder, depth: 0 }];
  let seen = 0;
  for (let next = open.shift(); next !== undefined && seen < MAX_FOLDERS; next = open.shift()) {
    seen += 1;
    // A folder that is closed to us has no manifest that we could read.
    for (const entry of await readdir(next.path, { withFileTypes: true }).catch(() => [])) {
      const path = join(next.path, entry.name);
      if (entry.isDirectory() && next.depth < MAX_DEPTH && !IGNORED.test(entry.name))
        open.push({ path, depth: next.depth + 1 });
      if (!entry.isFile() || !isManifestName(entry.name)) continue;
      const isSmall = ((await stat(path).catch(() => undefined))?.size ?? Infinity) <= MAX_MANIFEST_BYTES;
      if (isSmall) found.push({ name: entry.name, text: await readFile(path, 'utf8').catch(() => '') });
    }
  }
  return found;
}
