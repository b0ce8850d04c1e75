import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const blockSize = 512;

/** Unpacks plain files and folders of a tar archive: as much of the format as the packages used here need. */
export async function unpackTar(archive: Buffer, into: string): Promise<void> {
  for (let offset = 0; offset + blockSize <= archive.length;) {
    const header = archive.subarray(offset, offset + blockSize);
    const name =
      text(header, 345, 155) === '' ? text(header, 0, 100) : `${text(header, 345, 155)}/${text(header, 0, 100)}`;
    if (name === '') return; // two empty blocks end the archive
    const size = Number.parseInt(text(header, 124, 12).trim() || '0', 8);
    const mode = Number.parseInt(text(header, 100, 8).trim() || '644', 8);
    const type = text(header, 156, 1);
    const start = offset + blockSize;
    const target = path.resolve(into, name);
    if (target !== into && !target.startsWith(into + path.sep)) throw new Error(`${name} would lie outside ${into}.`);
    if (type === '5') {
      await mkdir(target, { recursive: true });
    } else if (type === '' || type === '0') {
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, archive.subarray(start, start + size), { mode });
    }
    offset = start + Math.ceil(size / blockSize) * blockSize;
  }
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end === -1 ? length : end);
}
