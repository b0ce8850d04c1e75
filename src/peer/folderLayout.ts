import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { checkLibraryPath } from '../core/replication/libraryPath.ts';
import { isCandidateName } from '../node/files/diskFiles.ts';
import type { ReplicaRecord } from '../node/folders/folderRecord.ts';
import type { DocumentLayout } from './replica/documentLayout.ts';

/** Places a library's documents in a workspace folder, as the folder has joined. @param folder its real path. */
export function createFolderLayout(
  folder: string,
  record: Pick<ReplicaRecord, 'layout' | 'pairs'>,
  isIgnored: (path: string) => boolean,
): DocumentLayout {
  return {
    createsDocuments: record.layout === 'same',
    fileOf: (localPath) => join(folder, ...localPath.split('/')),
    localPathOf: (file) => {
      const path = relative(folder, file);
      return path === '' || isAbsolute(path) || path.split(sep)[0] === '..' ? undefined : path.split(sep).join('/');
    },
    placeFor: async (libraryPath) => {
      const localPath =
        record.layout === 'same'
          ? libraryPath
          : Object.hasOwn(record.pairs, libraryPath)
            ? record.pairs[libraryPath]
            : undefined;
      if (localPath === undefined || checkLibraryPath(localPath) !== undefined) return undefined;
      if (!isCandidateName(localPath.split('/').pop() ?? '') || isIgnored(localPath)) return undefined;
      return (await staysInside(folder, join(folder, ...localPath.split('/')))) ? localPath : undefined;
    },
  };
}

/** Whether no folder on the way is a link that leads out of the workspace folder. */
async function staysInside(folder: string, file: string): Promise<boolean> {
  for (let parent = dirname(file); parent !== folder; parent = dirname(parent)) {
    if (parent === dirname(parent)) return false;
    let real: string;
    try {
      real = await realpath(parent);
    } catch {
      // Not there yet: it will be made as a real folder; what counts are those above it.
      continue;
    }
    return real === folder || real.startsWith(folder + sep);
  }
  return true;
}
