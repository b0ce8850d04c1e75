/** Made while bundling: requires the test files of one suite. */
declare module 'host-tests' {
  export function loadHostTests(): void;
}
