/** The code of an error that says that the file with a replica's state is damaged. */
export const REPLICA_DAMAGED = 'replica-damaged';
