import { isAbsolute, join, relative, sep } from 'node:path';

/**
 * The two names of what lies in a workspace folder: as the editor has it, perhaps through a symbolic link, and the real
 * one, by which a peer knows a folder wherever it was opened from.
 */
export class FolderPaths {
  readonly editorFolder: string;
  readonly realFolder: string;

  constructor(editorFolder: string, realFolder: string) {
    this.editorFolder = editorFolder;
    this.realFolder = realFolder;
  }

  toEditor(file: string): string {
    return move(file, this.realFolder, this.editorFolder);
  }

  toReal(file: string): string {
    return move(file, this.editorFolder, this.realFolder);
  }

  /** Whether a file, as the editor names it, lies in the folder. */
  contains(file: string): boolean {
    return isInside(this.editorFolder, file);
  }

  /** Whether a file, by its real path, lies in the folder. */
  containsReal(file: string): boolean {
    return isInside(this.realFolder, file);
  }
}

function move(file: string, from: string, to: string): string {
  return from !== to && isInside(from, file) ? join(to, relative(from, file)) : file;
}

function isInside(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return path !== '' && path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}
