import { readFile } from 'node:fs/promises';
import { isErrorWithCode } from './errorCode.ts';

/**
 * What a small file of our own says, unchecked. Undefined where it is not there or was damaged from outside (what is written
 * here is written as a whole or not at all): its caller begins anew then. Rejects where it cannot be read.
 */
export async function readJsonFile(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
