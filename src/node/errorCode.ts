/** Whether `error` is a Node error of one of these codes. */
export function isErrorWithCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
