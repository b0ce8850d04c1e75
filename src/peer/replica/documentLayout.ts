/** Where a library's documents lie in one workspace folder. */
export interface DocumentLayout {
  /** Whether documents of this folder that the library does not have are created there. */
  readonly createsDocuments: boolean;
  /** Absolute path of a local path. */
  fileOf(localPath: string): string;
  /** The local path (relative, with `/`) of an absolute path; undefined outside of the folder. */
  localPathOf(file: string): string | undefined;
  /**
   * The local path at which a document of the library belongs; undefined where it has no copy here. Never a place
   * outside the folder, behind a link that leads out of it, or one that is ignored (I10).
   */
  placeFor(libraryPath: string): Promise<string | undefined>;
}
