/** Nesting deeper than any real API description, shallower than what overflows a parser's stack. */
export const MAX_DEPTH = 200;
/** In UTF-16 units. The largest public description is 13 MB; a text beyond this bound is refused unread. */
export const MAX_TEXT_LENGTH = 48 * 1024 * 1024;
/** The same for YAML that cannot be read in pieces: a merge of it takes 160 MB for each million characters. */
export const MAX_WHOLE_YAML_LENGTH = 12 * 1024 * 1024;
/** Aliases of one document. The largest known real document has about 1,500. */
export const MAX_ALIASES = 20_000;
/** How many problems are reported of one text; a binary file would give one per byte. */
export const MAX_PROBLEMS = 50;
