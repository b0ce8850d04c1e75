const MAX_PORT = 65_535;
const ADDRESS = /^127\.0\.0\.1:(?<port>\d{1,5})$/;

/** The address of a host on this machine's loopback, which is all that hosts are linked over so far. */
export function hostAddress(port: number): string {
  return `127.0.0.1:${String(port)}`;
}

/** The port in a host's address; undefined where it is none, or leaves this machine. */
export function readHostAddress(address: string): number | undefined {
  const port = Number(ADDRESS.exec(address)?.groups?.['port']);
  return port >= 1 && port <= MAX_PORT ? port : undefined;
}
