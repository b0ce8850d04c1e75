import { isAbsolute, join, relative, sep } from 'node:path';
import { checkLibraryPath } from '../core/replication/libraryPath.ts';
import { isCandidateName } from '../node/files/diskFiles.ts';
import { realFileInside } from '../node/files/insideFolder.ts';
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
    placeFor: (libraryPath) => {
      const localPath =
        record.layout === 'same'
          ? libraryPath
          : Object.hasOwn(record.pairs, libraryPath)
            ? record.pairs[libraryPath]
            : undefined;
      const isPlace =
        localPath !== undefined &&
        checkLibraryPath(localPath) === undefined &&
        isCandidateName(localPath.split('/').pop() ?? '') &&
        !isIgnored(localPath) &&
        realFileInside(folder, join(folder, ...localPath.split('/'))) !== undefined;
      return Promise.resolve(isPlace ? localPath : undefined);
    },
  };
}

/** Where a file of a folder is in the library that the folder has joined; undefined where it has no place there. */
export function libraryPathIn(
  { layout, pairs }: Pick<ReplicaRecord, 'layout' | 'pairs'>,
  localPath: string,
): string | undefined {
  if (layout === 'same') return localPath;
  return Object.keys(pairs).find((libraryPath) => pairs[libraryPath] === localPath);
}
